"""
The outside world in a process of its own, so that its work is not counted: a mail server, and a mail service
that answers as Mailgun does. Both count what they take, and answer as late as they are told.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

ROOT = Path(__file__).resolve().parents[2]


class Outside:
    """The other process, as its starter sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        ports = self._said()
        self.smtp_port, self.service_port = ports["smtp"], ports["service"]

    def begin(self, *, late: float = 0.0) -> None:
        """Count from nought, and answer so many seconds late: each SMTP reply, each call of the service."""
        self._ask({"late": late})

    def taken(self) -> int:
        """How many members were mailed since then, by either way."""
        return int(self._ask({})["taken"])

    def _ask(self, wish: dict[str, float]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The mail server did not start, or died.")
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.contextmanager
def running() -> Iterator[Outside]:
    command = [sys.executable, "-m", "tests.bench.outside"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Outside(process)
    finally:
        process.kill()
        process.communicate()


@dataclass
class State:
    late: float = 0.0
    taken: int = 0


STATE = State()


class Session(SMTP):
    """Every reply is late, the greeting among them: that is what a distance does."""

    async def push(self, status: Any) -> None:
        if STATE.late:
            await asyncio.sleep(STATE.late)
        await super().push(status)


class Taker:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        STATE.taken += len(envelope.rcpt_tos)
        return "250 OK"


class Service(BaseHTTPRequestHandler):
    """Takes a call for one member or for many, as `to` is repeated in it."""

    protocol_version = "HTTP/1.1"
    # Without this, the second half of an answer waits for the first to be acknowledged.
    disable_nagle_algorithm = True
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            STATE.taken += b"&".join((b"", body)).count(b"&to=")
        time.sleep(STATE.late)
        answer = b'{"id": "<20261124.1@club.example>", "message": "Queued. Thank you."}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


async def serve() -> None:
    loop, taker = asyncio.get_running_loop(), Taker()
    mail = await loop.create_server(lambda: Session(taker, enable_SMTPUTF8=True), "127.0.0.1", 0)
    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    _say({"smtp": mail.sockets[0].getsockname()[1], "service": service.server_port})
    # Whoever started it holds the other end: when that is gone, so is it.
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        wish = json.loads(line)
        if "late" in wish:
            STATE.late, STATE.taken = wish["late"], 0
        _say({"taken": STATE.taken})


def _say(facts: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
