"""Placement: the hosts of the compute service, what they have and what of it is taken."""

from __future__ import annotations

import http.client
import re
import uuid
from typing import Any

from flask import Response, jsonify, request

from pumphouse.embedded.service import RefusedError, Service, route

Json = dict[str, Any]

#: Placement's name of a resource -> the compute service's.
CLASSES = {"VCPU": "vcpus", "MEMORY_MB": "memory_mb", "DISK_GB": "disk_gb"}
#: The lowest microversion: asked for by who asks for none.
OLDEST = (1, 0)
#: Microversions from which on something is so: allocation candidates can be asked for, are keyed by host, show the
#: traits of hosts, all their resources, their place in the tree, and what each part of the request has led to.
CANDIDATES, KEYED, TRAITS, ALL_RESOURCES, TREE, MAPPINGS = (1, 10), (1, 12), (1, 17), (1, 27), (1, 29), (1, 34)
#: The same of providers: their place in the tree; and more links.
NESTED = (1, 14)
LINKS = {"inventories": (1, 0), "usages": (1, 0), "aggregates": (1, 1), "traits": (1, 6), "allocations": (1, 11)}
#: What errors begin with.
WORDS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    406: "The resource could not be generated that was acceptable to your browser (content of type application/json. ",
}
#: The largest number of a resource that can be asked for at once.
LARGEST = 2147483647


class Placement(Service):
    """The service. Its numbers are the compute service's; its state is the hosts that Nova has left behind, by id."""

    type = "placement"
    root = "/placement"

    def fresh(self) -> dict[str, Json]:
        """Nothing is left behind."""
        return {}

    def keep(self, host: Json) -> None:
        """Nova has forgotten a host without a word to us."""
        self.state[host["id"]] = host

    def refusal(self, error: RefusedError) -> Response:
        """{"errors": [...]}; those without a valid token get the words of Keystone's middleware."""
        title = http.client.responses[error.status]
        if error.status == 401:
            response = jsonify({"error": {"code": 401, "title": title, "message": error.message}})
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.cloud.identity.url}"'
        else:
            detail = f"{WORDS.get(error.status, title)}\n\n {error.message}  "
            told = {"status": error.status, "title": title, "detail": detail, "request_id": f"req-{uuid.uuid4()}"}
            response = jsonify({"errors": [told]})
        response.status_code = error.status
        response.headers["x-openstack-request-id"] = f"req-{uuid.uuid4()}"
        return response

    @route("GET", "/", open=True)
    def list_versions(self) -> Json:
        """The one there is."""
        newest = ".".join(map(str, self.cloud.release.placement))
        version = {"id": "v1.0", "max_version": newest, "min_version": "1.0", "status": "CURRENT"}
        return {"versions": [{**version, "links": [{"rel": "self", "href": ""}]}]}

    @route("GET", "/resource_providers")
    def list_providers(self) -> tuple[Json, int, Json]:
        """The hosts; one of them by ``name`` or ``uuid``."""
        self._administrators("resource_providers:list")
        hosts = self._hosts().items()
        # No host is a part of another: the tree of each is itself.
        tree = request.args.get("in_tree") if self._version() >= NESTED else None
        name, id_ = request.args.get("name"), request.args.get("uuid") or tree
        found = [
            self._provider(one, host) for one, host in hosts if name in (None, host["name"]) and id_ in (None, one)
        ]
        return self._answer({"resource_providers": found})

    @route("GET", "/resource_providers/<provider_id>")
    def show_provider(self, provider_id: str) -> tuple[Json, int, Json]:
        """One host."""
        self._administrators("resource_providers:show")
        return self._answer(self._provider(provider_id, self._host(provider_id)))

    @route("DELETE", "/resource_providers/<provider_id>")
    def delete_provider(self, provider_id: str) -> None:
        """One that nothing is taken of. That of a host which Nova knows is there again at once."""
        self._administrators("resource_providers:delete")
        if self._taken(self._host(provider_id)):
            message = f"Unable to delete resource provider {provider_id}: Resource provider has allocations."
            raise RefusedError(409, message)
        self.state.pop(provider_id, None)

    @route("GET", "/resource_providers/<provider_id>/allocations")
    def list_allocations(self, provider_id: str) -> tuple[Json, int, Json]:
        """Which servers have taken what of a host."""
        self._administrators("resource_providers:allocations:list")
        host = self._host(provider_id)
        return self._answer({"resource_provider_generation": self._generation(host), "allocations": self._taken(host)})

    @route("GET", "/resource_providers/<provider_id>/inventories")
    def list_inventories(self, provider_id: str) -> tuple[Json, int, Json]:
        """What a host has."""
        self._administrators("resource_providers:inventories:list")
        host = self._host(provider_id)
        limits = {"reserved": 0, "min_unit": 1, "max_unit": LARGEST, "step_size": 1, "allocation_ratio": 1.0}
        inventories = {name: {"total": host[key], **limits} for name, key in CLASSES.items()}
        return self._answer({"resource_provider_generation": self._generation(host), "inventories": inventories})

    @route("GET", "/resource_providers/<provider_id>/usages")
    def list_usages(self, provider_id: str) -> tuple[Json, int, Json]:
        """What of it is taken."""
        self._administrators("resource_providers:usages")
        host = self._host(provider_id)
        usages = {name: host[f"{key}_used"] for name, key in CLASSES.items()}
        return self._answer({"resource_provider_generation": self._generation(host), "usages": usages})

    @route("GET", "/allocation_candidates")
    def list_candidates(self) -> tuple[Json, int, Json]:
        """The hosts that have so much free now."""
        self._administrators("allocation_candidates:list")
        if (version := self._version()) < CANDIDATES:
            raise RefusedError(404, "")
        wanted = _wanted(request.args.get("resources", ""))
        fitting = {id_: host for id_, host in self._hosts().items() if _fits(host, wanted)}
        return self._answer(
            {
                "allocation_requests": [_request(id_, wanted, version) for id_ in fitting],
                "provider_summaries": {id_: _summary(id_, host, wanted, version) for id_, host in fitting.items()},
            }
        )

    def _administrators(self, rule: str) -> None:
        """Placement is for administrators."""
        if not self.token.admin:
            raise RefusedError(403, f"Policy does not allow placement:{rule} to be performed.")

    def _version(self) -> tuple[int, int]:
        """The microversion of the request."""
        asked = request.headers.get("OpenStack-API-Version", "")
        if not asked.startswith("placement "):
            return OLDEST
        number = asked.removeprefix("placement ").strip()
        newest = self.cloud.release.placement
        if number == "latest":
            return newest
        if not re.fullmatch(r"\d+\.\d+", number):
            raise RefusedError(400, f"Invalid microversion: invalid version string: {number}")
        major, minor = (int(part) for part in number.split("."))
        if not OLDEST <= (major, minor) <= newest:
            raise RefusedError(406, f"Invalid microversion: Unacceptable version header: {number}")
        return major, minor

    def _answer(self, body: Json) -> tuple[Json, int, Json]:
        version = ".".join(map(str, self._version()))
        headers = {"OpenStack-API-Version": f"placement {version}", "Vary": "OpenStack-API-Version"}
        return body, 200, {**headers, "x-openstack-request-id": f"req-{uuid.uuid4()}"}

    def _hosts(self) -> dict[str, Json]:
        return {**{host["id"]: host for host in self.cloud.compute.hosts()}, **self.state}

    def _taken(self, host: Json) -> dict[str, Json]:
        """By server."""
        compute = self.cloud.compute
        servers = {id_: compute.state.servers[id_] for id_ in host["servers"]}
        needs = {id_: compute.needs(server) for id_, server in servers.items()}
        return {
            id_: {"resources": {name: taken[key] for name, key in CLASSES.items() if taken[key]}}
            for id_, taken in needs.items()
        }

    def _host(self, id_: str) -> Json:
        found = self._hosts().get(id_)
        if found is None:
            raise RefusedError(404, f"No resource provider with uuid {id_} found")
        return found

    def _generation(self, host: Json) -> int:
        """It grows with what is on the host."""
        return 1 + sum(bool(host[f"{key}_used"]) for key in CLASSES.values())

    def _provider(self, id_: str, host: Json) -> Json:
        path, version = f"/resource_providers/{id_}", self._version()
        links = [{"rel": "self", "href": path}]
        links += [{"rel": name, "href": f"{path}/{name}"} for name, since in LINKS.items() if version >= since]
        tree = {"parent_provider_uuid": None, "root_provider_uuid": id_} if version >= NESTED else {}
        return {"uuid": id_, "name": host["name"], "generation": self._generation(host), "links": links, **tree}


