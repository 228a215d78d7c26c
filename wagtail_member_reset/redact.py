"""Text with a link in it, on its way through what may log or report it: templates, loggers, and error trackers."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from . import tokens

# A token in a text of others, in any case and wrapped as mails are; and what follows a link's path, if it was cut.
SIGN = f"[{tokens.ALPHABET}]"
ANY_TOKEN = re.compile(rf"(?<!{SIGN})(?:{SIGN}(?:=?\s)?){{{tokens.SYMBOLS}}}(?!{SIGN})|(?<=/r/)\S+", re.IGNORECASE)
# Words that may be a token with something glued to it, or one that was wrapped; and what is too long for any word.
SPELT = f"[{tokens.ALPHABET}oil]"
ANY_WORD, NO_WORD = re.compile(f"{SPELT}+", re.IGNORECASE), re.compile(f"{SPELT}{{201,}}", re.IGNORECASE)
ANY_WORDS = re.compile(rf"{SPELT}(?:(?:=?\s{{1,4}})?{SPELT})*", re.IGNORECASE)
# So many places in a text are asked whether a token begins there. Only who makes up a text has more of them.
MOST_ASKED = 100
# The same as `parse` reads it: with hyphens and what is invisible in between.
UNSEEN = "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
ANY_SPELLING = re.compile(
    rf"(?<!{SPELT})(?=((?:{SPELT}(?:=?\s{{1,4}}|[{UNSEEN}-]{{1,4}})?){{{tokens.SYMBOLS - 1}}}{SPELT}))", re.IGNORECASE
)
# So many symbols in one piece may be of a token that was cut, or that something is glued to at both ends. Who has them
# lacks less than forty bits; the two that check the others are no secret.
LEAST_OF_TOKEN = 30
ANY_RUN = re.compile(rf"(?<!{SPELT})({SPELT}(?:[{UNSEEN}]*{SPELT}){{{LEAST_OF_TOKEN - 1},}})", re.IGNORECASE)
# Chance makes at least so many turns from digits to letters and back, and so many letters that no hash in hex has.
# The words, dates and numbers that people write do not, in one piece. Of 100,000 tokens without their last two symbols,
# four are missed.
LEAST_TURNS, LEAST_BEYOND_HEX = 4, 4
TURN, BEYOND_HEX = re.compile(r"(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d)"), re.compile("[g-z]")
# What follows a link's path, if it was cut or spelt in another way; encoded, if it stands in an address.
SLASH = r"(?:/|%(?:25)*2f)"
LINK_ENDING = re.compile(rf"({SLASH}r{SLASH})[^\s…]\S*", re.IGNORECASE)
# A link, also if it was cut: with so much of it, nothing else is meant.
CUT_LINK = re.compile(rf"{SLASH}r{SLASH}{SIGN}{{{tokens.SELECTOR_SYMBOLS}}}", re.IGNORECASE)
# What the cookies of a link hold, as `tokens.seal` and `tokens.seal_used` make it.
SEAL = re.compile(
    rf"(?<![0-9A-Za-z])[{tokens.ALPHABET}]{{{tokens.SELECTOR_SYMBOLS}}}(?:\.[0-9a-f]{{64}})?:[0-9A-Za-z]{{6}}:[\w-]{{43}}"
)
# So much is kept of a text, and of a request: who writes them must not choose how long it takes to look through them.
LONGEST_TEXT = 20_000
LONGEST_PATH, MOST_HEADERS, LONGEST_HEADER = 2_000, 40, 500
# What may hold a part of a token where a text was cut.
CUT_OFF = 160
# Loggers that are given a request, its address, or what a template was given. What refuses a request has a logger for
# each kind of refusal: a logger's filter does not see what is logged below it.
LOGGERS = [
    *("django.request", "django.server", "django.channels.server", "django.template", "django.security.csrf"),
    *("gunicorn.access", "gunicorn.error", "uvicorn.access", "uvicorn.error", "wagtail_member_reset"),
]
# What every record has, whoever made it.
STANDARD = frozenset(vars(logging.makeLogRecord({})))


@dataclass(frozen=True, slots=True, repr=False)
class Redacted:
    """
    Text for a template that no log and no error report quotes.

    Django's templates log at DEBUG what they cannot find, with all that they were given, and services
    such as Sentry keep the variables of a failed call: both see this by its representation.
    Markup that is safe stays safe.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return "<Redacted>"


class Withheld(Exception):
    """Stands in for an error whose traceback or request had a link in it. Its own text is the redacted traceback."""


