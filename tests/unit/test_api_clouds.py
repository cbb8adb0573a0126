"""Lists of clouds as the API keeps them: shown at once, complete in the end, old rather than empty."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pumphouse.api.clouds import listing, shown, single
from pumphouse.api.clouds.crew import Crew
from pumphouse.api.clouds.kinds import ALL, KINDS
from pumphouse.api.clouds.listing import Listing
from pumphouse.api.clouds.reader import Reader
from pumphouse.api.clouds.rows import Row
from pumphouse.resources.registry import TYPES
from tests.unit.soon import soon

SOON = 5.0


class Service:
    """Gives pages when the test says so."""

    def __init__(self) -> None:
        self.said: queue.Queue[list[Row] | Exception | None] = queue.Queue()
        self.readings = 0

    def pages(self) -> Iterator[list[Row]]:
        self.readings += 1
        while (page := self.said.get(timeout=SOON)) is not None:
            if isinstance(page, Exception):
                raise page
            yield page

    def say(self, *pages: list[Row] | Exception | None) -> None:
        for page in pages:
            self.said.put(page)


def server(name: str, project: str = "p", status: str = "ACTIVE") -> Row:
    return Row(f"id-{name}", name, project, status, ("small", 1, 64, 1, "host", None, ()))


def volume(name: str, gib: int, project: str = "p") -> Row:
    return Row(f"id-{name}", name, project, "available", (gib, "fast", False, ()))


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def servers(service: Service) -> Iterator[Listing]:
    crew = Crew("test", 1)
    yield Listing(KINDS["server"], service.pages, crew)
    crew.close()


def names(one: Listing) -> list[str]:
    return [row.name for row in one.view().rows]


def wait(one: Listing, **options: Any) -> None:
    one.wait(lambda _content: False, time.monotonic() + SOON, **options)


def test_what_came_is_shown_before_the_rest(service: Service, servers: Listing) -> None:
    service.say([server("b"), server("a")])
    servers.wait(lambda content: len(content.rows) >= 2, time.monotonic() + SOON)
    assert names(servers) == ["a", "b"]
    assert not servers.view().complete
    assert servers.counted("p") == (2, 0)
    service.say([server("A2"), server("a")], None)
    wait(servers)
    # In the order of the names, whatever their case; what moved between two pages is there once.
    assert names(servers) == ["a", "A2", "b"]
    assert servers.view().complete
    assert servers.counted("p") == (3, 0)
    assert servers.counted("nobody") == (0, 0)


def test_nobody_waits_longer_than_he_wants(servers: Listing) -> None:
    began = time.monotonic()
    servers.wait(lambda _content: False, began + 0.1)
    assert 0.1 <= time.monotonic() - began < 1
    assert servers.view().rows == []
    # That says nothing of how many there are.
    assert servers.counted("p") is None


def test_who_does_not_answer_is_named_and_not_waited_for(
    service: Service, servers: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SLOW", 0.1)
    monkeypatch.setattr(listing, "STILL", 0.1)
    servers.wait(lambda _content: False, time.monotonic() + 0.2)
    soon(lambda: "no answer for" in str(servers.view().error))
    began = time.monotonic()
    wait(servers)
    assert time.monotonic() - began < 1
    service.say([server("a")], None)
    soon(lambda: servers.view().error is None)


def test_the_old_list_is_shown_while_it_is_read_anew(
    service: Service, servers: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.say([server("old")], None)
    wait(servers)
    wait(servers)
    assert service.readings == 1
    monkeypatch.setattr(listing, "FRESH", 0)
    began = time.monotonic()
    wait(servers)
    assert time.monotonic() - began < 1
    assert names(servers) == ["old"]
    service.say([server("new")])
    assert names(servers) == ["old"]
    service.say(None)
    soon(lambda: names(servers) == ["new"])
    assert service.readings == 2


def test_what_has_not_changed_is_no_news(service: Service) -> None:
    told: list[int] = []
    one = Listing(KINDS["server"], service.pages, Crew("test", 1), lambda: told.append(service.readings))
    for status in ("ACTIVE", "ACTIVE", "ERROR"):
        service.say([server("a", status=status)], None)
        wait(one, renew=True)
        time.sleep(0.05)
    assert told == [1, 3]
    rows = one.view().rows
    service.say([server("a", status="ERROR")], None)
    wait(one, renew=True)
    assert one.view().rows is rows
    assert one.view().age < SOON


def test_who_asks_for_a_new_one_gets_one_that_was_begun_later(service: Service, servers: Listing) -> None:
    service.say([server("first")])
    servers.wait(lambda content: bool(content.rows), time.monotonic() + SOON)
    asking = threading.Thread(target=wait, args=(servers,), kwargs={"renew": True})
    asking.start()
    time.sleep(0.1)
    service.say(None)
    time.sleep(0.1)
    assert asking.is_alive()
    service.say([server("second")], None)
    asking.join(SOON)
    assert not asking.is_alive()
    assert names(servers) == ["second"]
    assert service.readings == 2


def test_a_failure_is_told_and_what_was_known_stays(
    service: Service, servers: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.say([server("a")], None)
    wait(servers)
    service.say([server("b")], RuntimeError("it is ill: http://root:hush@db/nova"))
    wait(servers, renew=True)
    view = servers.view()
    assert names(servers) == ["a"]
    assert view.complete
    assert "it is ill" in str(view.error)
    assert "hush" not in str(view.error)
    # It is left alone for a while.
    wait(servers)
    assert service.readings == 2
    monkeypatch.setattr(listing, "PAUSE", 0)
    monkeypatch.setattr(listing, "FRESH", 0)
    service.say([server("b")], None)
    servers.ask()
    soon(lambda: names(servers) == ["b"])
    assert servers.view().error is None


def test_a_first_reading_that_fails_counts_nothing(service: Service, servers: Listing) -> None:
    service.say([server("a")], RuntimeError("gone"))
    wait(servers)
    assert not servers.view().complete
    assert servers.counted("p") is None


def test_what_a_project_has_is_added_up() -> None:
    volumes = Service()
    volumes.say([volume("a", 3), volume("b", 4), volume("c", 5, "other")], None)
    one = Listing(KINDS["volume"], volumes.pages, Crew("test", 1))
    wait(one)
    assert one.counted("p") == (2, 7)
    assert one.counted("other") == (1, 5)


def test_a_marker_holds_when_the_list_has_changed() -> None:
    rows = [server(name) for name in "abcdef"]
    first, marker, total = shown.cut(rows, shown.Asked(2), None)
    assert ([row.name for row in first], total) == (["a", "b"], 6)
    assert marker is not None
    place = shown.place_of(marker)
    # The one it names is gone, and others have come.
    later = [server(name) for name in ("a", "aa", "c", "d")]
    rest, marker, _ = shown.cut(later, shown.Asked(9, place), None)
    assert ([row.name for row in rest], marker) == (["c", "d"], None)


@pytest.mark.parametrize("name", ["a" * 255, "ü" * 255, "\U0001f600" * 255])
def test_long_names_fit_into_a_marker(name: str) -> None:
    rows = sorted((Row(f"{n:036}", name, None, None, ()) for n in range(9)), key=lambda row: row.place)
    seen, place = [], None
    while True:
        found, marker, _ = shown.cut(rows, shown.Asked(2, place), None)
        seen += [row.id for row in found]
        if marker is None:
            break
        # As the API takes it.
        assert len(marker) <= 512
        place = shown.place_of(marker)
    assert seen == [row.id for row in rows]


@pytest.mark.parametrize("text", ["", "%", "ä", "bnVsbA", "WzEsMl0", "WyJhIl0", "////", "W10", "AAAA", "_w"])
def test_what_is_no_marker_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        shown.place_of(text)


def test_filters() -> None:
    rows = [server("Web-1", "p"), server("web-2", "q", "ERROR"), server("db", "p")]

    def found(**asked: str) -> list[str]:
        test = listing.matching(**asked)
        return [row.name for row in rows if test is None or test(row)]

    assert found() == ["Web-1", "web-2", "db"]
    assert found(search="WEB") == ["Web-1", "web-2"]
    assert found(search="id-d") == ["db"]
    assert found(project_id="p", search="web") == ["Web-1"]
    assert found(status="error") == ["web-2"]


def test_secrets_are_left_out() -> None:
    assert "credential" not in single.READABLE
    server = {"id": "1", "OS-EXT-SRV-ATTR:user_data": "cGFzcw==", "adminPass": "hush", "metadata": {"password": "hush"}}
    assert single.without_secrets("server", server) == {"id": "1", "metadata": {}}
    image = {"id": "1", "locations": [{"url": "swift://u:hush@h"}], "direct_url": "rbd://x", "size": 3}
    assert single.without_secrets("image", image) == {"id": "1", "size": 3}
    assert single.without_secrets("keypair", {"private_key": "hush", "public_key": "ssh"}) == {"public_key": "ssh"}
    for type_ in single.READABLE:
        secret = {field.name: "hush" for field in TYPES[type_].fields if field.secret}
        assert single.without_secrets(type_, secret) == {}


@pytest.mark.parametrize(
    "id_",
    ["..", ".", "a/b", "../os-keypairs", "a?b=c", "a%2Fb", "a#b", "", "a\nb", "ä", "x" * 300, "/a", "a/", "detail"],
)
def test_an_id_leads_nowhere_else(id_: str) -> None:
    assert not single.valid("server", id_)


def test_ids() -> None:
    assert single.valid("server", "0c35fe8b-16fd-4f80-946d-b37f0df26b35")
    assert single.valid("flavor", "m1.tiny v2")
    assert single.valid("keypair", "0c35fe8b/my key@home")
    assert not single.valid("keypair", "key")
    assert not single.valid("keypair", "../key")


def test_every_list_has_a_type_that_can_be_read() -> None:
    assert set(KINDS) <= set(TYPES)
    assert all(kind.weight is None or kind.weight in kind.columns for kind in ALL.values())


class Answers:
    """A cloud whose services give these answers, one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.asked = list(answers), []
        self.role, self.project_id = "source", "own"

    def adapter(self, service: str) -> Answers:
        return self

    def url(self, service: str) -> str:
        return "http://cloud/net/"

    def clamp(self, service: str, version: tuple[int, int]) -> tuple[int, int]:
        return min(version, (2, 40))

    def get(self, path: str, params: dict[str, Any], **options: Any) -> Any:
        self.asked.append((path, params, options))
        answer = self.answers.pop(0)
        return type("Answer", (), {"json": lambda _self: answer})()


