"""What was done to each server, by whom, and how it went (``os-instance-actions``)."""

from __future__ import annotations

from flask import g, request

from pumphouse.embedded.compute.hosts import Hosts
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.compute.views import host_id
from pumphouse.embedded.service import RefusedError, paged, route

FIELDS = ("action", "instance_uuid", "request_id", "user_id", "project_id", "start_time", "message")


class History(Hosts):
    """The log of actions."""

    def note(self, server: Json, action: str, event: str | None = None, done: bool = True) -> int:
        """Write down what the request does to a server. Returns where, for :meth:`noted`.

        ``done``: it is done at once.
        """
        log = self.state.actions.setdefault(server["id"], [])
        moment = long(now())
        log.append(
            {
                "action": action,
                "instance_uuid": server["id"],
                "request_id": g.request_id,
                "user_id": self.token.user_id,
                "project_id": self.token.project_id,
                "start_time": moment,
                "updated_at": moment,
                "message": None,
                "events": [],
            }
        )
        if event and done:
            self.noted(server, len(log) - 1, event)
        return len(log) - 1

    def noted(self, server: Json, place: int, event: str, failure: str | None = None) -> None:
        """How an action ended: nothing to tell, or a failure."""
        action = self.state.actions[server["id"]][place]
        moment = long(now())
        action["updated_at"] = moment
        action["events"].append(
            {
                "event": event,
                "start_time": action["start_time"],
                "finish_time": moment,
                "result": "Error" if failure else "Success",
                "traceback": failure,
                "host": "vm" if event.startswith("api_") else server["host"],
                "details": failure,
            }
        )
        if failure:
            action["message"] = "Error"

    @route("GET", "/v2.1/servers/<id_>/os-instance-actions")
    def list_actions(self, id_: str) -> Json:
        """The newest first."""
        server = self._even_deleted(id_)
        self.demand("os-instance-actions:list", server["project_id"])
        found = list(reversed(self.state.actions.get(id_, [])))
        if not self.since(58):
            return {"instanceActions": [{field: action[field] for field in FIELDS} for action in found]}
        if since := request.args.get("changes-since"):
            found = [action for action in found if action["updated_at"] >= since]
        limit, marker = self.limits()
        page, _ = paged(found, limit, marker, "request_id")
        fields = (*FIELDS, "updated_at")
        told: Json = {"instanceActions": [{field: action[field] for field in fields} for action in page]}
        if links := self.next_links(f"servers/{id_}/os-instance-actions", page, limit, "request_id"):
            told["links"] = links
        return told

    @route("GET", "/v2.1/servers/<id_>/os-instance-actions/<request_id>")
    def show_action(self, id_: str, request_id: str) -> Json:
        """With its events; members are told of them from microversion 2.51 on."""
        server = self._even_deleted(id_)
        project = server["project_id"]
        self.demand("os-instance-actions:show", project)
        action = next((one for one in self.state.actions.get(id_, []) if one["request_id"] == request_id), None)
        if action is None:
            raise RefusedError(404, f"Action {request_id} not found")
        fields = (*FIELDS, "updated_at") if self.since(58) else FIELDS
        view = {field: action[field] for field in fields}
        if self.can("os-instance-actions:events", project) or self.since(51):
            view["events"] = [self._view_event(event, project) for event in action["events"]]
        return {"instanceAction": view}

    def _view_event(self, event: Json, project: str) -> Json:
        view = {field: event[field] for field in ("event", "start_time", "finish_time", "result")}
        all_of_it = self.can("os-instance-actions:events", project)
        if all_of_it:
            view["traceback"] = event["traceback"]
        if self.since(62):
            view |= {"host": event["host"]} if all_of_it else {}
            view["hostId"] = host_id(event["host"], project)
        if self.since(84) and self.can("os-instance-actions:events:details", project):
            view["details"] = event["details"]
        return view

    def _even_deleted(self, id_: str) -> Json:
        """A server that is gone tells its history from microversion 2.21 on."""
        gone = self.state.deleted.get(id_) if self.since(21) else None
        if gone and (self.token.admin or gone["project_id"] == self.token.project_id):
            return gone
        return self.visible(id_)