def _wanted(text: str) -> dict[str, int]:
    """{"VCPU": 1} from VCPU:1,MEMORY_MB:64."""
    wanted = {}
    for part in text.split(","):
        name, colon, amount = part.partition(":")
        if not colon:
            form = "?resources=VCPU:2,MEMORY_MB:1024"
            message = f"Badly formed resources parameter. Expected resources query string parameter in form: {form}."
            raise RefusedError(400, f"{message} Got: {part}.")
        if not amount.isdigit():
            raise RefusedError(400, f"Requested resource {name} expected positive integer amount. Got: {amount}.")
        if not int(amount):
            raise RefusedError(400, f"Requested resource {name} requires amount >= 1. Got: {amount}.")
        if name not in CLASSES:
            raise RefusedError(400, f"Invalid resource class in resources parameter: No such resource class {name}.")
        wanted[name] = int(amount)
    return wanted


def _fits(host: Json, wanted: Json) -> bool:
    return all(host[CLASSES[name]] - host[f"{CLASSES[name]}_used"] >= amount for name, amount in wanted.items())


def _summary(id_: str, host: Json, wanted: Json, version: tuple[int, int]) -> Json:
    shown = CLASSES if version >= ALL_RESOURCES else wanted
    sizes = {name: {"capacity": host[key := CLASSES[name]], "used": host[f"{key}_used"]} for name in shown}
    summary: Json = {"resources": sizes}
    if version >= TRAITS:
        summary["traits"] = []
    if version >= TREE:
        summary |= {"parent_provider_uuid": None, "root_provider_uuid": id_}
    return summary


def _request(id_: str, wanted: Json, version: tuple[int, int]) -> Json:
    if version < KEYED:
        return {"allocations": [{"resource_provider": {"uuid": id_}, "resources": wanted}]}
    mappings = {"mappings": {"": [id_]}} if version >= MAPPINGS else {}
    return {"allocations": {id_: {"resources": wanted}}, **mappings}
