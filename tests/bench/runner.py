"""Runs contests: round by round, every measurement in a process and a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.databases import Postgres, Sqlite
from tests.bench.outside import Outside

ROOT = Path(__file__).resolve().parents[2]
# Mails of a contestant's warming up.
WARM = 3
# How ours turn to `outside`.
WAYS: dict[str, Callable[[Outside], dict[str, Any]]] = {
    "": lambda outside: {},
    "smtp": lambda outside: {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": outside.smtp_port,
        "EMAIL_TIMEOUT": 30,
    },
    "provider": lambda outside: {
        "EMAIL_BACKEND": "anymail.backends.mailgun.EmailBackend",
        "ANYMAIL": {
            "MAILGUN_API_KEY": "key",
            "MAILGUN_SENDER_DOMAIN": "club.example",
            "MAILGUN_API_URL": f"http://127.0.0.1:{outside.service_port}/v3",
        },
    },
}


class Runner:
    def __init__(self, folder: Path, databases: Sqlite | Postgres, outside: Outside) -> None:
        self.folder, self.databases, self.outside = folder, databases, outside
        self._filled: dict[tuple[int, int, str], str] = {}

    def contest(self, contest: Contest, size: Size, rounds: int, *, say: Callable[[str], None]) -> Results:
        contestants = list(contest.contestants(size))
        results: Results = {each.name: [] for each in contestants}
        for number in range(rounds):
            # Nobody is always the first.
            first = number % len(contestants)
            for each in contestants[first:] + contestants[:first]:
                say(f"{contest.name} on {self.databases.name}, round {number + 1} of {rounds}: {each.title}")
                results[each.name].append(self._measured(each))
        return results

    def _measured(self, contestant: Contestant) -> dict[str, Any]:
        source = self._database(contestant.table, contestant.resets, contestant.filling)
        database = source if contestant.resets else self.databases.new(source)
        arguments = contestant.arguments | ({"count": contestant.mails} if contestant.mails else {})
        self.outside.begin(late=contestant.late)
        try:
            settings = WAYS[contestant.way](self.outside) | contestant.settings
            found = self._run(contestant.work, database, arguments, settings)
        finally:
            if database != source:
                self.databases.drop(database)
        expected = contestant.mails + WARM if contestant.mails else 0
        if (taken := self.outside.taken()) != expected:
            raise RuntimeError(f"{contestant.title}: {taken} members were mailed, not {expected}.")
        return {**found, "mails": contestant.mails}

    def _database(self, members: int, resets: int = 0, filling: str = "") -> str:
        """One that is filled like this, made once, out of one that holds less."""
        key = (members, resets, filling if resets else "")
        if key not in self._filled:
            if resets:
                work, arguments, source = filling, {"resets": resets}, self._database(members)
            elif members:
                first = max(
                    (known for known, rows, _filling in self._filled if known < members and not rows), default=0
                )
                source = self._database(first)
                work, arguments = "with_members", {"first": first, "last": members}
            else:
                work, arguments, source = "migrated", {"letters_to": str(self.folder / "letters")}, ""
            database = self.databases.new(source)
            self._run(work, database, arguments, {})
            self._filled[key] = database
        return self._filled[key]

    def _run(self, work: str, database: str, arguments: dict[str, Any], settings: dict[str, Any]) -> Any:
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        order = {"work": work, "arguments": arguments, "settings": settings, "to": str(answer)}
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.bench.site",
            "SCORE_DB": self.databases.name,
            "BENCH_NAME": database,
            "BENCH_FOLDER": str(self.folder),
            # Sets are walked through in the same order in every run.
            "PYTHONHASHSEED": "0",
        }
        command = [sys.executable, "-m", "tests.bench.child", json.dumps(order)]
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if ended.returncode or not answer.exists():
            raise RuntimeError(f"{work} ended with {ended.returncode}; what it said stands above.")
        return json.loads(answer.read_text())
