"""``python -m tests.acceptance.tenant build [PREFIX]``: a tenant to develop against; prints it as JSON."""

from __future__ import annotations

import json
import sys

from tests.acceptance import tenant
from tests.acceptance.clouds import operator


def main(arguments: list[str]) -> int:
    """Build one on the clouds ``src`` and ``dst`` of clouds.yaml."""
    if not arguments or arguments[0] != "build":
        print(__doc__, file=sys.stderr)
        return 2
    prefix = arguments[1] if len(arguments) > 1 else tenant.new_prefix()
    print(f"prefix {prefix}", file=sys.stderr)
    made = tenant.build(operator("src"), operator("dst"), prefix, say=lambda line: print(line, file=sys.stderr))
    summary = {"prefix": prefix, "tenant": made.name("project", "tenant"), "domain": made.domain}
    print(json.dumps({**summary, "project_id": made.project_id, "ids": made.ids}, ensure_ascii=False, indent=1))
    return 0


sys.exit(main(sys.argv[1:]))
