"""Long files of members: tables of names and addresses as an association exports them, and reading one."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model

from tests.bench.meter import Meter
from wagtail_member_reset.mailing import read_file

FIRST = ["Anna", "Ben", "Carla", "David", "Eva", "Finn", "Greta", "Hans", "Ida", "Jan", "Klara", "Lars", "Mia", "Nora"]
LAST = ["Albers", "Brandt", "Clasen", "Dietz", "Ebert", "Fuchs", "Groß", "Hahn", "Ihde", "Jansen", "Krüger", "Lange"]
HEADER = "Number;First name;Last name;E-mail;Street;City;Joined"
# Of so many lines, one has an address that no account has; and so many accounts share an address, as couples do.
STRANGER, SHARED = 10, 2
WRITTEN = 2000


def long_file(*, lines: int) -> dict[str, Any]:
    """Ours: reads a table of so many lines, of which five each name one account, by its name."""
    people = get_user_model()
    people.objects.bulk_create(
        (people(password="!", **person(number)) for number in range(lines // 5)), batch_size=WRITTEN
    )
    path = Path(os.environ["BENCH_FOLDER"]) / "members.csv"
    write(path, lines=lines, accounts=lines // 5)
    with Meter() as meter, path.open("rb") as file:
        [found] = read_file(file).columns
    if found.lines != lines or found.unclear_count or found.unmatched_count != lines // STRANGER:
        raise RuntimeError(f"Of {lines} lines, {found.unclear_count} are unclear, {found.unmatched_count} name nobody.")
    return meter.as_json()


def write(path: Path, *, lines: int, accounts: int) -> None:
    """A table of so many lines, of which most name one of the `accounts` of `person`."""
    path.write_text("\n".join([HEADER, *_lines(lines, accounts)]) + "\n", encoding="utf-8")


def person(number: int) -> dict[str, str]:
    """The account of this number. It shares its address with the one beside, whose name is another."""
    mailbox = number - number % SHARED
    return {
        "username": f"member{number}",
        "first_name": FIRST[number % len(FIRST)],
        "last_name": LAST[number // len(FIRST) % len(LAST)],
        "email": f"member{mailbox}@club{mailbox % 7}.example",
    }


def _lines(lines: int, accounts: int) -> Iterator[str]:
    chance = random.Random(15)
    for line in range(lines):
        number = chance.randrange(accounts)
        each = person(number)
        address = each["email"] if line % STRANGER else f"somebody{line}@elsewhere.example"
        joined = f"{number % 28 + 1:02}.{number % 12 + 1:02}.20{number % 20:02}"
        yield f'{number};{each["first_name"]};{each["last_name"]};{address};"Main St. {number % 99}";Town;{joined}'
