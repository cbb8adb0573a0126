"""``python -m tests.acceptance.everything PREFIX``: the tenant to look at; prints what was made as JSON."""

from __future__ import annotations

import json
import sys

from tests.acceptance import everything
from tests.acceptance.clouds import operator


def main(arguments: list[str]) -> int:
    """Build one on the clouds ``src`` and ``dst`` of clouds.yaml."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    made = everything.build(
        operator("src"), operator("dst"), arguments[0], say=lambda line: print(line, file=sys.stderr)
    )
    shown = {"prefix": made.prefix, "tenant": made.name("project", "tenant"), "ids": made.ids, "names": made.names}
    print(json.dumps(shown, ensure_ascii=False, indent=1))
    return 0


sys.exit(main(sys.argv[1:]))