class WithoutLinks(logging.Filter):
    """
    Lets every record pass, without the personal links in it: for the `filters` of a handler in `LOGGING`.

    Looks at the message, its arguments, the error and what else the record was given. Of a request that has a link
    in it, or that is very long, method, address and headers stay, cut. `install` gives it to Django's own loggers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            _redact(record)
        except Exception as error:
            # What cannot be looked through is not passed on.
            record.msg, record.args = "A record was withheld: %s", (type(error).__name__,)
            record.exc_info = record.exc_text = record.stack_info = None
            vars(record).pop("request", None)
        return True


def install() -> None:
    """Keep links out of what Django and its servers log by themselves, whatever handlers the site has."""
    refusals = [f"django.security.{kind.__name__}" for kind in _and_below(SuspiciousOperation)]
    for name in LOGGERS + refusals:
        logger = logging.getLogger(name)
        if not any(isinstance(each, WithoutLinks) for each in logger.filters):
            logger.addFilter(WithoutLinks())


def without_links(event: dict[str, Any], hint: Any = None) -> dict[str, Any]:
    """
    An error report without the personal links in it, for Sentry's `before_send` and `before_send_transaction`.

    The address of the request that opens a link is one, whatever this package does; the cookies that stand in
    for a link are taken out as well. What only looks like a token, such as the hash of a release, stays.
    """
    return {key: _blanked(value) for key, value in event.items()}


def blank_out(token: str, text: str) -> str:
    """The text of others without the token that they quote, in whatever case, wrapped, or cut at either end."""
    gap, size = r"[\s=]*", 8
    pieces = (gap.join(token[start : start + size]) for start in range(len(token) - size + 1))
    return re.sub(f"(?:(?:{'|'.join(pieces)}){gap})+{SIGN}{{0,{size - 1}}}", "…", text, flags=re.IGNORECASE)


def blank_out_any(text: str) -> str:
    """
    The text of others without whatever has the shape of a token, when it is not known which one they quote: whole,
    cut, or with something glued to it.
    """
    bare = _without_tokens(text)
    # As `parse` reads it; the text stays as it was written where nothing more is found.
    plain = unicodedata.normalize("NFKD", bare)
    read = _without_tokens(plain)
    return bare if read == plain else read


def blank_out_readable(text: str) -> str:
    """
    The text of others without what `parse` would read as a token, also where a word is glued to either end.

    Who writes the text must not choose how long this takes: what no word is as long as is left out, and where a token
    may begin at very many places, so are the words that were not looked at.
    """
    text = NO_WORD.sub("…", text)
    kept, end, asked = list[str](), 0, 0
    for run in ANY_WORDS.finditer(text):
        for first, last in _places(run):
            if first < end:
                continue
            is_asked = asked < MOST_ASKED
            asked += 1
            if not is_asked or tokens.is_sound(text[first:last]):
                kept += [text[end:first], "…"]
                end = last if is_asked else run.end()
    return "".join(kept) + text[end:]


def blank_out_pasted(text: str) -> str:
    """The same of one of very many texts: without a link or a token in one piece, whole or cut."""
    bare = LINK_ENDING.sub(r"\1…", text) if CUT_LINK.search(text) else text
    return blank_out_readable(_without(ANY_RUN, lambda run: _is_random(_bare(run)), bare))


def has_link(text: str) -> bool:
    """Whether there is a personal link in the text of others, or most of a token: for who refuses the text."""
    plain = unicodedata.normalize("NFKD", text)
    if CUT_LINK.search(plain) or any(map(_is_of_token, ANY_RUN.findall(plain))):
        return True
    return any(_is_spelt_token(found[1]) for found in ANY_SPELLING.finditer(plain))


def _without(pattern: re.Pattern[str], is_token: Callable[[str], bool], text: str) -> str:
    kept, end = [], 0
    for found in pattern.finditer(text):
        if found.start() >= end and is_token(found[1]):
            kept += [text[end : found.start()], "…"]
            end = found.end(1)
    return "".join(kept) + text[end:]


def _places(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Where there may be a token in words between which there are only blanks: from where to where."""
    if run.end() - run.start() < tokens.SYMBOLS:
        return
    words = [word.span() for word in ANY_WORD.finditer(run.string, *run.span())]
    is_mixed = len(words) > 1 and any(map(str.isdigit, run[0])) and any(map(str.isalpha, run[0]))
    ends = _ends_of_mixed(words, run.string) if is_mixed else {}
    for start, end in words:
        begins: Iterable[int] = (start, start + 2) if run.string[start - 1 : start] == "%" else (start,)
        if end - start < tokens.SYMBOLS:
            yield from ((begin, ends[begin]) for begin in begins if begin in ends)
            continue
        # In the midst of a word, too, if chance has made it.
        begins = range(start, end) if _is_random(run.string[start:end].lower()) else begins
        yield from ((begin, begin + tokens.SYMBOLS) for begin in begins if begin + tokens.SYMBOLS <= end)


