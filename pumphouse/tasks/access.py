"""Let our account work in a project of the destination for as long as the migration takes."""

from __future__ import annotations

from threading import Lock

from pumphouse.clouds.errors import is_missing
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context

_LOCK = Lock()


class EnterProject(Task):
    """Give our account its own administrator's role on a project: servers and volumes are made from within.

    The role is noted as temporary of the whole migration, and taken away at its end.
    """

    def __init__(self, project_id: str) -> None:
        """``project_id`` in the source."""
        super().__init__(project_id)
        self.project_id = project_id

    def execute(self, context: Context) -> None:
        """Where the account has the role already, nothing is done (and nothing taken away later)."""
        cloud, project = context.destination, context.counterpart("project", self.project_id)
        roles = [role for role in cloud.roles if role["name"] == "admin"] or cloud.roles
        with _LOCK:
            for role in roles:
                try:
                    cloud.identity.roles.check(role["id"], user=cloud.user_id, project=project)
                except Exception as error:
                    if not is_missing(error):
                        raise
                    whole = context.of_migration()
                    id_ = f"{cloud.user_id}/{project}/{role['id']}"
                    whole.temporary("destination", "assignment", id_, f"{role['name']} for Pumphouse's account")
                    cloud.identity.roles.grant(role["id"], user=cloud.user_id, project=project)
