"""The image service as a transfer needs it: whole streams, and nothing that is silently sent twice."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pumphouse.clouds.errors import explain, is_passing, status
from pumphouse.errors import CloudError, TransferError
from pumphouse.transfer.stream import Interrupted

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

    from pumphouse.clouds.cloud import Cloud

#: Seconds that Glance may take, after the last byte, to put an image away: some stores move it once more.
PUT_AWAY = 600.0

#: Bytes that are handed to the connection at once. urllib3 copies each piece to frame it; small pieces stay in the
#: processor's cache, which saves a quarter of our processor time.
PIECE = 128 << 10


class Moved(Interrupted):
    """The service wants the upload at another address."""

    def __init__(self, url: str) -> None:
        """``url``: where to."""
        super().__init__("the image service sends the upload to another address")
        self.url = url


class Glance:
    """One cloud's image service (API v2). Failures are Interrupted, TransferError or Cancelled, never a library's."""

    def __init__(self, cloud: Cloud) -> None:
        """``cloud``: whose session, certificates and time limits are used."""
        self.cloud = cloud
        self._adapter = cloud.adapter("image")

    def url(self, image_id: str, *more: str) -> str:
        """Where an image is, or its ``"file"``."""
        endpoint = self._adapter.get_endpoint()
        if endpoint is None:
            raise CloudError(f"the {self.cloud.role} cloud {self.cloud.name!r} has no image service in its catalogue")
        # Some catalogues name the version, some do not.
        return "/".join([re.sub(r"/v\d+(\.\d+)?/?$", "", endpoint).rstrip("/"), "v2/images", image_id, *more])

    @contextlib.contextmanager
    def plainly(self, doing: str) -> Iterator[None]:
        """Turn what the libraries raise into what can be tried again, and what cannot."""
        from keystoneauth1.exceptions import ClientException
        from requests import RequestException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (ClientException, RequestException, HTTPError, OSError) as error:
            text = f"{doing} of the {self.cloud.role} cloud: {_words(error)}"
            # Streams end in urllib3's own words. A token that is refused is replaced before the next attempt.
            if isinstance(error, HTTPError) or is_passing(error) or status(error) == 401:
                raise Interrupted(text) from error
            raise TransferError(text) from error

    def fresh_token(self) -> None:
        """Get a new token, that it may last for a whole transfer."""
        with self.plainly("asking for a token"):
            self.cloud.fresh_token()

    def record(self, image_id: str) -> dict[str, Any]:
        """What the service says of an image; ``{"status": "deleted"}`` if it has gone."""
        with self.plainly(f"looking at image {image_id}"):
            response = self._adapter.get(self.url(image_id), raise_exc=False)
            if response.status_code in (404, 410):
                return {"id": image_id, "status": "deleted"}
            from keystoneauth1.exceptions import from_response

            if response.status_code >= 400:
                raise from_response(response, "GET", self.url(image_id))
            return dict(response.json())

    @contextlib.contextmanager
    def download(self, image_id: str) -> Iterator[Download]:
        """The bytes of an image."""
        with self.plainly(f"downloading image {image_id}"):
            # Nothing in between shall compress it.
            headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
            response = self._adapter.get(self.url(image_id, "file"), headers=headers, stream=True)
        try:
            yield Download(self, image_id, response.raw)
        finally:
            response.close()

    def upload(self, image_id: str, body: Iterable[memoryview], size: int, url: str | None = None) -> None:
        """Send the bytes of a queued image; what ``body`` raises ends the upload and comes out of here.

        In chunked encoding, for then an upload that breaks off is seen as such by the service: after a
        Content-Length some servers take what has come for the whole. ``url``: where a service asked to send it.
        """
        headers = {"Content-Type": "application/octet-stream", "x-openstack-image-size": str(size)}
        with self.plainly(f"uploading image {image_id}"):
            response = self._adapter.put(
                url or self.url(image_id, "file"),
                data=body,
                headers=headers,
                timeout=PUT_AWAY,
                # All of these would send the rest of a stream as if it were the whole.
                allow_reauth=False,
                redirect=False,
                connect_retries=0,
                status_code_retries=0,
            )
        if response.is_redirect:
            raise Moved(response.headers["Location"])

    def deactivate(self, image_id: str) -> None:
        """Nobody but an administrator can use the image any more."""
        with self.plainly(f"deactivating image {image_id}"):
            self._adapter.post(self.url(image_id, "actions/deactivate"))


def _words(error: Exception) -> str:
    """The service's own words; Glance writes them in HTML, where keystoneauth does not look."""
    response = getattr(error, "response", None)
    if response is not None and "html" in response.headers.get("Content-Type", ""):
        from glanceclient.exc import from_response

        with contextlib.suppress(OSError):  # the page may break off, too; requests' errors are OSErrors
            return explain(from_response(response, response.content))
    return explain(error)


class Download:
    """An image's bytes, as they come."""

    def __init__(self, glance: Glance, image_id: str, raw: HTTPResponse) -> None:
        """``raw``: an answer whose body was not read yet."""
        self._glance = glance
        self._id = image_id
        self._raw = raw

    def read(self, count: int) -> bytes:
        """The next bytes, ``count`` of them unless it is the end. A stream that breaks off raises Interrupted."""
        with self._glance.plainly(f"downloading image {self._id}"):
            return self._raw.read(count, decode_content=False)

    def interrupt(self) -> None:
        """Make a ``read`` that waits in another thread end."""
        # A connection that is closed already needs no interruption.
        with contextlib.suppress(ValueError, OSError, RuntimeError):
            self._raw.shutdown()


def pieces(chunk: bytes) -> Iterator[memoryview]:
    """A chunk in the portions in which it is sent."""
    view = memoryview(chunk)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]
