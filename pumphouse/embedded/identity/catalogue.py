"""Regions, services and endpoints, and the catalogue of them that tokens carry."""

from __future__ import annotations

import uuid

from pumphouse.embedded.identity.base import IdentityBase, filtered, missing
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.service import route

#: type -> name, and which service of the cloud it is.
SERVICES = {
    "compute": ("nova", "compute"),
    "volumev3": ("cinderv3", "volume"),
    "placement": ("placement", "placement"),
    "block-storage": ("cinder", "volume"),
    "network": ("neutron", "network"),
    "identity": ("keystone", "identity"),
    "image": ("glance", "image"),
}


class Catalogue(IdentityBase):
    """What there is, and where."""

    def make_catalogue(self) -> None:
        """All services of the cloud, each at one place."""
        region = self.cloud.region
        self.state.regions[region] = {"id": region, "description": "", "parent_region_id": None}
        for type_, (name, service) in SERVICES.items():
            id_ = uuid.uuid4().hex
            self.state.services[id_] = {"name": name, "id": id_, "type": type_, "enabled": True}
            for interface in ("public", "internal", "admin"):
                endpoint = {"id": uuid.uuid4().hex, "interface": interface, "region_id": region, "service_id": id_}
                self.state.endpoints[endpoint["id"]] = {**endpoint, "service": service}

    def catalogue(self, project_id: str | None) -> list[Json]:
        """With the project in the URLs that want one; without a project these are left out."""
        by_service: dict[str, list[Json]] = {}
        for endpoint in self.state.endpoints.values():
            url = self._url(endpoint)
            if "%(project_id)s" in url and project_id is None:
                continue
            url = url.replace("%(project_id)s", project_id or "")
            shown = {"id": endpoint["id"], "interface": endpoint["interface"], "region_id": endpoint["region_id"]}
            by_service.setdefault(endpoint["service_id"], []).append(
                {**shown, "url": url, "region": endpoint["region_id"]}
            )
        return [
            {"endpoints": endpoints, "id": id_, "type": service["type"], "name": service["name"]}
            for id_, endpoints in by_service.items()
            if (service := self.state.services[id_])["enabled"]
        ]

    def _url(self, endpoint: Json) -> str:
        return f"{self.cloud.url}{getattr(self.cloud, endpoint['service']).endpoint()}"

    @route("GET", "/v3/regions")
    def list_regions(self) -> Json:
        """All."""
        return self.listed("regions", (self._region(one) for one in self.state.regions.values()))

    @route("GET", "/v3/regions/<region_id>")
    def show_region(self, region_id: str) -> Json:
        """One."""
        if region_id not in self.state.regions:
            raise missing("region", region_id)
        return {"region": self._region(self.state.regions[region_id])}

    def _region(self, region: Json) -> Json:
        return {**region, "links": self.link(f"regions/{region['id']}")}

    @route("GET", "/v3/services")
    def list_services(self) -> Json:
        """Those of a type or a name, or all."""
        self.allow("list_services", self.reads_all)
        return self.listed(
            "services", (self._service(one) for one in filtered(self.state.services.values(), "type", "name"))
        )

    @route("GET", "/v3/services/<service_id>")
    def show_service(self, service_id: str) -> Json:
        """One."""
        self.allow("get_service", self.reads_all)
        if service_id not in self.state.services:
            raise missing("service", service_id)
        return {"service": self._service(self.state.services[service_id])}

    def _service(self, service: Json) -> Json:
        return {**service, "links": self.link(f"services/{service['id']}")}

    @route("GET", "/v3/endpoints")
    def list_endpoints(self) -> Json:
        """Those of a service, an interface or a region, or all."""
        self.allow("list_endpoints", self.reads_all)
        found = filtered(self.state.endpoints.values(), "interface", "service_id", "region_id")
        return self.listed("endpoints", (self._endpoint(one) for one in found))

    @route("GET", "/v3/endpoints/<endpoint_id>")
    def show_endpoint(self, endpoint_id: str) -> Json:
        """One."""
        self.allow("get_endpoint", self.reads_all)
        if endpoint_id not in self.state.endpoints:
            raise missing("endpoint", endpoint_id)
        return {"endpoint": self._endpoint(self.state.endpoints[endpoint_id])}

    def _endpoint(self, endpoint: Json) -> Json:
        names = ("id", "interface", "region_id", "service_id")
        return {
            **{name: endpoint[name] for name in names},
            "url": self._url(endpoint),
            "enabled": True,
            "region": endpoint["region_id"],
            "links": self.link(f"endpoints/{endpoint['id']}"),
        }
