"""Whether the answer itself tells who has an account: its bytes, and the SQL statements behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

# What others say is found out after a few.
OTHERS_ADDRESSES = 50
REFUSED = 5
WARM_UP = 3
KINDS = ["missing", "existing", "inactive", "unusable", "several"]
# What a strange visitor sees of a response, in the order in which differences are named.
PARTS = ["status", "headers", "cookies", "body"]

# In a form's hidden field, and in what Wagtail tells its scripts.
CSRF = re.compile(r"(csrf.{1,40}?)\b[a-z0-9]{64}\b", re.IGNORECASE)
# A string's own quotes are doubled; what PostgreSQL is told of its type is part of the statement.
STRINGS = re.compile(r"[eE]?'(?:[^']|'')*'")
NUMBERS = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
CLOCK = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
# What Django names by counting: savepoints, and cursors on the server.
COUNTED = re.compile(r'"?\b(?:s\d+_x\d+|_django_curs_\w+)\b"?')


@dataclass(frozen=True)
class Answer:
    """What came back for one address, without what is drawn by lot or told by the clock."""

    parts: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]


@measure("response", order=20)
def enumeration_by_response(run: Run) -> Iterator[Figure]:
    """Ask for fresh addresses of each kind, and compare all answers with those for addresses that nobody has."""
    each = run.pairs if run.target.is_ours else min(run.pairs, OTHERS_ADDRESSES)
    addresses = {kind: [getattr(run.people, kind)() for _ in range(each + WARM_UP)] for kind in KINDS}
    refused = {kind: [getattr(run.people, kind)() for _ in range(REFUSED)] for kind in KINDS}
    run.people.settle()
    # What a first request fills, such as caches of the site, is not what tells people apart.
    for kind in KINDS:
        for address in addresses[kind][:WARM_UP]:
            _answer(run, address)
    turns = [(kind, address) for kind in KINDS for address in addresses[kind][WARM_UP:]]
    run.rng.shuffle(turns)
    answers: dict[str, list[Answer]] = {kind: [] for kind in KINDS}
    for kind, address in turns:
        answers[kind].append(_answer(run, address))
    parts = {kind: [answer.parts for answer in answers[kind]] for kind in KINDS}
    yield figure_of("response: status, headers, cookies, body", parts, unit="parts of both pages")
    statements = {kind: [answer.statements for answer in answers[kind]] for kind in KINDS}
    yield figure_of("response: SQL statements", statements, unit="statements")
    if connection.vendor == "postgresql":
        with database_without_writing():
            parts = {kind: [refused_answer(run, address) for address in refused[kind]] for kind in KINDS}
        yield figure_of("response: while the database takes no rows", parts, unit="parts of the answer")


@contextmanager
def database_without_writing() -> Iterator[None]:
    """As with a full disk, or a server that was switched to reading: for this process's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")


def refused_answer(run: Run, address: str) -> tuple[Any, ...]:
    response = run.adapter.request(address)
    return (response.status_code, CSRF.sub(r"\1", response.content.decode()).replace(address, "(address)"))


def figure_of(name: str, seen: dict[str, list[Any]], *, unit: str) -> Figure:
    each = len(seen["missing"])
    strangers = set(seen["missing"])
    differing = [kind for kind in KINDS if set(seen[kind]) != strangers]
    parts = len(seen["missing"][0])
    if not parts:
        verdict, reason = Verdict.INCONCLUSIVE, "Nothing was seen, so nothing was compared."
    elif len(strangers) > 1:
        verdict, reason = Verdict.INCONCLUSIVE, "The answers for missing accounts already differ among themselves."
    elif differing:
        example = next(iter(set(seen[differing[0]]) - strangers))
        verdict, reason = Verdict.FAIL, difference(example, next(iter(strangers)))
    else:
        verdict, reason = Verdict.PASS, ""
    return Figure(
        name=name,
        text=(
            "other than for missing ones: " + ", ".join(differing) if differing else "identical for " + ", ".join(KINDS)
        )
        + f"; {parts} {unit} for each",
        n=each * len(KINDS),
        unit="requests",
        control=f"{each} missing accounts among themselves: {_count(len(strangers))}",
        verdict=verdict,
        reason=reason,
        value={"differing": differing, "different_answers": {kind: len(set(seen[kind])) for kind in KINDS}},
    )


def difference(answer: tuple[Any, ...], usual: tuple[Any, ...]) -> str:
    """Where two answers part, in one line."""
    for one, other in zip(answer, usual, strict=False):
        if one != other:
            return f"First difference: {_short(one)} instead of {_short(other)}"
    return f"{len(answer)} instead of {len(usual)}"


def _short(found: Any) -> str:
    text = " ".join(found) if isinstance(found, tuple) else str(found)
    return text if len(text) <= 90 else text[:87] + "..."


def _count(answers: int) -> str:
    return "one answer" if answers == 1 else f"{answers} answers"


def _answer(run: Run, address: str) -> Answer:
    connection.queries_log.clear()  # it holds nine thousand, and no more
    with CaptureQueriesContext(connection) as queries:
        response = run.adapter.request(address)
        parts = seen_of(response, address)
        if 300 <= response.status_code < 400:
            parts += seen_of(run.adapter.follow(response), address)
    # Read at once: the next request empties Django's list.
    return Answer(parts, tuple(normalised(query["sql"]) for query in queries.captured_queries))


def seen_of(response: Any, address: str) -> tuple[tuple[str, str], ...]:
    """The bytes that a stranger sees. An answer may repeat the address: the stranger has typed it."""
    if response.status_code >= 400:
        raise RuntimeError(f"{response.wsgi_request.path} was answered with {response.status_code}.")
    headers = sorted(f"{name}: {CLOCK.sub('(date)', value)}" for name, value in response.headers.items())
    cookies = sorted(_cookie(cookie) for cookie in response.cookies.values())
    body = CSRF.sub(r"\1", response.content.decode()).replace(address, "(address)")
    found = [str(response.status_code), "\n".join(headers).replace(address, "(address)"), "\n".join(cookies), body]
    return tuple(zip(PARTS, found, strict=True))


def _cookie(cookie: Any) -> str:
    """A cookie's name and attributes: its value is drawn by lot, when it ends is told by the clock."""
    attributes = sorted(f"{name}={value}" for name, value in cookie.items() if value and name != "expires")
    return "; ".join([cookie.key, *attributes])


def normalised(sql: str) -> str:
    """A statement without its values."""
    return NUMBERS.sub("?", STRINGS.sub("?", COUNTED.sub("(name)", sql)))
