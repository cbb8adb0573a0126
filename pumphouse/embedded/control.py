"""The calls by which tests steer an embedded cloud: ``/_control``, see docs/embedded.md."""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify, request

from pumphouse.embedded.cloud import EmbeddedCloud
from pumphouse.embedded.populate import more_networks, more_servers


class Control:
    """Of one cloud."""

    #: Method and path below ``/_control``, and what answers.
    CALLS = (
        ("POST", "faults", "set_faults"),
        ("GET", "faults", "faults"),
        ("POST", "delays", "delays"),
        ("POST", "save/<name>", "save"),
        ("POST", "restore/<name>", "restore"),
        ("GET", "requests", "requests"),
        ("POST", "populate", "populate"),
        ("POST", "hosts/<name>", "host"),
        ("GET", "blobs/<type_>/<id_>", "blob"),
    )

    def __init__(self, cloud: EmbeddedCloud) -> None:
        """Nothing is saved yet."""
        self.cloud = cloud
        self._saved: dict[str, bytes] = {}

    def add_to(self, app: Flask) -> None:
        """Have the application answer them."""
        for method, path, name in self.CALLS:
            app.add_url_rule(f"/_control/{path}", f"control {name}", getattr(self, name), methods=[method])

    def set_faults(self) -> Any:
        """A list of faults, in the place of those before."""
        self.cloud.faults.clear()
        try:
            for fields in request.get_json():
                self.cloud.faults.add(**fields)
        except ValueError as error:
            return {"error": str(error)}, 400
        return {}

    def faults(self) -> Any:
        """How often each has been seen, and has struck."""
        return jsonify([{"kind": f.kind, "seen": f.seen, "struck": f.struck} for f in self.cloud.faults.entries])

    def delays(self) -> Any:
        """Seconds that things take from now on."""
        given, delays = request.get_json(), self.cloud.delays
        if unknown := set(given) - set(delays):
            return {"error": f"delays are {', '.join(delays)}, not {', '.join(sorted(unknown))}"}, 400
        delays.update(given)
        return delays

    def save(self, name: str) -> Any:
        """Keep the cloud as it is now."""
        self._saved[name] = self.cloud.save()
        return {}

    def restore(self, name: str) -> Any:
        """Be as it was."""
        if name not in self._saved:
            return {"error": f"nothing is saved as {name!r}"}, 404
        self.cloud.restore(self._saved[name])
        self.cloud.requests.clear()
        return {}

    def requests(self) -> Any:
        """How often each call came since the start, or since it was restored."""
        return dict(self.cloud.requests)

    def populate(self) -> Any:
        """So many more (``count``) like a ``server`` or a ``network`` that is there."""
        given = request.get_json()
        with self.cloud.lock:
            self.cloud.tick()
            if "server" in given:
                more_servers(self.cloud, given["server"], given["count"])
            else:
                more_networks(self.cloud, given["network"], given["count"])
        return {}

    def host(self, name: str) -> Any:
        """A machine starts (``alive``), and is a compute host from then on; or it stops."""
        with self.cloud.lock:
            self.cloud.tick()
            self.cloud.compute.set_host(name, bool(request.get_json()["alive"]))
        return {}

    def blob(self, type_: str, id_: str) -> Any:
        """Where the bytes of an image, a volume or a server's disk are, for who proves them."""
        cloud = self.cloud
        owners: dict[str, Any] = {"image": cloud.image, "volume": cloud.volume, "server": cloud.compute}
        with cloud.lock:
            cloud.tick()
            name = owners[type_].blob(id_)
        return {"path": str(cloud.blobs.path(name)) if name else None}
