"""The HTTP server of an embedded Nailgun, and the calls by which tests steer it (``/_control``)."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, make_server

from pumphouse.embedded.connections import Handler
from pumphouse.embedded.faults import FaultyApp
from pumphouse.embedded.nailgun.agent import Machine
from pumphouse.embedded.nailgun.whole import Nailgun
from pumphouse.embedded.nailgun.wording import refusal
from pumphouse.embedded.service import RefusedError


def make_app(master: Nailgun) -> Flask:
    """All calls, and the control."""
    app = Flask(__name__)
    for part in master.parts:
        app.register_blueprint(part.blueprint())

    @app.before_request
    def before() -> Response | None:
        rule = request.url_rule.rule if request.url_rule else request.path
        with master.lock:
            master.requests[f"{request.method} {rule}"] += 1
        if refuse := request.environ.get("pumphouse.refuse"):
            return refusal(master.flavour, RefusedError(*refuse))
        return None

    @app.errorhandler(404)
    def missing(_: Exception) -> Response:
        return Response("not found", status=404, content_type="text/html")

    @app.errorhandler(405)
    def forbidden(_: Exception) -> Response:
        return Response("None", status=405, content_type="text/html")

    app.wsgi_app = _Versioned(FaultyApp(app.wsgi_app, master.faults, master.keystone.revoke))  # type: ignore[assignment,method-assign]
    _control(app, master)
    return app


class _Versioned:
    """/api/v1 is /api."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"]
        if path.startswith("/api/v1/"):
            environ["PATH_INFO"] = "/api" + path.removeprefix("/api/v1")
        return self._app(environ, start)


def _control(app: Flask, master: Nailgun) -> None:
    saved: dict[str, bytes] = {}

    @app.post("/_control/faults")
    def faults() -> Any:
        """A list of faults, in the place of those before."""
        master.faults.clear()
        try:
            for fields in request.get_json():
                master.faults.add(**fields)
        except ValueError as error:
            return {"error": str(error)}, 400
        return {}

    @app.post("/_control/delays")
    def delays() -> Any:
        """Seconds that things take from now on."""
        given = request.get_json()
        if unknown := set(given) - set(master.delays):
            return {"error": f"delays are {', '.join(master.delays)}, not {', '.join(sorted(unknown))}"}, 400
        master.delays.update(given)
        return master.delays

    @app.post("/_control/save/<name>")
    def save(name: str) -> Any:
        """Keep it as it is now."""
        saved[name] = master.save()
        return {}

    @app.post("/_control/restore/<name>")
    def restore(name: str) -> Any:
        """Be as it was."""
        if name not in saved:
            return {"error": f"nothing is saved as {name!r}"}, 404
        master.restore(saved[name])
        master.requests.clear()
        return {}

    @app.get("/_control/requests")
    def requests() -> Any:
        """How often each call came since the start, or since it was restored."""
        return jsonify(dict(master.requests))

    @app.get("/_control/boot")
    def boot() -> Response:
        """For a machine whose boot loader asks for it (``?mac=&ip=``): an agent speaks for it; iPXE waits.

        ``ip``: one that Fuel gives out, where it is not given.
        """
        mac = request.args.get("mac", "").replace("-", ":").lower()
        ip = request.args.get("ip") or f"10.20.0.{129 + int(mac[-2:], 16) % 120}"
        threading.Thread(target=Machine(mac, ip).boots, args=(master.url,), daemon=True).start()
        return Response("#!ipxe\necho discovered\nsleep 3600\n", content_type="text/plain")


def serve(master: Nailgun, port: int = 0) -> BaseWSGIServer:
    """Listen on the loopback (port 0: any that is free) and answer in threads until ``shutdown`` is called."""
    server = make_server("127.0.0.1", port, make_app(master), threaded=True, request_handler=Handler)
    master.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
