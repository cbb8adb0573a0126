"""What all collections of the Networking API have in common: the five calls, tags, who may see and change what."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from flask import request

from pumphouse.embedded.network import attributes as attrs
from pumphouse.embedded.network import queries
from pumphouse.embedded.network.errors import forbidden, invalid, malformed, missing
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.network.tables import Table
from pumphouse.embedded.service import Json, RefusedError, Route

if TYPE_CHECKING:
    from pumphouse.embedded.identity.tokens import Token

Call = tuple[Route, Callable[..., Any]]

#: What every resource with a row of its own in Neutron's table of standard attributes has.
STANDARD = ("description", "tags", "created_at", "updated_at", "revision_number")


def now() -> str:
    """This moment, as Neutron writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Resource(Part):
    """One collection."""

    #: As lists are called in answers and in the state: "security_groups".
    collection: ClassVar[str]
    singular: ClassVar[str]
    #: In the URL: "security-groups".
    path: ClassVar[str]
    #: What Neutron calls one that is not there: its exception, and the words.
    gone: ClassVar[tuple[str, str]]
    attributes: ClassVar[attrs.Attributes]
    #: Which of STANDARD it has.
    standard: ClassVar[tuple[str, ...]] = STANDARD
    #: Only operators see these fields.
    secret: ClassVar[frozenset[str]] = frozenset()
    #: Whether pages have links to the others.
    linked: ClassVar[bool] = True
    #: Only operators make and change them.
    operators: ClassVar[bool] = False
    #: What it is called among the quotas; "" where it is not counted.
    quota: ClassVar[str] = ""
    #: Filters that are no attributes.
    filters: ClassVar[tuple[str, ...]] = ()

    # --- what it works with

    @property
    def table(self) -> Table:
        """All rows."""
        return self.service.state.tables[self.collection]

    @property
    def token(self) -> Token:
        """Who asks."""
        return self.service.token

    def known(self) -> dict[str, attrs.Attribute]:
        """The attributes that this cloud's extensions have."""
        have = self.service.extensions
        found = {n: a for n, a in self.attributes.items() if not a.extension or a.extension in have}
        if "description" in self.standard:
            found.setdefault("description", attrs.DESCRIPTION)
        return found

    # --- the calls

    def calls(self) -> list[Call]:
        """What it answers to."""
        one, all_ = f"/v2.0/{self.path}/<id_>", f"/v2.0/{self.path}"
        found: list[Call] = [
            (Route("GET", all_, False, False), self.index),
            (Route("POST", all_, False, False), self.create),
            (Route("GET", one, False, False), self.show),
            (Route("PUT", one, False, False), self.update),
            (Route("DELETE", one, False, False), self.delete),
        ]
        if "tags" in self.standard:
            tags = f"/v2.0/{self.path.rpartition('/')[2]}/<id_>/tags"
            found += [
                (Route("GET", tags, False, False), self.tags),
                (Route("PUT", tags, False, False), self.set_tags),
                (Route("DELETE", tags, False, False), self.clear_tags),
                (Route("GET", f"{tags}/<tag>", False, False), self.has_tag),
                (Route("PUT", f"{tags}/<tag>", False, False), self.add_tag),
                (Route("DELETE", f"{tags}/<tag>", False, False), self.remove_tag),
            ]
        return found

    def index(self) -> Json:
        """GET of the collection."""
        names = {*self.known(), *attrs.OWNER, *self.standard, "id", *self.filters}
        asked = queries.filters(names)
        found = [row for row in self.candidates(asked) if self.visible(row) and self.matches(row, asked)]
        found = queries.page(queries.ordered(found, names), self.seen)
        body: Json = {self.collection: [self.answer(row, queries.fields(), self.listed) for row in found]}
        if queries.limit() and self.linked:
            body[f"{self.collection}_links"] = queries.links(found, f"{self.service.url}/v2.0/{self.path}")
        return body

    def show(self, id_: str) -> Json:
        """GET of one."""
        return {self.singular: self.answer(self.seen(id_), queries.fields())}

    def create(self) -> Any:
        """POST of one, or of several at once."""
        given = request.get_json(force=True, silent=True)
        if isinstance(given, dict) and isinstance(given.get(self.collection), list):
            return {self.collection: self._create_all(given[self.collection])}, 201
        row = self.make(*self.read(attrs.envelope(given, self.singular)))
        return {self.singular: self.answer(row, view=self.made)}, 201

    def update(self, id_: str) -> Json:
        """PUT."""
        row = self.seen(id_)
        given = attrs.envelope(request.get_json(force=True, silent=True), self.singular)
        attrs.known(self.known(), given)
        wanted = attrs.changes(self.known(), given)
        self.may_change(row, "update", wanted)
        self.alter(row, wanted)
        self.touch(row)
        return {self.singular: self.answer(row)}

    def delete(self, id_: str) -> None:
        """DELETE."""
        row = self.seen(id_)
        self.may_change(row, "delete", {})
        self.erase(row)

    def _create_all(self, given: Iterable[Json]) -> list[Json]:
        made: list[Json] = []
        try:
            made += [self.make(*self.read(one)) for one in given]
        except RefusedError:
            for row in made:
                self.erase(row)
            raise
        return [self.answer(row, view=self.made) for row in made]

    # --- what is overridden

    def make(self, project_id: str, wanted: Json) -> Json:
        """Make one; ``wanted`` is complete. Returns its row."""
        return self.keep({"id": str(uuid.uuid4()), "project_id": project_id, **wanted})

    def alter(self, row: Json, wanted: Json) -> None:
        """Change one."""
        self.table.change(row, **wanted)

    def erase(self, row: Json) -> None:
        """Remove one."""
        self.forget(row["id"])

    def view(self, row: Json) -> Json:
        """All that an operator sees of it."""
        shown = {name: value for name, value in row.items() if not name.startswith("_")}
        shown["tenant_id"] = row["project_id"]
        return shown

    def made(self, row: Json) -> Json:
        """What the answer to POST shows of it."""
        return self.view(row)

    def listed(self, row: Json) -> Json:
        """What lists show of it."""
        return self.view(row)

    def visible(self, row: Json) -> bool:
        """Whether who asks may see it."""
        return self.mine(row) or self.service.shares(row["id"])

    def changeable(self, row: Json) -> bool:
        """Whether who asks may change what he sees."""
        return self.mine(row)

    def matches(self, row: Json, asked: dict[str, list[str]]) -> bool:
        """Whether it is what a query asks for."""
        shown = row if all(name in row for name in asked) else None
        for name, values in asked.items():
            if name in queries.TAG_FILTERS:
                if not queries.tagged(row.get("tags", []), name, values):
                    return False
                continue
            shown = shown or self.view(row)
            if not queries.equal(shown.get(name), values):
                return False
        return True

    # --- who may what

    def mine(self, row: Json) -> bool:
        """Whether it is the asker's, or all are."""
        return self.token.admin or row["project_id"] == self.token.project_id

    def seen(self, id_: str) -> Json:
        """The row, if it is there for who asks."""
        row = self.table.get(id_)
        if row is None or not self.visible(row):
            raise self.not_there(id_)
        return row

    def not_there(self, id_: str) -> RefusedError:
        """In Neutron's words."""
        type_, words = self.gone
        return missing(type_, words.format(id_))

    def read(self, given: Json) -> tuple[str, Json]:
        """Of a POST: the owner, and what it is to be. Refuses what may not be."""
        attrs.known(self.known(), given)
        project = self.owner(given)
        wanted = attrs.complete(self.known(), given)
        self.may_write("create", given)
        return project, wanted

    def owner(self, given: Json) -> str:
        """The project that it is to belong to."""
        named = {given[name] for name in attrs.OWNER if given.get(name) is not None}
        if len(named) > 1:
            raise malformed("'project_id' and 'tenant_id' do not match")
        project = str(named.pop()) if named else str(self.token.project_id or "")
        if project != self.token.project_id and not self.token.admin:
            raise malformed("Specifying 'project_id' or 'tenant_id' other than the authenticated project in request "
                            "requires admin privileges")  # fmt: skip
        return project

    def may_write(self, action: str, said: Json) -> None:
        """Refuse (403) what only an operator, or nobody who only reads, may do."""
        if self.token.admin:
            return
        if self.operators or not self.service.writer():
            raise forbidden(f"rule:{action}_{self.singular}")
        attrs.permitted(self.known(), said, f"{action}_{self.singular}", making=action == "create")

    def may_change(self, row: Json, action: str, said: Json) -> None:
        """Refuse (403) to change what is only seen."""
        if not self.changeable(row):
            raise forbidden(f"rule:{action}_{self.singular}")
        self.may_write(action, said)

    # --- rows

    def candidates(self, asked: dict[str, list[str]]) -> Iterable[Json]:
        """Rows among which are all that match."""
        if "id" in asked:
            return [row for id_ in dict.fromkeys(asked["id"]) if (row := self.table.get(id_))]
        asked = {**asked, **({"project_id": asked["tenant_id"]} if "tenant_id" in asked else {})}
        counted = [
            (sum(self.table.count(name, value) for value in asked[name]), name)
            for name in self.table.indexed
            if name in asked and name not in ("qos_policy_id",)
        ]
        return self.table.where(min(counted)[1], *asked[min(counted)[1]]) if counted else [*self.table]

    def keep(self, row: Json, counted: bool = True) -> Json:
        """Add a new row, within the quota, with what all resources have."""
        if self.quota and counted:
            self.service.quotas.check(self.quota, row["project_id"], 1)
        self.service.state.numbers += 1
        moment = now()
        new = {"description": "", "tags": [], "created_at": moment, "updated_at": moment, "revision_number": 0}
        row = {**row, "_number": self.service.state.numbers}
        for name in self.standard:
            row.setdefault(name, new[name])
        return self.table.add(row)

    def touch(self, row: Json) -> None:
        """Note that it was changed."""
        if "revision_number" in row:
            row["revision_number"] += 1
            row["updated_at"] = now()

    def forget(self, id_: str) -> None:
        """Take it out, with what says who may use it."""
        self.table.remove(id_)
        policies = self.service.state.tables["rbac_policies"]
        for policy in policies.where("object_id", id_):
            policies.remove(policy["id"])

    def answer(self, row: Json, only: Iterable[str] = (), view: Callable[[Json], Json] | None = None) -> Json:
        """What who asks is shown."""
        shown = (view or self.view)(row)
        if not self.token.admin:
            shown = {name: value for name, value in shown.items() if name not in self.secret}
        return {name: shown[name] for name in only if name in shown} if only else shown

    # --- tags

    def _tagged(self, id_: str) -> Json:
        row = self.table.get(id_)
        if row is None or not self.visible(row):
            words = f"Resource {self.collection} {id_} could not be found."
            raise missing("TagResourceNotFound", words)
        return row

    def tags(self, id_: str) -> Json:
        """GET of all."""
        return {"tags": self._tagged(id_)["tags"]}

    def set_tags(self, id_: str) -> Json:
        """PUT of all."""
        given = request.get_json(force=True, silent=True)
        tags = given.get("tags") if isinstance(given, dict) else None
        if not isinstance(tags, list):
            raise invalid("Invalid tags body")
        if several := sorted({tag for tag in tags if tags.count(tag) > 1}):
            raise invalid(f"Duplicate items in the list: '{', '.join(several)}'")
        self._tag(id_, tags)
        return {"tags": tags}

    def clear_tags(self, id_: str) -> None:
        """DELETE of all."""
        self._tag(id_, [])

    def has_tag(self, id_: str, tag: str) -> None:
        """GET of one."""
        if tag not in self._tagged(id_)["tags"]:
            raise missing("TagNotFound", f"Tag {tag} could not be found.")

    def add_tag(self, id_: str, tag: str) -> Any:
        """PUT of one."""
        self._tag(id_, [*self._tagged(id_)["tags"], tag])
        return None, 201

    def remove_tag(self, id_: str, tag: str) -> None:
        """DELETE of one."""
        self.has_tag(id_, tag)
        self._tag(id_, [one for one in self._tagged(id_)["tags"] if one != tag])

    def _tag(self, id_: str, tags: Iterable[str]) -> None:
        row = self._tagged(id_)
        self.may_change(row, "update", {})
        row["tags"] = sorted(dict.fromkeys(tags))
        self.touch(row)
