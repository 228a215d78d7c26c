"""
The token: 12 symbols that find the row, 26 that prove, 2 that catch typing mistakes.

Nothing here touches the database or a request, and nothing here is ever stored
but what `Material` holds. The token itself exists in memory, in the mail and in
the member's browser.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hmac import HMAC
from typing import Any, Protocol
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable
from django.core import signing
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from .conf import conf
from .exceptions import LinkProblem, WindowClosed
from .ids import SALT

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
SELECTOR_SYMBOLS, SECRET_SYMBOLS, CHECK_SYMBOLS = 12, 26, 2
SYMBOLS = SELECTOR_SYMBOLS + SECRET_SYMBOLS + CHECK_SYMBOLS
LONGEST_INPUT = 512
# Stands in the link of a test email, and is no token: it is neither as long, nor in any row.
NO_TOKEN = "example-only"  # noqa: S105
GRANT_LIFETIME = timedelta(minutes=30)
# For how long a browser knows which link it used: nobody else at the same computer should learn the name.
USED_LIFETIME = timedelta(minutes=10)

# What a segment of a link's path begins with, after what opens a quotation or a bracket.
BEGINNING = re.compile(f"[^0-9a-z]*([{ALPHABET}]{{{SYMBOLS}}})")
# What mail clients and people add: "=" at a line end, white space, soft hyphens, zero-width marks.
INVISIBLE = re.compile(
    r"=\r?\n|[\s\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff-]+"
)
LOOKALIKES = str.maketrans("oil", "011")


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose spelling is sound; whether it opens anything is for `matches` to say."""

    selector: str
    secret: str

    @property
    def text(self) -> str:
        """As it stands in the link."""
        return self.selector + self.secret + _check(self.selector, self.secret)

    @property
    def proof(self) -> str:
        return hashlib.sha256(f"grant{self.selector}{self.secret}".encode()).hexdigest()

    def __repr__(self) -> str:
        # A secret in a traceback would be a secret in a log.
        return f"<Token {self.selector}>"


@dataclass(frozen=True, slots=True)
class Material:
    """What a row keeps of a link: enough to verify it, and while `nonce` stands, to make it again."""

    selector: str
    nonce: bytes
    verifier: str
    key_id: str


class Derivable(Protocol):
    selector: str
    nonce: Any
    key_id: str
    issued_at: datetime


class Verifiable(Protocol):
    selector: str
    verifier: str


def current_key() -> str | bytes:
    """The key that new links are made with. Who makes many asks for it once."""
    key: str | bytes = settings.SECRET_KEY
    return key


def issue(key: str | bytes | None = None) -> tuple[Material, Token]:
    """Make a new link under the current key: what its row keeps, and what only its mail may."""
    key = key or current_key()
    selector, nonce = _random_symbols(SELECTOR_SYMBOLS), secrets.token_bytes(32)
    token = Token(selector, _secret(selector, nonce, key))
    return Material(selector, nonce, _verifier(selector, token.proof, key), _key_id(key)), token


def mint(reset: Derivable) -> str:
    """
    Make the token of a reset again, for the mail or for staff.

    Raises `WindowClosed` once the status window is over by the clock, when the
    nonce is erased, or when the key that issued the link is gone.
    """
    key = _key_with(reset.key_id)
    if reset.nonce is None or key is None or timezone.now() >= reset.issued_at + conf.STATUS_WINDOW:
        raise WindowClosed(f"reset {reset.selector}")
    return Token(reset.selector, _secret(reset.selector, bytes(reset.nonce), key)).text


def is_sample(text: str) -> bool:
    """Whether this is what stands in the link of a test email instead of a token."""
    is_short = isinstance(text, str) and len(text) <= 2 * len(NO_TOKEN)
    return is_short and text.strip().rstrip("/.,;:)>").casefold() == NO_TOKEN


def parse(text: str) -> Token | None:
    """
    Read a token as people and mail clients spell it; None for anything else.

    Takes the token alone or the whole link, at most 512 characters, whatever was glued to its end. Needs no
    database, so that junk costs no query, and tells nobody more than arithmetic.
    """
    if not isinstance(text, str) or len(text) > LONGEST_INPUT:
        return None
    if "%" in text:  # encoded once more than a browser does
        text = unquote(text)
    # Taken apart, so that an accent behind a symbol is one thing more that was glued to it.
    text = INVISIBLE.sub("", unicodedata.normalize("NFKD", INVISIBLE.sub("", text))).lower()
    # A query, a fragment, or the query of a service that had wrapped the link, which may hold slashes.
    text = re.sub(r"[?#].*|(?<=[0-9a-z])&.*", "", text, flags=re.DOTALL)
    # One candidate, the last segment that begins like a token: of 1,024 places in junk, one fits.
    found = (BEGINNING.match(part.translate(LOOKALIKES)) for part in reversed(text.split("/")))
    symbols = next((match[1] for match in found if match), None)
    return None if symbols is None else _token_of(symbols)


