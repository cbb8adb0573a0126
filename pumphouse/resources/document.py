"""Writes docs/resources.md from the tables: ``python -m pumphouse.resources.document > docs/resources.md``."""

from __future__ import annotations

import inspect

from pumphouse.resources.base import ResourceType
from pumphouse.resources.fields import Field
from pumphouse.resources.registry import TYPES

HEAD = """# What is carried, field by field

Made from the tables in `pumphouse/resources/`: do not edit. Fields have their names on the wire.

- **carry**: the destination shows the same value; False, 0, "" and null included.
- **map**: a reference to another resource, replaced by its counterpart.
- **keep**: an id that is asked for in the destination too; where it is taken, the service chooses another.
- **report**: not carried, for the reason given.

*Matching* fields recognise a counterpart that is in the destination already. *If possible* means that the
destination may refuse the value, which the report then says. A field that a newer OpenStack has, and this
list has not, is never dropped in silence: the report names it when it holds something.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([HEAD, *(_section(type_) for type_ in TYPES.values())])


def _section(type_: ResourceType) -> str:
    about = inspect.cleandoc(type_.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    source = inspect.getmodule(type(type_))
    heading = (source.__doc__ or "").strip().splitlines()[0] if source else ""
    rows = [f"| `{field.name}` | {_how(field)} | {field.doc} |" for field in type_.fields]
    if type_.others == "carry":
        rows.append("| any other | carry | added by a user |")
    return "\n".join(
        [
            f"## {type_.type}\n",
            f"{heading}\n",
            f"{about}\n",
            "| field | what becomes of it | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _how(field: Field) -> str:
    words = [f"map: {field.to}" if field.to else field.how]
    words += ["matching"] if field.match else []
    words += ["if possible"] if field.loose else []
    words += [f"extension {field.extension}"] if field.extension else []
    return ", ".join(words)


if __name__ == "__main__":
    print(page(), end="")