def _ends_of_mixed(words: Sequence[tuple[int, int]], text: str) -> dict[int, int]:
    """Where a token's length of symbols ends, by where it begins. No sentence: letters and digits are among them."""
    ats = [at for span in words for at in range(*span)]
    turns = [0, *accumulate(text[one].isdigit() != text[other].isdigit() for one, other in pairwise(ats))]
    last = tokens.SYMBOLS - 1
    return {ats[at]: ats[at + last] + 1 for at in range(len(ats) - last) if turns[at + last] > turns[at]}


def _without_tokens(text: str) -> str:
    bare = _without(ANY_RUN, _is_of_token, ANY_TOKEN.sub("…", blank_out_readable(text)))
    return _without(ANY_SPELLING, _is_spelt_token, bare)


def _is_of_token(run: str) -> bool:
    """Whether a run of symbols holds a token, or looks like most of one."""
    symbols = _bare(run)
    starts = range(len(symbols) - tokens.SYMBOLS + 1)
    return _is_random(symbols) or any(tokens.is_sound(symbols[at : at + tokens.SYMBOLS]) for at in starts)


def _is_spelt_token(found: str) -> bool:
    """Whether these symbols are a token. Where there are gaps in between, they may be the words of a sentence."""
    symbols = _bare(found)
    return tokens.is_sound(symbols) and (symbols == found.lower() or _is_random(symbols))


def _is_random(symbols: str) -> bool:
    return len(TURN.findall(symbols)) >= LEAST_TURNS and len(BEYOND_HEX.findall(symbols)) >= LEAST_BEYOND_HEX


def _bare(found: str) -> str:
    return tokens.INVISIBLE.sub("", found).replace("=", "").lower()


def _redact(record: logging.LogRecord) -> None:
    for name in set(vars(record)) - STANDARD:
        setattr(record, name, _blanked(getattr(record, name)))
    # Servers hand over mappings that know more than their keys: these stay, or go with the message.
    if isinstance(record.args, tuple):
        record.args = _blanked(record.args)
    try:
        said = record.getMessage()
    except Exception:  # wrong arguments, which the handler reports with the message that they are for
        record.msg = _blanked(str(record.msg))
    else:
        if (bare := _blanked(said)) != said:
            record.msg, record.args = bare, ()
    request = getattr(record, "request", None)
    names_link = isinstance(request, HttpRequest) and _names_link(request)
    if names_link:
        record.request = _address_alone(request)  # type: ignore[arg-type]
    if record.exc_info and record.exc_info[1] is not None:
        text = logging.Formatter().formatException(record.exc_info)
        bare = _blanked(text)
        # The frames of a traceback hold the request. What has no link in it is for the site's own formatter to show.
        if names_link or bare != text:
            record.exc_text, record.exc_info = bare, (Withheld, Withheld(bare), None)
    for name in ("exc_text", "stack_info"):
        setattr(record, name, _blanked(getattr(record, name)))


def _names_link(request: HttpRequest) -> bool:
    # Django's reports hide cookies by themselves.
    values = [request.path, *(value for name, value in request.META.items() if name != "HTTP_COOKIE")]
    said = "\n".join(value for value in values if isinstance(value, str))
    return len(said) > LONGEST_TEXT or _blanked(said) != said


def _address_alone(request: HttpRequest) -> HttpRequest:
    bare = HttpRequest()
    bare.method = request.method
    bare.path, bare.path_info = (_blanked(path, LONGEST_PATH) for path in (request.path, request.path_info))
    headers = (
        (name, value) for name, value in request.META.items() if isinstance(value, str) and name != "HTTP_COOKIE"
    )
    bare.META = {name: _blanked(value, LONGEST_HEADER) for name, value in islice(headers, MOST_HEADERS)}
    return bare


def _blanked(value: Any, longest: int = LONGEST_TEXT) -> Any:
    if isinstance(value, str):
        bare = SEAL.sub("…", LINK_ENDING.sub(r"\1…", blank_out_readable(value[: longest + CUT_OFF])))
        return bare if len(value) <= longest else bare[:-CUT_OFF] + "…"
    if isinstance(value, Mapping):
        return {_blanked(key): _blanked(item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = map(_blanked, value)
        return type(value)._make(items) if hasattr(value, "_make") else tuple(items)
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    return value


def _and_below(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _and_below(below))]
