"""What the tasks share: removing what was made."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pumphouse.errors import CloudError
from pumphouse.tasks.context import delete_and_wait


def test_a_server_that_fails_to_be_deleted_is_not_waited_for():
    """Nova deletes a failed server, too: its state stays ERROR until it is gone."""
    server = {"id": "s", "name": "web", "status": "ERROR", "OS-EXT-STS:task_state": "deleting"}
    looks = []

    def get(cloud, id_):
        looks.append(id_)
        if len(looks) > 1:
            server.update({"OS-EXT-STS:task_state": None, "fault": {"message": "the host is down"}})
        return server

    type_ = SimpleNamespace(type="server", delete=lambda *_: None, get=get)
    with pytest.raises(CloudError, match="to be deleted: ERROR: the host is down"):
        delete_and_wait(type_, None, "s")
