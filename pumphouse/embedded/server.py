"""The HTTP server of an embedded cloud, and the calls by which tests steer it (``/_control``)."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, make_server

from pumphouse.embedded.cloud import EmbeddedCloud
from pumphouse.embedded.connections import Handler
from pumphouse.embedded.faults import FaultyApp
from pumphouse.embedded.populate import more_networks, more_servers
from pumphouse.embedded.service import RefusedError


def make_app(cloud: EmbeddedCloud) -> Flask:
    """All services, and the control."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for service in cloud.services:
        app.register_blueprint(service.blueprint())

    @app.before_request
    def before() -> Response | None:
        if not request.path.startswith("/_control/"):
            rule = request.url_rule.rule if request.url_rule else request.path
            with cloud.lock:
                cloud.requests[f"{request.method} {rule}"] += 1
        if refuse := request.environ.get("pumphouse.refuse"):
            owner = next((s for s in cloud.services if request.path.startswith(f"{s.root}/")), cloud.identity)
            return owner.refusal(RefusedError(*refuse))
        return None

    app.wsgi_app = FaultyApp(app.wsgi_app, cloud.faults, cloud.identity.revoke)  # type: ignore[assignment,method-assign]
    _control(app, cloud)
    return app


def _control(app: Flask, cloud: EmbeddedCloud) -> None:
    saved: dict[str, bytes] = {}

    @app.post("/_control/faults")
    def faults() -> Any:
        """A list of faults, in the place of those before."""
        cloud.faults.clear()
        try:
            for fields in request.get_json():
                cloud.faults.add(**fields)
        except ValueError as error:
            return {"error": str(error)}, 400
        return {}

    @app.get("/_control/faults")
    def struck() -> Any:
        """How often each has been seen, and has struck."""
        return jsonify([{"kind": f.kind, "seen": f.seen, "struck": f.struck} for f in cloud.faults.entries])

    @app.post("/_control/delays")
    def delays() -> Any:
        """Seconds that things take from now on."""
        given = request.get_json()
        if unknown := set(given) - set(cloud.delays):
            return {"error": f"delays are {', '.join(cloud.delays)}, not {', '.join(sorted(unknown))}"}, 400
        cloud.delays.update(given)
        return cloud.delays

    @app.post("/_control/save/<name>")
    def save(name: str) -> Any:
        """Keep the cloud as it is now."""
        saved[name] = cloud.save()
        return {}

    @app.post("/_control/restore/<name>")
    def restore(name: str) -> Any:
        """Be as it was."""
        if name not in saved:
            return {"error": f"nothing is saved as {name!r}"}, 404
        cloud.restore(saved[name])
        cloud.requests.clear()
        return {}

    @app.get("/_control/requests")
    def requests() -> Any:
        """How often each call came since the start, or since it was restored."""
        return dict(cloud.requests)

    @app.post("/_control/populate")
    def populate() -> Any:
        """So many more (``count``) like a ``server`` or a ``network`` that is there."""
        given = request.get_json()
        with cloud.lock:
            cloud.tick()
            if "server" in given:
                more_servers(cloud, given["server"], given["count"])
            else:
                more_networks(cloud, given["network"], given["count"])
        return {}

    @app.get("/_control/blobs/<type_>/<id_>")
    def blob(type_: str, id_: str) -> Any:
        """Where the bytes of an image, a volume or a server's disk are, for who proves them."""
        owners: dict[str, Any] = {"image": cloud.image, "volume": cloud.volume, "server": cloud.compute}
        with cloud.lock:
            cloud.tick()
            name = owners[type_].blob(id_)
        return {"path": str(cloud.blobs.path(name)) if name else None}


def serve(cloud: EmbeddedCloud, port: int = 0) -> BaseWSGIServer:
    """Listen on the loopback (port 0: any that is free) and answer in threads until ``shutdown`` is called."""
    server = make_server("127.0.0.1", port, make_app(cloud), threaded=True, request_handler=Handler)
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