def is_sound(text: str) -> bool:
    """Whether these are the symbols of a token, wrapped or not. Quick, since there may be very many to ask about."""
    return _token_of("".join(text.replace("=", "").split()).lower().translate(LOOKALIKES)) is not None


def matches(proof: str, row: Verifiable | None) -> bool:
    """
    Whether `proof` belongs to the row, over every key, in one time for all answers.

    Without a row the same work is done against nothing, so that time does not
    tell which selectors exist.
    """
    selector, verifier = (row.selector, row.verifier) if row else ("", "0" * 64)
    found = False
    for key in _keys():
        found |= constant_time_compare(_verifier(selector, proof, key), verifier)
    return found and row is not None


def is_derivable(reset: Derivable) -> bool:
    try:
        mint(reset)
    except WindowClosed:
        return False
    return True


def password_mark(member_pk: object, password: str, key_id: str) -> str:
    """
    A mark that changes when the password does; empty when the key is gone.

    Every unusable password has the same mark, since Django rolls them anew at
    each call of `set_unusable_password`.
    """
    key = _key_with(key_id)
    return "" if key is None else new_password_mark(member_pk, password, key)


def new_password_mark(member_pk: object, password: str, key: str | bytes) -> str:
    """The same, of a link that is made with this key."""
    state = password if is_password_usable(password) else "!"
    return _mac("password", f"{member_pk}|{state}".encode(), key).hexdigest()


def seal(selector: str, proof: str) -> str:
    """The value of the grant cookie: signed, timed, and without the token."""
    return _signer().sign(f"{selector}.{proof}")


def seal_problem(problem: LinkProblem) -> str:
    """The value of the grant cookie for a link that opens nothing."""
    return _signer().sign(f"problem.{problem.value}")


def unseal(value: str) -> tuple[str, str] | LinkProblem | None:
    """Selector and proof, or the problem that was sealed; None when forged or past 30 minutes."""
    if len(value) > LONGEST_INPUT:
        return None
    try:
        first, _, second = _signer().unsign(value, max_age=GRANT_LIFETIME).partition(".")
        return LinkProblem(second) if first == "problem" else (first, second)
    except (signing.BadSignature, ValueError):
        return None


def seal_used(selector: str) -> str:
    """The value of the cookie that says which link was used. It opens nothing."""
    return _signer("used").sign(selector)


def unseal_used(value: str) -> str | None:
    """The selector, empty once it was forgotten; None when forged or past 10 minutes."""
    if len(value) > LONGEST_INPUT:
        return None
    try:
        return _signer("used").unsign(value, max_age=USED_LIFETIME)
    except signing.BadSignature:
        return None


def _token_of(symbols: str) -> Token | None:
    """The token that forty symbols are; None where the last two do not agree with the others."""
    selector, secret = symbols[:SELECTOR_SYMBOLS], symbols[SELECTOR_SYMBOLS:-CHECK_SYMBOLS]
    return Token(selector, secret) if symbols[-CHECK_SYMBOLS:] == _check(selector, secret) else None


def _keys() -> list[str | bytes]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _key_with(key_id: str) -> str | bytes | None:
    """Which of the site's keys has this id; None when it is gone. An id is no secret."""
    return next((key for key in _keys() if _key_id(key) == key_id), None)


@lru_cache(maxsize=8)
def _key_id(key: str | bytes) -> str:
    return salted_hmac(SALT + "keyid", "", secret=key, algorithm="sha256").hexdigest()[:16]


def _secret(selector: str, nonce: bytes, key: str | bytes) -> str:
    return _symbols(_mac("token", selector.encode() + b"|" + nonce, key).digest(), SECRET_SYMBOLS)


def _verifier(selector: str, proof: str, key: str | bytes) -> str:
    return _mac("verify", f"{selector}|{proof}".encode(), key).hexdigest()


def _mac(purpose: str, value: bytes, key: str | bytes) -> HMAC:
    """Django's `salted_hmac` of a value. The key is worked in once, which takes four times as long as the value."""
    mac = _keyed(purpose, key).copy()
    mac.update(value)
    return mac


@lru_cache(maxsize=32)
def _keyed(purpose: str, key: str | bytes) -> HMAC:
    return salted_hmac(SALT + purpose, b"", secret=key, algorithm="sha256")


def _check(selector: str, secret: str) -> str:
    return _symbols(hashlib.sha256(f"mr1{selector}{secret}".encode()).digest(), CHECK_SYMBOLS)


def _symbols(data: bytes, count: int) -> str:
    """Its first bits, five for each symbol, two symbols at a time."""
    bits = int.from_bytes(data, "big") >> (len(data) * 8 - count * 5)
    return "".join([PAIRS[bits >> shift & 1023] for shift in range((count - 2) * 5, -1, -10)])


def _random_symbols(count: int) -> str:
    return _symbols(secrets.token_bytes(-(-count * 5 // 8)), count)


def _signer(purpose: str = "grant") -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT + purpose)
