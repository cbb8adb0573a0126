"""Which servers a list shows, in which order, and where it goes on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import request

from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.views import STATUSES, Views, plain
from pumphouse.embedded.service import RefusedError, paged

#: Filter -> field of the record. Texts are searched for as regular expressions, those of EXACT compared.
FIELDS = {
    **{name: name for name in (
        "name", "description", "hostname", "kernel_id", "ramdisk_id", "key_name", "power_state", "host", "project_id",
        "user_id", "reservation_id", "root_device_name", "config_drive", "vm_state", "task_state", "launched_at",
        "terminated_at", "launch_index")},
    "display_name": "name", "display_description": "description", "tenant_id": "project_id", "node": "host",
    "uuid": "id", "image": "image_id", "image_ref": "image_id", "access_ip_v4": "accessIPv4",
    "access_ip_v6": "accessIPv6", "created_at": "created", "locked_by": "locked_by",
}  # fmt: skip
EXACT = frozenset(
    {"project_id", "tenant_id", "user_id", "uuid", "image", "image_ref", "host", "vm_state", "task_state"}
)
TAGS = ("tags", "tags-any", "not-tags", "not-tags-any")
#: What members may filter by, and from which microversion.
OPEN = {
    **dict.fromkeys(("reservation_id", "name", "status", "image", "flavor", "ip", "changes-since", "all_tenants"), 1),
    "ip6": 5,
    **dict.fromkeys(TAGS, 26),
    "changes-before": 66,
    "locked": 73,
    **dict.fromkeys(("availability_zone", "config_drive", "key_name", "created_at", "launched_at", "terminated_at",
                     "power_state", "task_state", "vm_state", "progress", "user_id"), 83),
    "hostname": 90,
}  # fmt: skip
PAGING = ("limit", "marker", "sort_key", "sort_dir", "page_size")
KNOWN = frozenset({*FIELDS, *OPEN, *PAGING, "deleted", "soft_deleted", "progress", "auto_disk_config"})
#: Sort key -> field.
SORTS = {**FIELDS, "created_at": "number", "updated_at": "updated", "availability_zone": "pinned_zone"}

Test = Callable[[Json], Any]


class Filters(Views):
    """``GET /servers``."""

    def listed(self) -> tuple[list[Json], list[Json]]:
        """The page of servers that is asked for, and the links to the next one."""
        self._check_query()
        asked = {name: values for name, values in request.args.lists() if self._may_filter(name)}
        everywhere = _truth(asked.pop("all_tenants", ["0"])[-1])
        path = request.path.partition("/v2.1/")[2]
        if everywhere:
            rule = "servers:detail:get_all_tenants" if path.endswith("detail") else "servers:index:get_all_tenants"
            self.demand(rule, self.token.project_id)
        else:
            asked.pop("tenant_id", None)
            asked["project_id"] = [self.token.project_id or ""]
        tests = [test for name, values in asked.items() if (test := self._test(name, values)) is not None]
        limit, marker = self.limits()
        page = self._page(self._candidates(asked), tests, limit, marker)
        return page, self.next_links(path, page, limit)

    def _check_query(self) -> None:
        """From microversion 2.75 on, what is not known is refused."""
        if self.since(75):
            for name in request.args:
                if name not in KNOWN and not name.startswith("_"):
                    raise RefusedError(400, f"'{name}' does not match any of the regexes: '^_'")

    def _may_filter(self, name: str) -> bool:
        if name in PAGING:
            return False
        return self.can("servers:allow_all_filters") or self.since(OPEN.get(name, 999))

    def _candidates(self, asked: dict[str, list[str]]) -> Iterator[Json]:
        """Of the project, the newest first; deleted ones only if that is asked for."""
        state = self.state
        deleted = _truth(asked.pop("deleted", ["0"])[-1]) or "DELETED" in [s.upper() for s in asked.get("status", ())]
        since = "changes-since" in asked or "changes-before" in asked
        if deleted and not self.token.admin:
            raise RefusedError(403, "Only administrators may list deleted instances")
        if deleted or since:
            both = {**({} if deleted else state.servers), **state.deleted}
            yield from sorted(both.values(), key=lambda server: -server["number"])
        elif project := asked.get("project_id") or asked.get("tenant_id"):
            yield from (state.servers[id_] for id_ in reversed(state.of_project.get(project[-1], {})))
        else:
            yield from reversed(state.servers.values())

    def _page(self, among: Iterable[Json], tests: list[Test], limit: int, marker: str | None) -> list[Json]:
        """What passes all tests. In the usual order, what is before the marker is not even tested."""
        last = self.state.servers.get(marker or "") or self.state.deleted.get(marker or "")
        if marker and last is None:
            raise RefusedError(400, f"marker [{marker}] not found")
        if last and not request.args.get("sort_key"):
            number = last["number"]
            among = (server for server in among if server["number"] < number)
        found = (server for server in among if all(test(server) for test in tests))
        if request.args.get("sort_key"):
            return paged(self._sorted(found), limit, marker)[0]
        return list(itertools.islice(found, limit))

    def _sorted(self, found: Iterable[Json]) -> list[Json]:
        keys, ways = request.args.getlist("sort_key"), request.args.getlist("sort_dir")
        servers = list(found)
        for place, key in reversed(list(enumerate(keys))):
            if key not in SORTS:
                continue
            way = ways[place] if place < len(ways) else "desc" if not ways else ways[-1]
            field = SORTS[key]
            servers.sort(key=lambda server: _rank(server[field]), reverse=way == "desc")
        return servers

    # --- one filter ---

    def _test(self, name: str, values: list[str]) -> Test | None:
        value = values[-1]
        if name == "status":
            return self._by_status(values)
        if name in TAGS:
            return _by_tags(name, value.split(","))
        if name in ("changes-since", "changes-before"):
            return _by_time(name, value)
        if name == "flavor":
            return lambda server: server["flavor"]["id"] == value
        if name in ("ip", "ip6"):
            return lambda server: any(
                _search(value, ip["addr"]) for ips in self.addresses_of(server).values() for ip in ips
            )
        if name == "locked":
            return lambda server: bool(server["locked_by"]) == _truth(value)
        if name == "availability_zone":
            return lambda server: _search(value, self._zone(server))
        if name not in FIELDS:
            return None
        field = FIELDS[name]
        if name in EXACT:
            return lambda server: plain(server[field]) in values
        return lambda server: server[field] is not None and _search(value, plain(server[field]))

    def _by_status(self, values: list[str]) -> Test:
        wanted = {value.upper() for value in values}
        states = {
            (vm_state, task)
            for vm_state, (default, by_task) in STATUSES.items()
            for task, shown in ((None, default), *by_task.items())
            if shown in wanted
        }
        if not states and self.since(38):
            raise RefusedError(400, "Invalid status value")
        whole = {vm_state for vm_state, task in states if task is None}
        return lambda server: server["vm_state"] in whole or (server["vm_state"], server["task_state"]) in states


def _by_tags(name: str, wanted: list[str]) -> Test:
    every = set(wanted)
    tests: dict[str, Test] = {
        "tags": lambda server: every <= set(server["tags"]),
        "not-tags": lambda server: not every <= set(server["tags"]),
        "tags-any": lambda server: every & set(server["tags"]),
        "not-tags-any": lambda server: not every & set(server["tags"]),
    }
    return tests[name]


def _by_time(name: str, value: str) -> Test:
    moment = re.sub(r"(\.\d+)?(Z|\+00:00|$)", "Z", value.replace(" ", "T"), count=1)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?Z", moment):
        raise RefusedError(
            400, f"Invalid input for query parameters {name}. Value: {value}. '{value}' is not a 'date-time'"
        )
    if name == "changes-since":
        return lambda server: server["updated"] >= moment
    return lambda server: server["updated"] <= moment


def _search(pattern: str, text: str) -> bool:
    """As MariaDB does it: anywhere, capitals or not."""
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except re.error:
        return False


def _rank(value: Any) -> Any:
    return (value is not None, value)


def _truth(value: str) -> bool:
    return value.lower() in ("", "1", "true", "t", "yes", "y", "on")