def rows_of(type_: str, cloud: Any, project: str | None = None) -> list[Row]:
    return [row for page in ALL[type_].pages(Reader(cloud), project) for row in page]


def test_pages_follow_each_other_and_grow() -> None:
    cloud = Answers(
        {"networks": [{"id": "1", "name": "a"}], "networks_links": [{"rel": "next", "href": "http://inside:9696/"}]},
        {"networks": [{"id": "2", "name": "b"}], "networks_links": [{"rel": "previous"}]},
    )
    assert [row.id for row in rows_of("network", cloud, "p")] == ["1", "2"]
    (path, first, options), (_, second, _) = cloud.asked
    assert path == "/networks"
    assert options["endpoint_override"] == "http://cloud/net/v2.0"
    assert (first["project_id"], first.get("marker"), second["marker"]) == ("p", None, "1")
    assert first["limit"] < second["limit"]


def test_a_server_of_an_old_nova_has_its_flavor_by_id() -> None:
    flavor = {"id": "f", "name": "small", "vcpus": 2, "ram": 64, "disk": 3}
    old = {"id": "1", "name": "s", "tenant_id": "p", "status": "ACTIVE", "flavor": {"id": "f"}, "addresses": {}}
    gone = {**old, "id": "2", "flavor": {"id": "gone"}}
    cloud = Answers({"flavors": [flavor]}, {"servers": [old, gone]})
    found = [KINDS["server"].summary(row) for row in rows_of("server", cloud)]
    assert [(one["flavor"], one["vcpus"], one["disk_gib"]) for one in found] == [("small", 2, 3), ("gone", None, None)]


