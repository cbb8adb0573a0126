"""An image's bytes: PUT and GET ``file``, staging, imports, and whether they may be used."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from flask import Response, request
from werkzeug.exceptions import HTTPException

from pumphouse.embedded.blobs import CHUNK
from pumphouse.embedded.image import formats
from pumphouse.embedded.image.records import STORE, touch
from pumphouse.embedded.image.rights import Rights
from pumphouse.embedded.service import Json, RefusedError, body, route

IMPORT_METHODS = ("glance-direct", "web-download", "glance-download", "copy-image")
OCTETS = "application/octet-stream"
#: Of os_hash_value.
ALGORITHM = "sha512"
#: Properties by which an image tells of its import.
IMPORTING, FAILED, TASK = "os_glance_importing_to_stores", "os_glance_failed_import", "os_glance_import_task"
#: Seconds between two looks at what takes long.
LOOK = 0.1
#: What an image is without its bytes.
EMPTY: Json = {
    "size": None,
    "virtual_size": None,
    "checksum": None,
    "os_hash_algo": None,
    "os_hash_value": None,
    "blob": None,
    "staged": None,
}


class Data(Rights):
    """The part of the service that bytes go through. Its handlers lock for moments only."""

    @route("PUT", "/v2/images/<id_>/file", streams=True)
    def upload(self, id_: str) -> None:
        """Take the bytes; an image whose upload breaks off is queued again."""
        _only_octets()
        with self.cloud.lock:
            image = self.changeable(id_, "upload_image")
            self._begin(image, "saving")
        digests = {name: hashlib.new(name, usedforsecurity=False) for name in ("md5", ALGORITHM)}
        blob = self._received(id_, digests)
        with self.cloud.lock:
            image = self._still(id_, "saving")
            if self.cloud.faults.fails("image"):
                image["status"] = "killed"
                raise RefusedError(500, "The server has either erred or is incapable of performing the request.")
            hashes = {name: digest.hexdigest() for name, digest in digests.items()}
            try:
                self._activate(image, blob, hashes, must_match=not self.zed)
            except RefusedError:
                self._requeue(id_)
                raise

    @route("GET", "/v2/images/<id_>/file", streams=True)
    def download(self, id_: str) -> Response:
        """Give the bytes, all or a range."""
        with self.cloud.lock:
            image = dict(self.seen(id_))
        if image["status"] == "deactivated" and not self.token.admin:
            text = "The requested image has been deactivated. Image data download is forbidden."
            raise RefusedError(403, text)
        if image["blob"] is None:
            return Response(status=204, content_type="text/html; charset=UTF-8")
        start, end = _range(request.headers.get("Range"), image["size"])
        response = Response(self.cloud.blobs.read(image["blob"], start, end - start), content_type=OCTETS)
        response.headers["Content-MD5"] = image["checksum"]
        response.headers["Content-Length"] = str(end - start)
        if "Range" in request.headers:
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{image['size']}"
        return response

    @route("PUT", "/v2/images/<id_>/stage", streams=True)
    def stage(self, id_: str) -> None:
        """Take bytes that an import makes the image's."""
        _only_octets()
        with self.cloud.lock:
            self._begin(self.changeable(id_), "uploading")
        blob = self._received(id_, {})
        with self.cloud.lock:
            image = self._still(id_, "uploading")
            image.update(staged=blob, size=self.cloud.blobs.size(blob))
            touch(image)

    @route("POST", "/v2/images/<id_>/import")
    def import_(self, id_: str) -> Response:
        """Begin to make staged bytes the image's."""
        given = body()
        method = given.get("method")
        if not isinstance(method, dict):
            raise RefusedError(400, "Import request requires a 'method' field.")
        if "name" not in method:
            raise RefusedError(400, "Import request requires a 'name' field.")
        if method["name"] not in IMPORT_METHODS:
            raise RefusedError(400, f"Unknown import method name '{method['name']}'.")
        image = self.seen(id_)
        _importable(image, method["name"])
        self.must_own(image, "modify_image")
        if method["name"] != "glance-direct":
            raise RefusedError(400, f"URI for {method['name']} does not pass filtering: {method.get('uri')}")
        image["status"] = "importing"
        image["properties"] |= {TASK: str(uuid.uuid4()), IMPORTING: STORE, FAILED: ""}
        touch(image)
        self.cloud.later("image", self, "imported", id_)
        return Response(status=202, content_type="text/html; charset=UTF-8")

    @route("POST", "/v2/images/<id_>/actions/deactivate")
    def deactivate(self, id_: str) -> None:
        """Let none but administrators have the bytes."""
        self._switch(id_, "deactivate", "active", "deactivated")

    @route("POST", "/v2/images/<id_>/actions/reactivate")
    def reactivate(self, id_: str) -> None:
        """Let them have the bytes again."""
        self._switch(id_, "reactivate", "deactivated", "active")

    def fill(self, id_: str, blob: str) -> None:
        """Make a blob the bytes of an image that another service made; of one that has gone nothing is said.

        It is active then, but for large ones: they are "saving" for a while.
        """
        image = self.state.images.get(id_)
        if image is None:
            return
        if self.cloud.faults.fails("image"):
            image["status"] = "killed"
            return
        image["status"] = "saving"
        self.filled(id_, blob)

    def filled(self, id_: str, blob: str) -> None:
        """The end of that, or another look."""
        image = self.state.images.get(id_)
        if image is None or image["status"] != "saving":
            return
        blobs = self.cloud.blobs
        hashes = blobs.derived.soon(("hashes", blob), blobs.size(blob), lambda: self._hashes(blob))
        if hashes is None:
            self.cloud.timers.add(LOOK, self.type, "filled", id_, blob)
        else:
            self._activate(image, blob, hashes, must_match=False)

    def imported(self, id_: str) -> None:
        """The end of an import."""
        image = self.state.images.get(id_)
        if image is None or image["status"] != "importing":
            return
        blob = image["staged"]
        image["staged"] = None
        image["properties"] |= {IMPORTING: ""}
        del image["properties"][TASK]
        try:
            self._activate(image, blob, self._hashes(blob), must_match=not self.zed)
        except RefusedError:
            image["properties"][FAILED] = STORE
            self._requeue(id_)

    def _begin(self, image: Json, status: str) -> None:
        """Refuse bytes for an image that has some, or does not say what they are."""
        if image["status"] != "queued":
            text = f"Image status transition from {image['status']} to {status} is not allowed"
            raise RefusedError(409, text)
        missing = [name for name in ("disk_format", "container_format") if not image[name]]
        if missing and status == "saving":
            what = "Property" if len(missing) == 1 else "Properties"
            raise RefusedError(400, f"{what} {', '.join(missing)} must be set prior to saving data.")
        image["status"] = status
        touch(image)

    def _received(self, id_: str, digests: dict[str, hashlib._Hash]) -> str:
        """A blob of the request's body."""

        def chunks() -> Iterator[bytes]:
            while chunk := request.stream.read(CHUNK):
                for digest in digests.values():
                    digest.update(chunk)
                yield chunk

        try:
            return self.cloud.blobs.write(chunks())
        except (OSError, HTTPException):  # the client has gone
            with self.cloud.lock:
                self._requeue(id_)
            raise RefusedError(400, "The upload broke off.") from None

    def _still(self, id_: str, status: str) -> Json:
        """The record when the bytes have come."""
        image = self.state.images.get(id_)
        if image is None or image["status"] != status:
            text = (
                f"Image {id_} could not be found after upload. The image may have been deleted during the upload, "
                "cleaning up the chunks uploaded."
            )
            raise RefusedError(410, text)
        return image

    def _requeue(self, id_: str) -> None:
        """It has no bytes, and waits for some."""
        if image := self.state.images.get(id_):
            image.update(EMPTY, status="queued")
            touch(image)

    def _hashes(self, blob: str) -> dict[str, str]:
        """Both at once."""
        names = ("md5", ALGORITHM)
        with ThreadPoolExecutor(len(names)) as pool:
            found = pool.map(lambda name: self.cloud.blobs.digest(blob, name), names)
            return dict(zip(names, found, strict=True))

    def _activate(self, image: Json, blob: str, hashes: dict[str, str], must_match: bool) -> None:
        """Refuses bytes that are not what the image says, if they must be."""
        image["virtual_size"] = formats.virtual_size(self.cloud.blobs, blob, image, must_match)
        image.update(
            status="active",
            size=self.cloud.blobs.size(blob),
            checksum=hashes["md5"],
            os_hash_algo=ALGORITHM,
            os_hash_value=hashes[ALGORITHM],
            blob=blob,
        )
        touch(image)

    def _switch(self, id_: str, action: str, before: str, after: str) -> None:
        image = self.changeable(id_, action)
        if image["status"] not in (before, after):
            raise RefusedError(403, f"Not allowed to {action} image in status '{image['status']}'")
        if image["status"] == before:
            image["status"] = after
            touch(image)


