"""An embedded Nailgun, whole: the master, and its parts."""

from __future__ import annotations

from pathlib import Path

from pumphouse.embedded.nailgun.environments import Environments
from pumphouse.embedded.nailgun.keystone import Keystone
from pumphouse.embedded.nailgun.layout import Layout
from pumphouse.embedded.nailgun.master import Master, Part
from pumphouse.embedded.nailgun.nodes import Nodes
from pumphouse.embedded.nailgun.tasks import Tasks
from pumphouse.embedded.nailgun.work import Work


class Nailgun(Master):
    """One Fuel master node that answers."""

    def __init__(self, version: str, directory: Path, password: str) -> None:
        """``password``: of its one account."""
        super().__init__(version, directory)
        self.keystone, self.environments, self.nodes = Keystone(self, password), Environments(self), Nodes(self)
        self.layout, self.tasks, self.work = Layout(self), Tasks(self), Work(self)

    @property
    def parts(self) -> list[Part]:
        """All of them."""
        return [self.keystone, self.environments, self.nodes, self.layout, self.tasks, self.work]
