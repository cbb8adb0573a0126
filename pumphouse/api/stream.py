"""Live events: one thread follows the database, and everybody who listens gets what he wants of it.

Who comes with the id of the last event that he has gets all that follow, from the database, then what happens: none is
lost and none comes twice in between, as both are cut at the place up to which the thread has given out events.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import PumphouseError
from ..store import Store, events, tail
from ..store.store import REVERTING, UNFINISHED
from .messages import CLOUDS, MIGRATION, OWN, PROGRESS, RESET, Message, Wanted, of_event
from .movement import Speeds, Watch

LOG = logging.getLogger(__name__)

#: Seconds between two looks at the events, and at how far the units are.
POLL, PROGRESS_EVERY = 0.25, 0.5
#: Seconds after which a line is sent that says nothing, so that both ends see that the other one is there.
PING = 15.0
#: Seconds between two looks whether who listens still may.
CHECK = 60.0
#: Messages that wait for one client; a slower one is sent away.
QUEUE = 2000
#: Events that are read at once for who comes back.
PAGE = 500
#: Who may listen at once in this process: each takes a thread of the server.
CLIENTS = 224
#: Milliseconds after which a browser comes back.
RETRY = b"retry: 2000\n\n"


class TooManyError(PumphouseError):
    """As many listen as can be served; of a process that is ending, none."""


class Client:
    """One who listens: iterate over what is to be sent to him; close it at the end."""

    def __init__(self, stream: Stream, after: int | None, wanted: Wanted, may: Callable[[], bool]) -> None:
        """See :meth:`Stream.open`."""
        self._stream, self._after, self.wanted, self._may = stream, after, wanted, may
        self._queue: collections.deque[Message] = collections.deque()
        self._changed = threading.Condition()
        #: He has caught up: what happens goes into his queue.
        self.live = False
        #: Events that came late since he is here: they go into his queue in any case.
        self.late: set[int] = set()
        self._slow = self._over = False

    def put(self, messages: Iterable[Message], late: bool = False) -> None:
        """What he wants of these is for him. ``late``: though they are older than what he has."""
        found = [one for one in messages if one in self.wanted and (late or self._is_new(one))]
        if not found:
            return
        with self._changed:
            self._queue.extend(found)
            if len(self._queue) > QUEUE:
                self._slow = True
                self._queue.clear()
            self._changed.notify()

    def end(self) -> None:
        """Nothing more is to be sent."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def close(self) -> None:
        """He has gone."""
        self.end()
        self._stream.leave(self)

    def __iter__(self) -> Iterator[bytes]:
        """What is written to him, until he goes or the stream is closed."""
        try:
            yield from self._frames()
        except PumphouseError as error:
            # He comes back by himself, with the last id that he has.
            LOG.warning("an event stream ends: %s", error)
        finally:
            self.close()

    def _frames(self) -> Iterator[bytes]:
        yield RETRY
        yield from self._begin()
        if self._after is not None:
            yield from self._catch_up(self._after)
        checked = time.monotonic()
        while True:
            with self._changed:
                if not (self._queue or self._slow or self._over):
                    self._changed.wait(PING)
                found, over, slow = list(self._queue), self._over, self._slow
                self._queue.clear()
            if over:
                return
            if slow:
                yield Message(RESET, {"reason": "too slow"}).frame
                return
            if time.monotonic() - checked >= CHECK:
                checked = time.monotonic()
                if not self._may():
                    return
            yield b"".join(message.frame for message in found) or b": ping\n\n"

    def _begin(self) -> Iterator[bytes]:
        """Find his place; tell it him where it is not the one that he named."""
        while (place := self._stream.place(PING)) is None:
            if self._over:
                return
            yield b": ping\n\n"
        if self._after is None:
            self._after = place
            # Without data it is no event: it only says where to go on if this breaks off at once.
            yield f"id: {place}\n\n".encode()
        elif self._stream.is_gone(self._after):
            self._after = place
            yield Message(RESET, {"reason": "what happened since is not kept"}, place).frame

    def _catch_up(self, at: int) -> Iterator[bytes]:
        while not self._over:
            if (place := self._stream.go_live(self, at)) is None:
                return
            until, without = place
            found, at = self._stream.page(at, until, self.wanted)
            if frames := [one.frame for one in found if one.id not in without and one in self.wanted]:
                yield b"".join(frames)

    def _is_new(self, message: Message) -> bool:
        if not self.live:
            return False
        return message.id is None or self._after is None or message.id > self._after


