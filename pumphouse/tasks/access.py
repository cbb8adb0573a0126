"""Let our account work in a project of the destination for as long as the migration takes."""

from __future__ import annotations

from threading import Lock

from pumphouse.clouds.errors import is_missing
from pumphouse.resources.identity.opening import Opening
from pumphouse.resources.identity.project import disabled_above
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context

OPENING = Opening()
_LOCK = Lock()


class EnterProject(Task):
    """Give our account its own administrator's role on a project: servers and volumes are made from within.

    The role is noted as temporary of the whole migration, and taken away at its end. So is that a project is
    enabled which stays disabled in the end, as it is in the source: Keystone lets nobody into such a one.
    """

    def __init__(self, project_id: str) -> None:
        """``project_id`` in the source."""
        super().__init__(project_id)
        self.project_id = project_id

    def execute(self, context: Context) -> None:
        """Where the account has the role already, nothing is done (and nothing taken away later)."""
        project, whole = context.counterpart("project", self.project_id), context.of_migration()
        with _LOCK:
            self._open(whole, project)
            self._join(whole, project)

    def _open(self, whole: Context, project: str) -> None:
        """The topmost first; closed again in the opposite order."""
        for type_, id_ in disabled_above(whole.destination, project):
            opening = f"{type_}/{id_}"
            whole.note_temporary("destination", OPENING.type, opening, f"{type_[:-1]} {id_}, enabled for a while")
            OPENING.create(whole.destination, {"id": opening})

    def _join(self, whole: Context, project: str) -> None:
        cloud = whole.destination
        roles = [role for role in cloud.roles if role["name"] == "admin"] or cloud.roles
        for role in roles:
            try:
                cloud.identity.roles.check(role["id"], user=cloud.user_id, project=project)
            except Exception as error:
                if not is_missing(error):
                    raise
                id_ = f"{cloud.user_id}/{project}/{role['id']}"
                whole.note_temporary("destination", "assignment", id_, f"{role['name']} for Pumphouse's account")
                cloud.identity.roles.grant(role["id"], user=cloud.user_id, project=project)
