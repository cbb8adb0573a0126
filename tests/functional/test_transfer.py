"""Image bytes over real HTTP connections, and over connections that fail."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator

import pytest
import yaml

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import CloudConfig
from pumphouse.errors import Cancelled, TransferError
from pumphouse.transfer import images
from pumphouse.transfer.images import Copied, copy_image
from tests.functional.image_service import Handler, ImageService, stall

#: Some chunks and a bit.
DATA = os.urandom(5 * (1 << 20) + 12345)
SHA512 = hashlib.sha512(DATA).hexdigest()


class Pair:
    """Two services, and how an image goes from one to the other."""

    def __init__(self, source: ImageService, destination: ImageService) -> None:
        self.source, self.destination = source, destination
        self.a = Cloud.open("source", CloudConfig("src", None))
        self.b = Cloud.open("destination", CloudConfig("dst", None))
        self.progress: list[int] = []

    def copy(self, **more: object) -> Copied:
        return copy_image(self.a, "here", self.b, "there", on_bytes=self.progress.append, **more)  # type: ignore[arg-type]

    @property
    def arrived(self) -> str:
        return str(self.destination.records["there"]["status"])


@pytest.fixture
def pair(tmp_path, monkeypatch) -> Iterator[Pair]:
    monkeypatch.setattr(images, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(images, "NOTICE", 1.0)
    with ImageService() as source, ImageService() as destination:
        path = tmp_path / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"src": source.clouds_yaml(), "dst": destination.clouds_yaml()}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        source.make("here", DATA)
        destination.make("there")
        pair = Pair(source, destination)
        yield pair
        pair.a.close()
        pair.b.close()


def test_the_bytes_arrive_and_are_proved(pair: Pair) -> None:
    copied = pair.copy()
    assert pair.destination.data["there"] == DATA
    assert (copied.size, copied.sha512, copied.source_hash, copied.destination_hash) == (
        len(DATA),
        SHA512,
        SHA512,
        SHA512,
    )
    assert copied.seconds > 0
    assert sum(pair.progress) == len(DATA)


def test_each_transfer_begins_with_new_tokens(pair: Pair) -> None:
    pair.a.session.get_token()
    pair.b.session.get_token()
    pair.copy()
    assert (pair.source.tokens, pair.destination.tokens) == (2, 2)


def test_an_image_without_bytes(pair: Pair) -> None:
    pair.source.make("here", b"")
    assert pair.copy().size == 0
    assert pair.arrived == "active"


# --- what passes by itself is done again, from the beginning ---


def reset(handler: Handler) -> None:
    """Take some of an upload, then drop the connection."""
    next(handler.body())
    handler.hang_up()


def busy(handler: Handler) -> None:
    for _ in handler.body():
        pass
    handler.refuse(503, "out of order")


def denied_late(handler: Handler) -> None:
    """The token ends while the upload is under way."""
    next(handler.body())
    handler.answer(401, {"error": {"message": "authenticate"}})
    handler.close_connection = True


def denied_at_once(handler: Handler) -> None:
    """The token is not taken; nothing of the body is read."""
    handler.refuse(401, "authenticate")
    handler.close_connection = True


@pytest.mark.parametrize("fault", [reset, busy, denied_late, denied_at_once])
def test_an_upload_that_fails_is_repeated_whole(pair: Pair, fault) -> None:
    pair.destination.faults["PUT"] = [fault]
    assert pair.copy().destination_hash == SHA512
    assert pair.destination.data["there"] == DATA
    assert pair.destination.count("PUT") == 2
    assert sum(pair.progress) == len(DATA)


@pytest.mark.parametrize("promised", [len(DATA), None])
def test_a_download_that_ends_early_is_noticed(pair: Pair, promised: int | None) -> None:
    def early(handler: Handler) -> None:
        handler.send_data(DATA[: 3 << 20], length=promised)
        handler.hang_up()

    pair.source.faults["GET"] = [early]
    assert pair.copy().size == len(DATA)
    assert pair.destination.data["there"] == DATA
    assert any(count < 0 for count in pair.progress)
    assert sum(pair.progress) == len(DATA)


def test_attempts_are_bounded(pair: Pair) -> None:
    pair.destination.faults["PUT"] = [busy] * 9
    with pytest.raises(TransferError, match=r"given up after 3 attempts: uploading image there.*out of order"):
        pair.copy()
    assert pair.destination.count("PUT") == 3
    assert pair.arrived == "queued"


def test_what_does_not_pass_is_not_repeated(pair: Pair) -> None:
    def full(handler: Handler) -> None:
        for _ in handler.body():
            pass
        handler.refuse(413, "Image storage media is full")

    pair.destination.faults["PUT"] = [full]
    with pytest.raises(TransferError, match=r"413.*Image storage media is full"):
        pair.copy()
    assert pair.destination.count("PUT") == 1


def test_a_lost_answer_does_not_cost_a_second_upload(pair: Pair) -> None:
    def silent(handler: Handler) -> None:
        handler.receive("there")
        handler.hang_up()

    pair.destination.faults["PUT"] = [silent]
    assert pair.copy().destination_hash == SHA512
    assert pair.destination.count("PUT") == 1


def test_the_end_of_a_transfer_outlives_its_token(pair: Pair) -> None:
    def last_call(handler: Handler) -> None:
        handler.receive("there")
        pair.destination.refused = {handler.headers["X-Auth-Token"]}
        handler.answer(204)

    pair.destination.faults["PUT"] = [last_call]
    assert pair.copy().destination_hash == SHA512


def test_an_upload_follows_a_redirect_with_all_its_bytes(pair: Pair) -> None:
    def moved(handler: Handler) -> None:
        for _ in handler.body():
            pass
        handler.answer(307, Location=f"{pair.destination.url}/v2/images/there/file?moved")

    pair.destination.faults["PUT"] = [moved]
    pair.copy()
    assert pair.destination.data["there"] == DATA
    assert pair.destination.log.count("PUT /v2/images/there/file?moved") == 1


# --- wrong bytes ---


def test_bytes_that_change_in_the_destination_are_found(pair: Pair) -> None:
    pair.destination.spoil = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(TransferError) as caught:
        pair.copy()
    theirs = pair.destination.records["there"]["os_hash_value"]
    assert SHA512 in str(caught.value)
    assert theirs in str(caught.value)
    assert pair.arrived == "deactivated"


def test_a_shortened_copy_is_found(pair: Pair) -> None:
    pair.destination.spoil = lambda data: data[:-1]
    with pytest.raises(TransferError, match=str(len(DATA) - 1)):
        pair.copy()
    assert pair.arrived == "deactivated"


def test_a_damaged_source_never_becomes_an_active_image(pair: Pair) -> None:
    pair.source.data["here"] = DATA[:-1] + bytes([DATA[-1] ^ 1])
    with pytest.raises(TransferError, match=f"the source says .*{SHA512}"):
        pair.copy()
    assert pair.arrived == "queued"
    assert "there" not in pair.destination.data


@pytest.mark.parametrize("status", ["saving", "killed", "active"])
def test_an_image_that_cannot_take_data_is_named_with_its_state(pair: Pair, status: str) -> None:
    pair.destination.make("there", status=status)
    with pytest.raises(TransferError, match=rf"image there is '{status}' .*make it again"):
        pair.copy()
    assert pair.arrived == status
    assert pair.destination.count("PUT") == 0


def test_an_upload_that_leaves_the_image_stuck(pair: Pair) -> None:
    def stuck(handler: Handler) -> None:
        pair.destination.records["there"]["status"] = "saving"
        handler.hang_up()

    pair.destination.faults["PUT"] = [stuck]
    with pytest.raises(TransferError, match="image there is 'saving'"):
        pair.copy()
    assert pair.destination.count("PUT") == 1


def test_an_image_that_is_gone(pair: Pair) -> None:
    del pair.source.records["here"]
    with pytest.raises(TransferError, match="image here is 'deleted' in the source"):
        pair.copy()


# --- clouds with other hashes ---


def test_clouds_that_know_md5_only(pair: Pair) -> None:
    md5 = hashlib.md5(DATA).hexdigest()
    for service in (pair.source, pair.destination):
        service.algorithm = None
    pair.source.make("here", DATA)
    pair.destination.make("there")
    copied = pair.copy()
    assert (copied.sha512, copied.source_hash, copied.destination_hash) == (SHA512, f"md5:{md5}", f"md5:{md5}")


def test_an_old_source_whose_bytes_are_damaged(pair: Pair) -> None:
    pair.source.algorithm = None
    pair.source.make("here", DATA)
    pair.source.data["here"] = bytes(len(DATA))
    with pytest.raises(TransferError, match="md5"):
        pair.copy()


def test_another_hash_at_the_source(pair: Pair) -> None:
    pair.source.algorithm = "sha256"
    pair.source.make("here", DATA)
    assert pair.copy().source_hash == f"sha256:{hashlib.sha256(DATA).hexdigest()}"


def test_a_hash_that_nobody_could_foresee_is_answered_by_reading_back(pair: Pair) -> None:
    pair.destination.algorithm = "sha3_256"
    assert pair.copy().destination_hash == SHA512
    assert pair.destination.count("GET /v2/images/there/file") == 1


# --- stopping ---


def test_stopping_leaves_no_data(pair: Pair) -> None:
    with pytest.raises(Cancelled):
        pair.copy(cancelled=lambda: sum(pair.progress) >= 2 << 20)
    assert sum(pair.progress) < len(DATA)
    assert pair.arrived == "queued"


def test_stopping_does_not_wait_for_a_source_that_is_silent(pair: Pair) -> None:
    pair.source.faults["GET"] = [stall(20)]
    began = time.monotonic()
    with pytest.raises(Cancelled):
        pair.copy(cancelled=lambda: time.monotonic() > began + 0.3)
    assert time.monotonic() < began + 5
