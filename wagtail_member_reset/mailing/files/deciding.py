"""Which of several accounts a line means: by a username, a number or a name that stands in it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import cached_property

from .column import Telling
from .persons import LONGEST_NAME, Person, key_of, words_of
from .words import is_known

MOST_WORDS = 5
SCHEMES = ("mailto", "smtp")


class Line:
    """
    What a line says, by its cells without addresses and roles.

    The keys decide nearly all lines, so only these are made at once.
    """

    def __init__(self, cells: list[str], *, column: int, telling: Telling) -> None:
        self._cells, self._column, self._telling = cells, column, telling
        joined = "\n".join(cells)
        if joined.isascii() and "'" not in joined and joined.count("\n") == len(cells) - 1:
            # Plain cells are taken all at once; one that is too long for a name is the key of nothing.
            self.folded = joined.lower()
            keys = list(map(str.strip, self.folded.split("\n")))
        else:
            keys = list(map(key_of, self.texts.values()))
            self.folded = "\n".join(keys)
        self.number_keys = {key for at in telling.numbers if at < len(cells) and (key := key_of(_text_of(cells[at])))}
        # A number that is no member's may be anything.
        self.keys = {key for key in keys if key and not key.isdecimal()} | self.number_keys

    @cached_property
    def texts(self) -> dict[int, str]:
        """By column, but for those that are too long for a name."""
        return {at: text for at, cell in enumerate(self._cells) if (text := _text_of(cell))}

    @cached_property
    def names(self) -> list[str]:
        """The texts that are names of people."""
        return [text for at, text in self.texts.items() if self._is_name(at, text)]

    @cached_property
    def words(self) -> list[set[str]]:
        """Of each cell that may have several."""
        return [set(words_of(text)) for text in self.texts.values() if not text.isalnum()]

    def _is_name(self, at: int, text: str) -> bool:
        if at == self._column:
            return _may_be_name(text, fewest=1)
        named = self._telling.names
        return at in named if named else _may_be_name(text, fewest=2)


def decided(
    candidates: Mapping[int, Person], line: Line, *, set_apart: Container[int] = (), needs_full_name: bool = False
) -> int | None:
    """
    The number of the one account that the line means; None where nothing in it decides, or what it says disagrees.

    With `needs_full_name`, a first name by itself decides nothing. One word decides for none of the accounts
    `set_apart`, unless it stands where a name does: roles read like their usernames and names.
    """
    keys, numbers = line.keys, line.number_keys
    by_username: list[int] = []
    exact: list[int] = []
    by_number: list[int] = []
    by_name: list[int] = []
    for at, each in candidates.items():
        if each.username_key in keys and not (at in set_apart and each.username.isalpha()):
            by_username.append(at)
            if each.username in line.texts.values():
                exact.append(at)
        if numbers and not numbers.isdisjoint(each.numbers):
            by_number.append(at)
        if _has_full_name(each, line):
            by_name.append(at)
    answers = [answer for answer in (exact or by_username, by_number, by_name) if answer]
    if not answers and not needs_full_name:
        names = set(map(key_of, line.names)) if any(at in set_apart for at in candidates) else keys
        answers = [[at for at, each in candidates.items() if each.first in (names if at in set_apart else keys)]]
    first, *others = answers or [[]]
    agreed = set(first).intersection(*others)
    return agreed.pop() if len(agreed) == 1 else None


def names_another(line: Line, person: Person, others: Iterable[Person]) -> bool:
    """Whether a line has the name of somebody else than this one: one of these others, or who has no account."""
    keys = line.keys
    said = {word for text in line.names for word in words_of(text)}
    own = person.words()
    fits = _fits(said, own)
    for other in others:
        if other.username_key in keys or other.first in keys - {person.first, ""}:
            return True
        is_namesake = set(words_of(other.whole)) == set(words_of(person.whole))
        if said and not is_namesake and _fits(said, other.words()) >= fits:
            return True
    return bool(said) and not fits


def _fits(said: set[str], own: list[str]) -> int:
    """How many of these words are in a member's name, or begin a word of it."""
    return sum(any(word.startswith(each) for word in own) for each in said)


def _has_full_name(person: Person, line: Line) -> bool:
    """Whether the first and the last name stand in one cell, with at most a title more, or in a cell each."""
    keys, name = line.keys, person.name
    if person.first in keys and person.last in keys and person.first and person.last:
        return True
    # Cells are taken apart only where the first word stands in one at all.
    if len(name) < 2 or name[0] not in line.folded:
        return False
    return any(len(cell) <= len(name) + 2 and cell.issuperset(name) for cell in line.words)


def _text_of(cell: str) -> str:
    text = cell.strip().strip("'")
    return text if text.strip() and len(text) <= LONGEST_NAME else ""


def _may_be_name(text: str, *, fewest: int) -> bool:
    """Whether a text that stands in no column of names is as long as one, and has nothing but words."""
    parts = text.replace(",", " ").split()
    are_words = all(part.strip(".").replace("-", "").replace("'", "").replace("\u2019", "").isalpha() for part in parts)
    return are_words and fewest <= len(parts) <= MOST_WORDS and not is_known(text) and text.lower() not in SCHEMES
