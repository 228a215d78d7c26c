"""Long files of members: tables of names, addresses and numbers as an association exports them, made without a site."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

FIRST = [
    "Anna",
    "Ben",
    "Carla",
    "David",
    "Eva",
    "Finn",
    "Greta",
    "Hans",
    "Ida",
    "Jan",
    "Klara",
    "Lars",
    "Mia",
    "Nora",
    "Ole",
    "Paul",
    "Rosa",
    "Sven",
    "Tim",
    "Uta",
]
LAST = [
    "Albers",
    "Brandt",
    "Clasen",
    "Dietz",
    "Ebert",
    "Fuchs",
    "Groß",
    "Hahn",
    "Ihde",
    "Jansen",
    "Krüger",
    "Lange",
    "Meyer",
    "Nolte",
    "Otto",
    "Peters",
]
HEADER = "Number;First name;Last name;E-mail;Street;City;Joined"
# Of so many lines, one has an address that no account has; of so many, one shares its address with another person.
STRANGER, SHARED = 10, 2


def write(path: Path, *, lines: int, accounts: int) -> None:
    """A table of so many lines, of which most name one of the `accounts`: those called `member0` and so on."""
    path.write_text("\n".join([HEADER, *_lines(lines, accounts)]) + "\n", encoding="utf-8")


def person(number: int) -> dict[str, str]:
    """The account of this number: as many share an address as the lines have it."""
    mailbox = number - (number % SHARED == 1)
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    return {
        "username": f"member{number}",
        "first_name": first,
        "last_name": last,
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