class Stream:
    """All who listen to this process. Threads share it; none is started before somebody listens."""

    def __init__(self, store: Store, limit: int = CLIENTS) -> None:
        """``limit``: how many may listen at once."""
        self._store, self._limit = store, limit
        #: How fast migrations move: for whoever wants to know.
        self.speeds = Speeds(store)
        self._lock = threading.Condition()
        self._clients: set[Client] = set()
        self._thread: threading.Thread | None = None
        #: Up to which event all were given out, but for those that may still come late; None before the first look.
        self._given: int | None = None
        self._skipped: frozenset[int] = frozenset()
        self._closed = False
        #: Told when a migration has ended, or has been undone: as long as somebody listens.
        self.moved: Callable[[], None] = lambda: None

    def open(self, after: int | None, wanted: Wanted, may: Callable[[], bool] = lambda: True) -> Client:
        """Listen to what follows the event ``after``, or (None) to what happens from now on.

        ``may``: asked once a minute whether he still may listen. Raises TooManyError.
        """
        client = Client(self, after, wanted, may)
        with self._lock:
            if self._closed:
                raise TooManyError("this process is ending")
            if len(self._clients) >= self._limit:
                raise TooManyError(f"{len(self._clients)} listen to the events already")
            self._clients.add(client)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._lock.notify_all()
        return client

    def announce(self, type_: str, data: dict[str, Any], migration_id: int | None = None) -> None:
        """Tell those who listen to this process something that is not kept."""
        self._give([Message(type_, data, migration_id=migration_id)])

    def clouds_read(self, role: str, complete: bool) -> None:
        """A cloud was read anew."""
        self.announce(CLOUDS, {"role": role, "complete": complete})

    def count(self) -> int:
        """How many listen."""
        return len(self._clients)

    def close(self) -> None:
        """End all streams at once; nobody can listen any more."""
        with self._lock:
            self._closed = True
            clients = list(self._clients)
            self._lock.notify_all()
        for client in clients:
            client.end()

    # -- what clients ask -----------------------------------------------------------------------------------
    def leave(self, client: Client) -> None:
        """He has gone; once more does no harm."""
        with self._lock:
            self._clients.discard(client)

    def place(self, patience: float) -> int | None:
        """Up to which event all were given out; None when that is not known within so many seconds."""
        with self._lock:
            self._lock.wait_for(lambda: self._given is not None or self._closed, patience)
            return self._given

    def is_gone(self, after: int) -> bool:
        """Whether events that follow this one are not kept any more; or it is none of this database."""
        oldest = tail.oldest_id(self._store)
        return oldest > after + 1 or after > events.last_id(self._store)

    def go_live(self, client: Client, at: int) -> tuple[int, frozenset[int]] | None:
        """Nothing when he has all up to now: what happens is for him from now on.

        Else up to which event he may read, and those that he must not: they come late, by themselves.
        """
        with self._lock:
            if self._given is None or at >= self._given:
                client.live = True
                return None
            return self._given, self._skipped | client.late

    def page(self, at: int, until: int, wanted: Wanted) -> tuple[list[Message], int]:
        """What follows an event, and up to which one that goes."""
        kinds = [kind for kind, type_ in OWN.items() if type_ in wanted.types]
        only = kinds if wanted.types and wanted.types <= set(OWN.values()) else ()
        rows = events.after(self._store, at, PAGE, migration_ids=wanted.migrations, kinds=only)
        found = [of_event(row) for row in rows if row.id <= until]
        return found, rows[-1].id if len(rows) == PAGE and rows[-1].id <= until else until

    # -- the thread -----------------------------------------------------------------------------------------
    def _run(self) -> None:
        follower: tail.Tail | None = None
        watch, looked = Watch(self._store, self.speeds), 0.0
        while self._somebody():
            more = False
            try:
                if follower is None or self._given is None:
                    follower = tail.Tail(self._store)
                more = self._follow(follower)
                if time.monotonic() - looked >= PROGRESS_EVERY:
                    looked = time.monotonic()
                    self._tell_progress(watch)
            except PumphouseError as error:
                LOG.warning("events cannot be followed: %s", error)
            except Exception:
                # Without this thread nobody would ever hear anything again.
                LOG.exception("events cannot be followed")
            if not more:
                time.sleep(POLL)

    def _somebody(self) -> bool:
        """Wait until somebody listens; False at the end."""
        with self._lock:
            if not self._clients and not self._closed:
                # Whoever comes next begins where the events are then.
                self._given = None
                self._lock.wait_for(lambda: self._clients or self._closed)
            return not self._closed

    def _follow(self, follower: tail.Tail) -> bool:
        """Give out what is new; whether there is more already."""
        found = follower.look()
        messages = [of_event(event) for event in found.events]
        late = [of_event(event).without_id() for event in found.late]
        with self._lock:
            for client in self._clients:
                if not client.live:
                    client.late.update(event.id for event in found.late)
                client.put(late, late=True)
                client.put(messages)
            self._given, self._skipped = follower.given, frozenset(follower.skipped)
            self._lock.notify_all()
        moving = (*UNFINISHED, REVERTING)
        if any(one.type == MIGRATION and one.data["state"] not in moving for one in (*messages, *late)):
            self.moved()
        return found.more

    def _tell_progress(self, watch: Watch) -> None:
        with self._lock:
            wanted = [one.wanted for one in self._clients if not one.wanted.types or PROGRESS in one.wanted.types]
        if wanted:
            all_ = any(not one.migrations for one in wanted)
            self._give(list(watch.look(set() if all_ else {id_ for one in wanted for id_ in one.migrations})))

    def _give(self, messages: list[Message]) -> None:
        with self._lock:
            for client in self._clients:
                client.put(messages)
