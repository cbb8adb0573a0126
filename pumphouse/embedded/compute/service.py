"""The service: all groups of its calls together."""

from __future__ import annotations

from pumphouse.embedded.compute import versions
from pumphouse.embedded.compute.aggregates import Aggregates
from pumphouse.embedded.compute.attachments import Attachments
from pumphouse.embedded.compute.create import Create
from pumphouse.embedded.compute.metadata import Metadata
from pumphouse.embedded.compute.moving import Moving
from pumphouse.embedded.compute.servers import Servers
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.usage import Usage
from pumphouse.embedded.service import route


class Compute(Create, Servers, Moving, Attachments, Metadata, Aggregates, Usage):
    """Nova."""

    @route("GET", "/", open=True)
    def list_versions(self) -> Json:
        """All versions of the API."""
        return versions.listed(self.cloud.release, self.url)

    @route("GET", "/v2.1", open=True)
    @route("GET", "/v2.1/", open=True)
    def show_version(self) -> Json:
        """This one."""
        return versions.described(self.cloud.release, self.url)