def test_a_list_that_keystone_cuts_off_is_not_taken_for_all() -> None:
    cloud = Answers({"users": [{"id": "1", "name": "a"}], "truncated": True, "links": {"next": None}})
    with pytest.raises(Exception, match="cuts its list"):
        rows_of("user", cloud)


def test_the_people_of_a_project_are_those_with_a_role_there() -> None:
    roles = [{"user": {"id": id_, "name": f"n{id_}", "domain": {"id": "d"}}} for id_ in ("1", "1", "9")]
    listed = [{"id": "1", "name": "n1", "domain_id": "d", "email": "n@x"}, {"id": "2", "name": "n2", "domain_id": "d"}]
    cloud = Answers({"role_assignments": roles}, {"users": listed, "links": {"next": None}})
    found = rows_of("user", cloud, "p")
    # The last is in no list: of a directory of its own.
    assert [(row.name, KINDS["user"].summary(row)["email"]) for row in found] == [("n1", "n@x"), ("n9", None)]


def test_one_crew_does_not_wait_for_another() -> None:
    hung, free = Crew("hung", 1), Crew("free", 1)
    leave, done = threading.Event(), threading.Event()
    hung.do(lambda: leave.wait(SOON) and None)
    hung.do(done.set)
    assert not done.wait(0.1)
    other = threading.Event()
    free.do(other.set)
    assert other.wait(SOON)
    leave.set()
    assert done.wait(SOON)


def test_a_crew_survives_what_its_jobs_raise() -> None:
    crew, done = Crew("test", 1), threading.Event()

    def fail() -> None:
        raise RuntimeError("no")

    crew.do(fail)
    crew.do(done.set)
    assert done.wait(SOON)
    crew.close()
    later = threading.Event()
    crew.do(later.set)
    assert not later.wait(0.1)
