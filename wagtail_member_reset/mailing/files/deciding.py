"""Which of several accounts a line means: by a username, a number or a name that stands in it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import cached_property

from .persons import Person, key_of, words_of


class Line:
    """What a line says: its cells, and which of them are names of people, and numbers of members."""

    def __init__(self, texts: list[str], names: list[str], numbers: list[str]) -> None:
        self.texts, self.names = texts, names
        self.number_keys = set(map(key_of, numbers))
        # Of all cells; but a number that is no member's may be anything.
        self.keys = {key for key in _keys_of(texts) if not key.isdecimal()} | self.number_keys

    @cached_property
    def words(self) -> list[set[str]]:
        """Of each cell that may have several."""
        return [set(words_of(text)) for text in self.texts if not text.isalnum()]


def _keys_of(texts: list[str]) -> Iterable[str]:
    """Of texts that are no longer than a name; all at once, where they are plain."""
    joined = "\n".join(texts)
    if not joined.isascii() or joined.count("\n") != len(texts) - 1:
        return map(key_of, texts)
    return map(str.strip, joined.lower().split("\n"))


def decided(
    candidates: Mapping[int, Person], line: Line, *, set_apart: Container[int] = (), needs_full_name: bool = False
) -> int | None:
    """
    The number of the one account that the line means; None where nothing in it decides, or what it says disagrees.

    With `needs_full_name`, a first name by itself decides nothing. One word decides for none of the accounts
    `set_apart`, unless it stands where a name does: roles read like their usernames and names.
    """
    keys, numbers = line.keys, line.number_keys
    by_username, exact, by_number, by_name = set[int](), set[int](), set[int](), set[int]()
    for at, each in candidates.items():
        if each.username_key in keys and not (at in set_apart and each.username.isalpha()):
            by_username.add(at)
            if each.username in line.texts:
                exact.add(at)
        if numbers and not numbers.isdisjoint(each.numbers):
            by_number.add(at)
        if _has_full_name(each, line):
            by_name.add(at)
    answers = [answer for answer in (exact or by_username, by_number, by_name) if answer]
    if not answers and not needs_full_name:
        names = set(map(key_of, line.names)) if set_apart else keys
        answers = [{at for at, each in candidates.items() if each.first in (names if at in set_apart else keys)}]
    agreed = set.intersection(*answers) if answers else set()
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
    if person.first and person.last and person.first in line.keys and person.last in line.keys:
        return True
    name = person.name
    # Cells are taken apart only where the first word stands in one at all.
    if len(name) < 2 or not any(name[0] in key for key in line.keys):
        return False
    return any(len(cell) <= len(name) + 2 and cell.issuperset(name) for cell in line.words)
