"""What is refused, in the words of the service: its operations and the fields of its requests.

The commands have their own words for the same: ``cli/remedies.py``.
"""

from __future__ import annotations

from pumphouse.errors import Refusal

#: What to do about what is refused, by the key of it.
REMEDIES = {
    "stop": "cancel it first: POST /v1/migrations/{migration}/cancel",
    "busy": "cancel it (POST /v1/migrations/{migration}/cancel), or wait for its end",
    "goes_on": "go on with it (POST /v1/migrations/{migration}/resume), or cancel it"
    " (POST /v1/migrations/{migration}/cancel)",
    "differences": "mend them and verify again (POST /v1/migrations/{migration}/verify), or name each in `despite`",
    "state": "GET /v1/migrations/{migration} says in `can` what it allows",
    "findings": "mend what blocks and plan again, or begin with `ignore_findings`",
    "plan": "make a new plan, as the clouds have changed since: POST /v1/plans",
    "ready": "wait until it is ready: GET /v1/plans/{plan}",
    "hosts": "GET /v1/clouds/source/hosts lists them",
    "id": "give the id",
    "domain": "give the id, or name the `domain`",
    "pair": "run the service with the configuration of those two clouds",
}


def remedy(error: Refusal) -> str:
    """What to do about it; empty where nothing is known."""
    told = REMEDIES[error.remedy].format(**error.about) if error.remedy else ""
    return "; ".join(filter(None, (error.hint, told)))
