"""The web page: plain files, that the API serves at ``/`` (``index.html``) and below ``/ui/`` (everything)."""

from __future__ import annotations

from pathlib import Path

#: The directory that is served below ``/ui/``.
STATIC: Path = Path(__file__).resolve().parent / "static"
