"""Who sees an image, and who may do what with it: Glance's default policies in both releases."""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import ClassVar

from flask import Response, jsonify, request

from pumphouse.embedded.identity.tokens import Token
from pumphouse.embedded.image.records import State
from pumphouse.embedded.service import Json, RefusedError, Service

#: Where Glance's words for a status are not those of Python's library.
TITLES = {413: "Request Entity Too Large", 416: "Request Range Not Satisfiable"}
#: What Glance says where nobody says more.
USUAL = {404: "The resource could not be found."}
#: What it says to those without a token, whatever is said.
STRANGER = (
    "This server could not verify that you are authorized to access the document you requested. Either you supplied "
    "the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials "
    "required."
)
PAGE = """<html>
 <head>
  <title>{status}</title>
 </head>
 <body>
  <h1>{status}</h1>
  {text}<br /><br />



 </body>
</html>"""


class Rights(Service):
    """What all parts of the service ask."""

    type: ClassVar[str] = "image"
    root: ClassVar[str] = "/image"
    state: State

    def fresh(self) -> State:
        """No images."""
        return State()

    @property
    def zed(self) -> bool:
        """Until then the owner's roles did not matter, nor what was uploaded."""
        return self.cloud.release.name == "zed"

    def refusal(self, error: RefusedError) -> Response:
        """A page of HTML, or JSON for those who accept nothing else."""
        response = _page(error)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.cloud.identity.url}/v3"'
        response.status_code = error.status
        return response

    def sees(self, token: Token, image: Json) -> bool:
        """Whether somebody can get an image; in lists there may be fewer."""
        if token.admin:
            return True
        if not (self.zed or token.has("reader")):
            return False
        if image["visibility"] in ("public", "community") or image["owner"] in (None, token.project_id):
            return True
        return image["visibility"] == "shared" and token.project_id in image["members"]

    def seen(self, id_: str, otherwise: str = "No image found with ID {}") -> Json:
        """The record of an image that whoever asks can get; refuses with 404."""
        image = self.state.images.get(id_)
        if image is None or not self.sees(self.token, image):
            raise RefusedError(404, otherwise.format(id_))
        return image

    def changeable(self, id_: str, rule: str = "modify_image", otherwise: str = "No image found with ID {}") -> Json:
        """The record of an image that whoever asks may change; refuses with 404 or 403."""
        image = self.seen(id_, otherwise)
        self.must_own(image, rule)
        return image

    def must_own(self, image: Json, rule: str) -> None:
        """Refuse to those who are not of the owner."""
        owns = image["owner"] is not None and image["owner"] == self.token.project_id
        if self.token.admin or (owns and (self.zed or self.token.has("member"))):
            return
        raise RefusedError(403, "You do not own this image" if self.zed else forbidden(rule))

    def may_show(self, visibility: str) -> None:
        """Refuse public images to all but administrators."""
        if visibility == "public" and not self.token.admin:
            raise RefusedError(403, forbidden("publicize_image"))


def forbidden(rule: str) -> str:
    """What a policy says."""
    return f"You are not authorized to complete {rule} action."


def _page(error: RefusedError) -> Response:
    title = TITLES.get(error.status) or HTTPStatus(error.status).phrase
    status = f"{error.status} {title}"
    text = error.message or USUAL.get(error.status, title)
    if error.status == 401:
        text = STRANGER
    elif error.status == 415:
        text = f"The request media type {request.content_type} is not supported by this server."
    accepted = request.accept_mimetypes
    if not accepted or "text/html" in accepted:
        return Response(PAGE.format(status=status, text=_escaped(text)), content_type="text/html; charset=UTF-8")
    if "application/json" in accepted:
        return jsonify({"message": f"{text}<br /><br />\n\n\n", "code": status, "title": title})
    return Response(f"{status}\n\n{text}\n\n\n", content_type="text/plain; charset=UTF-8")


def _escaped(text: str) -> str:
    """As it can stand in a page of ASCII."""
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode()
