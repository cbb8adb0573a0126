"""Names that a request maps: refused at once where a cloud does not have them, rather than once a plan is made."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..clouds.errors import explain
from ..errors import Refusal
from ..planning import mapping
from .clouds import names
from .services import services

LOG = logging.getLogger(__name__)


def refuse_unknown(selection: Mapping[str, Any]) -> None:
    """Raises Refusal for the first kind or name that is not there, with what may have been meant.

    Where a service does not answer nothing is refused: the making of the plan tells.
    """
    chosen = selection.get("mappings") or {}
    for kind in chosen:
        mapping.refuse_kind(kind)
    clouds = services().clouds
    try:
        mapping.refuse_unknown(chosen, lambda role, kind: names.names(clouds, role, kind))
    except Refusal:
        raise
    except Exception as error:
        LOG.warning("names that are mapped cannot be looked up: %s", explain(error))