def _only_octets() -> None:
    given = (request.content_type or "").partition(";")[0].strip()
    if given != OCTETS:
        raise RefusedError(415, f"Invalid content type {given}")


def _importable(image: Json, method: str) -> None:
    """Refuse an import for which the image is not ready."""
    status = image["status"]
    if status == "active" and method != "copy-image":
        raise RefusedError(409, "Image with status active cannot be target for import")
    if status != "active" and method == "copy-image":
        raise RefusedError(409, "Only images with status active can be targeted for copying")
    if status != "queued" and method in ("web-download", "glance-download"):
        raise RefusedError(409, f"Image needs to be in 'queued' state to use '{method}' method")
    if status != "uploading" and method == "glance-direct":
        raise RefusedError(409, "Image needs to be staged before 'glance-direct' method can be used")
    for name in ("container_format", "disk_format"):
        if not image[name]:
            raise RefusedError(409, f"'{name}' needs to be set before import")


def _range(header: str | None, size: int) -> tuple[int, int]:
    """(start, end) of the bytes that are asked for."""
    if header is None:
        return 0, size
    if "," in header:
        text = (
            "Requests with multiple ranges are not supported in Glance. You may make multiple single-range requests "
            "instead."
        )
        raise RefusedError(400, text)
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if not match or not any(match.groups()):
        raise RefusedError(416, "Invalid Range header.")
    if not match[1]:
        return max(0, size - int(match[2])), size
    start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    if start >= size:
        text = f"Invalid start position in Range header. Start position MUST be in the inclusive range [0, {size - 1}]."
        raise RefusedError(416, text)
    if end <= start:
        raise RefusedError(416, "Invalid Range header.")
    return start, end
