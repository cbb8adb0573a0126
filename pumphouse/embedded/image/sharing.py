"""With whom an image is shared, and its tags."""

from __future__ import annotations

from pumphouse.embedded.image import patch
from pumphouse.embedded.image.records import member, touch
from pumphouse.embedded.image.rights import Rights, forbidden
from pumphouse.embedded.service import Json, RefusedError, body, route

NOT_FOUND = "Image {} not found."
STATUSES = ("pending", "accepted", "rejected")
#: Glance's own quotas: of tags, properties and members of an image.
MOST = 128


class Sharing(Rights):
    """The part of the service about members and tags."""

    @route("GET", "/v2/images/<id_>/members")
    def list_members(self, id_: str) -> Json:
        """All, or for a member itself alone."""
        image = self._shared(id_, f"Not allowed to list members for image {id_}: Only shared images have members.")
        members = image["members"].values()
        if not (self.token.admin or image["owner"] == self.token.project_id):
            members = [one for one in members if one["member_id"] == self.token.project_id]
        return {"members": list(members), "schema": "/v2/schemas/members"}

    @route("POST", "/v2/images/<id_>/members")
    def add_member(self, id_: str) -> tuple[Json, int]:
        """Share it with one more project."""
        project = body().get("member")
        if project is None:
            raise RefusedError(400, "Member to be added not specified")
        if not project:
            raise RefusedError(400, "Member can't be empty")
        no = f"Not allowed to create members for image {id_}."
        image = self._shared(id_, no)
        self._by_owner(image, "add_member", no)
        if project in image["members"]:
            raise RefusedError(409, f"Member {project} is duplicated for image {id_}")
        full(f"Image member limit exceeded for image {id_}: ", "members", len(image["members"]) + 1)
        image["members"][project] = member(id_, project)
        return image["members"][project], 200

    @route("GET", "/v2/images/<id_>/members/<project>")
    def show_member(self, id_: str, project: str) -> Json:
        """One of them."""
        image = self.seen(id_, NOT_FOUND)
        if image["visibility"] != "shared":
            raise RefusedError(404, "Only shared images have members.")
        return self._member(image, project)

    @route("PUT", "/v2/images/<id_>/members/<project>")
    def answer_member(self, id_: str, project: str) -> Json:
        """The member's own answer to the offer; the owner cannot give it."""
        status = body().get("status")
        no = f"Not allowed to update members for image {id_}."
        image = self._shared(id_, no)
        if not self.token.admin and image["owner"] == self.token.project_id:
            raise RefusedError(403, no if self.zed else forbidden("modify_member"))
        membership = self._member(image, project)
        if status not in STATUSES:
            text = 'Incorrect request: Status must be "pending", "accepted" or "rejected".'
            raise RefusedError(400, text if status is not None else "Status not specified")
        membership["status"] = status
        touch(membership)
        return membership

    @route("DELETE", "/v2/images/<id_>/members/<project>")
    def remove_member(self, id_: str, project: str) -> None:
        """Share it with one project less."""
        no = f"Not allowed to delete members for image {id_}."
        image = self._shared(id_, no)
        self._by_owner(image, "delete_member", no)
        self._member(image, project)
        del image["members"][project]

    @route("PUT", "/v2/images/<id_>/tags/<path:tag>")
    def add_tag(self, id_: str, tag: str) -> None:
        """One more; there already, nothing is changed."""
        patch.valid({"tags": [tag]})
        image = self._taggable(id_, "update")
        if tag not in image["tags"]:
            full(f"Image tag limit exceeded for image {id_}: ", "tags", len(image["tags"]) + 1)
            image["tags"].append(tag)
            touch(image)

    @route("DELETE", "/v2/images/<id_>/tags/<path:tag>")
    def remove_tag(self, id_: str, tag: str) -> None:
        """One less."""
        image = self._taggable(id_, "delete")
        if tag not in image["tags"]:
            raise RefusedError(404, "")
        image["tags"].remove(tag)
        touch(image)

    def _taggable(self, id_: str, verb: str) -> Json:
        image = self.seen(id_, NOT_FOUND)
        try:
            self.must_own(image, "modify_image")
        except RefusedError as error:
            text = f"Not allowed to {verb} tags for image {id_}." if self.zed else error.message
            raise RefusedError(403, text) from None
        return image

    def _shared(self, id_: str, no: str) -> Json:
        image = self.seen(id_, NOT_FOUND)
        if image["visibility"] != "shared":
            raise RefusedError(403, no)
        return image

    def _by_owner(self, image: Json, rule: str, no: str) -> None:
        try:
            self.must_own(image, rule)
        except RefusedError as error:
            raise RefusedError(403, no if self.zed else error.message) from None

    def _member(self, image: Json, project: str) -> Json:
        """One membership, of those that whoever asks may know of."""
        allowed = self.token.admin or self.token.project_id in (image["owner"], project)
        if project not in image["members"] or not allowed:
            raise RefusedError(404, f"{project} not found in the member list of the image {image['id']}.")
        found: Json = image["members"][project]
        return found


def full(before: str, what: str, count: int) -> None:
    """Refuse more than Glance keeps of something."""
    if count > MOST:
        text = f"The limit has been exceeded on the number of allowed image {what}. Attempted: {count}, Maximum: {MOST}"
        raise RefusedError(413, f"{before}{text}")
