"""How sizes, times and names are written for people."""

from __future__ import annotations

import datetime
import json
import unicodedata
from typing import Any


def clean(value: object) -> str:
    """A name from a cloud, fit for a terminal: control characters become their escapes."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        char if unicodedata.category(char)[0] != "C" else char.encode("unicode_escape").decode() for char in text
    )


def size(count: int | None) -> str:
    """Bytes, in the binary units that OpenStack's quotas use: ``1.2 GiB``."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def duration(seconds: float | None) -> str:
    """Seconds as ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(seconds: float | None) -> str:
    """Epoch seconds as local time: ``2026-11-21 06:31:46``."""
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 conflict``, ``2 conflicts``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def chosen(selection: dict[str, Any]) -> str:
    """What the operator named: ``tenant acme``, ``server web-1, server web-2``, ``everything``."""
    if selection.get("all"):
        return "everything"
    if selection.get("evacuate"):
        return f"evacuation of {clean(selection['evacuate'])}"
    if selection.get("reassign"):
        return f"reassignment of {clean(selection['reassign'])}"
    parts = []
    if selection.get("tenant"):
        parts.append(f"tenant {selection['tenant']}")
    for kind in ("server", "image", "volume", "user", "flavor", "network", "host"):
        parts += [f"{kind} {name}" for name in selection.get(f"{kind}s", ())]
    text = clean(", ".join(parts) or "nothing")
    return f"{text} (domain {clean(selection['domain'])})" if selection.get("domain") else text


def short(value: object, limit: int = 60) -> str:
    """A name or value on one line, cut when it is long: names of 255 characters are allowed."""
    text = clean(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def value(value: object, limit: int | None = None) -> str:
    """A field's value as it is in JSON, but text without quotes unless it is empty."""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    return text if limit is None else short(text, limit)


def missed(field: dict[str, Any]) -> bool:
    """Whether a field of a report says something to a reader: it was carried, or its value would be missed."""
    return field["verdict"] != "not carried" or bool(field.get("worth", True))
