"""
A mail server that can be told to fail, in a process of its own: what it took outlives whoever is killed.

Its plan is a file that it reads for each command, so that a test changes it at any time; what it
took stands in another file, a line of JSON for each mail.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"https?://\S+")


@dataclass
class Plan:
    """How to answer. Nothing set: as a mail server should."""

    answers: dict[str, str] = field(default_factory=dict)
    """By SMTP verb: `{"RCPT": "450 4.2.0 later"}`."""
    only_for: str = ""
    """The address to which `answers` are given; empty for every address."""
    hangs: bool = False
    """Fall silent after the greeting."""
    refuses: bool = False
    """Hang up at once, as a server does that takes no more connections."""
    drops_after_data: bool = False
    """Take the mail and hang up without saying so."""
    pause: float = 0.0
    """Seconds before each answer: time in which a client can be killed."""


@dataclass(frozen=True)
class Taken:
    """A mail that the server took."""

    to: str
    message_id: str
    links: tuple[str, ...]


class MailServer:
    """The server as its tests see it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._plan, self._taken = folder / "plan.json", folder / "taken.jsonl"

    def plan(self, **changes: Any) -> None:
        """Answer by this plan from now on; without arguments, as a mail server should."""
        fresh = self._plan.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(Plan(**changes))))
        fresh.replace(self._plan)

    def taken(self, to: str = "") -> list[Taken]:
        """What was taken so far, of one address or of all."""
        lines = self._taken.read_text().splitlines() if self._taken.exists() else []
        found = [Taken(one["to"], one["message_id"], tuple(one["links"])) for one in map(json.loads, lines)]
        return [one for one in found if to in ("", one.to)]


@contextlib.contextmanager
def running() -> Iterator[MailServer]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = MailServer(folder, port)
        server.plan()
        command = [sys.executable, "-m", "tests.score.mailserver", name, str(port)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            # It says so when it listens.
            if not process.stdout or process.stdout.readline() != b"ready\n":
                raise RuntimeError("The mail server did not start.")
            yield server
        finally:
            process.kill()
            process.communicate()


class Handler:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self) -> Plan:
        return Plan(**json.loads((self.folder / "plan.json").read_text()))

    async def answer(self, verb: str, to: str) -> str | None:
        plan = self.plan()
        await asyncio.sleep(3600 if plan.hangs else plan.pause)
        is_meant = plan.only_for in ("", to)
        return plan.answers.get(verb) if is_meant else None

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if answer := await self.answer("MAIL", ""):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if answer := await self.answer("RCPT", address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        to = envelope.rcpt_tos[0]
        if answer := await self.answer("DATA", to):
            return answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain",))
        links = LINK.findall(body.get_content() if body else "")
        line = json.dumps({"to": to, "message_id": str(message["Message-ID"]), "links": links})
        with (self.folder / "taken.jsonl").open("a") as taken:
            taken.write(line + "\n")
        if self.plan().drops_after_data:
            server.transport.abort()
        return "250 OK"


class Session(SMTP):
    """Reads the plan before the greeting, too."""

    def connection_made(self, transport: Any) -> None:
        if self.event_handler.plan().refuses:
            transport.abort()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.session is not None:  # else it was never made
            super().connection_lost(error)


async def serve(folder: Path, port: int) -> None:
    loop, handler = asyncio.get_running_loop(), Handler(folder)
    server = await loop.create_server(lambda: Session(handler, enable_SMTPUTF8=True), "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with server:
        # Whoever started it holds the other end: when that is gone, so is it.
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
