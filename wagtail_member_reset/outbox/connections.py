"""Several connections to the mail server, once one of them mostly waits."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue

from ..models import ResetEmail
from ..texts import Content
from .failures import Result
from .transport import Mailer

# An email with its token and its text; and what came of it.
Composed = tuple[ResetEmail, str, Content]
Sent = tuple[ResetEmail, str, Result]
# Emails after which it is known how long a server lets wait; what they say, the next ones say again.
TRIED = 5
# A connection that waits less than so many times as long as it works sends hundreds of emails a second by itself.
WAITS = 4.0


class Connections:
    """
    Up to `size` connections, each with a thread, for a server that is far away or slow.

    One that answers at once is served in the caller's thread, over the mailer that is there already. Whoever gives
    emails away gets every answer: from `send`, from `finish`, or, after an exception of their own, from `collect`.
    """

    def __init__(self, mailer: Mailer, size: int) -> None:
        self._size = size
        self._own = [Mailer() for _ in range(size - 1)]
        # The last one first: what is open is used before another is opened.
        self._free = [*self._own, mailer]
        self._threads: ThreadPoolExecutor | None = None
        # What no thread has begun, and what came of the others: each thread takes and puts by itself.
        self._given: deque[Composed] = deque()
        self._done: SimpleQueue[Sent | Exception] = SimpleQueue()
        self._running = 0
        self._waited = self._worked = 0.0
        self._tried = 0

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()
        for mailer in self._own:
            mailer.close()

    def send(self, email: Composed) -> list[Sent]:
        """
        Send an email, and return the answers that are there: its own, or that of an earlier one.

        Waits while all connections are busy, so that no more are under way than there are connections.
        """
        if not self._is_slow():
            return [self._timed(email)]
        try:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="member-reset-mail")
            self._given.append(email)
            self._threads.submit(self._send_given)
        except RuntimeError:  # the interpreter is on its way out, and lends no more threads
            # One of those that are there may have begun it all the same.
            with suppress(ValueError):
                self._given.remove(email)
                return [self._send(email)]
        self._running += 1
        return [self._next()] if self._running == self._size else []

    def finish(self) -> Iterator[Sent]:
        """Wait for the emails that are under way, and yield what came of each."""
        while self._running:
            yield self._next()

    def collect(self) -> Iterator[Sent]:
        """
        Wait for the emails that are under way, however `send` ended, and yield what came of each.

        Asks the threads and not the number that is kept of them. Nothing can be sent afterwards.
        """
        if self._threads is not None:
            self._threads.shutdown()
        while not self._done.empty():
            yield self._next()

    @contextmanager
    def lent(self) -> Iterator[Mailer]:
        """One that nobody is using, of which there is one whenever another email could be sent."""
        mailer = self._free.pop()
        try:
            yield mailer
        finally:
            self._free.append(mailer)

    def _next(self) -> Sent:
        sent = self._done.get()
        self._running -= 1
        if isinstance(sent, Exception):
            raise sent
        return sent

    def _is_slow(self) -> bool:
        return self._size > 1 and self._tried >= TRIED and self._waited > WAITS * self._worked

    def _timed(self, email: Composed) -> Sent:
        begun_at, worked = time.perf_counter(), time.thread_time()
        sent = self._send(email)
        worked = time.thread_time() - worked
        past = 1 - 1 / TRIED
        self._waited = past * self._waited + time.perf_counter() - begun_at - worked
        self._worked = past * self._worked + worked
        self._tried += 1
        return sent

    def _send_given(self) -> None:
        try:
            email = self._given.popleft()
        except IndexError:  # who gave it away has taken it back
            return
        try:
            self._done.put(self._send(email))
        except Exception as error:
            self._done.put(error)

    def _send(self, composed: Composed) -> Sent:
        email, token, content = composed
        with self.lent() as mailer:
            return email, token, mailer.send(content, to=email.recipient, public_id=str(email.public_id))
