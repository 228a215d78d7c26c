"""Several connections to the mail server, once one of them mostly waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

from ..models import ResetEmail
from .text import Content
from .transport import Mailer, Result

# A mail with its token and its text.
Composed = tuple[ResetEmail, str, Content]
Sent = tuple[ResetEmail, str, Result]
# Mails after which it is known how long a server lets wait; what they say, the next ones say again.
TRIED = 5
# A connection that waits less than so many times as long as it works sends hundreds of mails a second by itself.
WAITS = 4.0


class Pool:
    """
    Up to `size` connections, each with a thread, for a server that is far away or slow.

    One that answers at once is served in the caller's thread, over the mailer that is there already.
    """

    def __init__(self, mailer: Mailer, size: int) -> None:
        self._size = size
        self._own = [Mailer() for _ in range(size - 1)]
        # The last one first: what is open is used before another is opened.
        self._free = [*self._own, mailer]
        self._threads: ThreadPoolExecutor | None = None
        self._waited = self._worked = 0.0
        self._tried = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()
        for mailer in self._own:
            mailer.close()

    def send(self, mails: Iterator[Composed]) -> Iterator[Sent]:
        """Send them, and yield each when its answer is there. Takes no more in hand than there are connections."""
        for mail in mails:
            yield self._tried_with(mail)
            if self._size > 1 and self._tried >= TRIED and self._waited > WAITS * self._worked:
                yield from self._side_by_side(mails)

    @contextmanager
    def lent(self) -> Iterator[Mailer]:
        """One that nobody is using, of which there is one whenever another mail could be sent."""
        mailer = self._free.pop()
        try:
            yield mailer
        finally:
            self._free.append(mailer)

    def _tried_with(self, mail: Composed) -> Sent:
        begun_at, worked = time.perf_counter(), time.thread_time()
        sent = self._send(mail)
        worked = time.thread_time() - worked
        past = 1 - 1 / TRIED
        self._waited = past * self._waited + time.perf_counter() - begun_at - worked
        self._worked = past * self._worked + worked
        self._tried += 1
        return sent

    def _side_by_side(self, mails: Iterator[Composed]) -> Iterator[Sent]:
        self._threads = ThreadPoolExecutor(self._size, thread_name_prefix="member-reset-mail")
        done: SimpleQueue[Future[Sent]] = SimpleQueue()
        running = 0
        for mail in mails:
            try:
                self._threads.submit(self._send, mail).add_done_callback(done.put)
            except RuntimeError:  # the interpreter is on its way out, and lends no more threads
                yield self._send(mail)
                continue
            running += 1
            if running == self._size:
                yield done.get().result()
                running -= 1
        for _ in range(running):
            yield done.get().result()

    def _send(self, mail: Composed) -> Sent:
        email, token, content = mail
        with self.lent() as mailer:
            return email, token, mailer.send(content, to=email.recipient, public_id=str(email.public_id))
