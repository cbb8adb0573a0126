"""What somebody may do in the end: roles that are had by groups, from above, and by being implied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pumphouse.embedded.identity.base import IdentityBase
from pumphouse.embedded.identity.model import Grant, Json


class Effective(IdentityBase):
    """Answers about roles and the tree of projects."""

    def above(self, id_: str) -> Iterator[str]:
        """The projects above one, up to and with its domain."""
        while parent := self.state.projects.get(id_, {}).get("parent_id"):
            yield parent
            id_ = parent

    def open(self, id_: str) -> bool:
        """Whether a project or domain is enabled, and its domain."""
        project = self.state.projects.get(id_)
        if project is None or not project["enabled"]:
            return False
        return project["is_domain"] or bool(self.state.projects[project["domain_id"]]["enabled"])

    def grants_on(self, user_id: str, kind: str, target: str) -> Iterator[Grant]:
        """Assignments that hold for a user on a project, domain or the system, by whatever way."""
        above = set(self.above(target)) if kind == "project" else set()
        actors = [("user", user_id), *(("group", group) for group in self.state.groups_of.get(user_id, ()))]
        for actor in actors:
            for grant in self.state.grants.of(*actor):
                if grant.inherited:
                    if grant.target in above:
                        yield grant
                elif (grant.where, grant.target) == (kind, target):
                    yield grant

    def implied_by(self, roles: Iterable[str]) -> list[str]:
        """These roles and all that follow from them."""
        found = dict.fromkeys(roles)
        todo = list(found)
        while todo:
            for implied in self.state.implied.get(todo.pop(), ()):
                if implied not in found:
                    found[implied] = None
                    todo.append(implied)
        return list(found)

    def roles_on(self, user_id: str, kind: str, target: str) -> dict[str, Json]:
        """The roles that a token gets: those of domains are only good for what they imply."""
        ids = self.implied_by(grant.role for grant in self.grants_on(user_id, kind, target))
        roles = {id_: self.state.roles[id_] for id_ in ids}
        return {id_: role for id_, role in roles.items() if role["domain_id"] is None}

    def subtree(self, id_: str) -> list[str]:
        """All below a project, what lies higher first."""
        found = list(self.state.below.get(id_, ()))
        for below in found:
            found += self.state.below.get(below, ())
        return found

    def projects_of(self, user_id: str) -> list[str]:
        """Ids of the projects on which a user has a role in the end."""
        found: dict[str, None] = {}
        actors = [("user", user_id), *(("group", group) for group in self.state.groups_of.get(user_id, ()))]
        for grant in (grant for actor in actors for grant in self.state.grants.of(*actor)):
            if grant.inherited:
                found |= dict.fromkeys(self.subtree(grant.target))
            elif grant.where == "project":
                found[grant.target] = None
        return list(found)
