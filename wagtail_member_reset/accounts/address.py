"""
Addresses: one key for all spellings of one, and the accounts that have it.

An address is typed, pasted, imported and sent back by mail servers. Whoever compares two asks for their keys.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import idna
from django.contrib.auth import get_user_model
from django.db.models import BooleanField, Func, Q, QuerySet, Value
from django.db.models.functions import Upper
from django.db.models.lookups import In

from .columns import column_of

Member = Any  # the site's own user model

LONGEST_ADDRESS = 320
LONGEST_DOMAIN = 253
# Who shares an address is counted up to here: a placeholder may stand on every account.
MOST_COUNTED = 1000
# What `str.strip` takes off. Databases differ about it: none of them takes all of these for white space.
WHITE_SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# What may stand behind a domain and is none of it.
BEHIND_DOMAIN = "." + WHITE_SPACE
# Written between letters of some scripts, where they mean something; invisible anywhere else.
JOINERS = "\u200c\u200d"
# Control characters, and what Unicode calls ignorable by default, but for joiners and what needs four bytes.
INVISIBLE = "".join(
    chr(number)
    for first, last in (
        *((0x01, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C)),
        *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200B), (0x200E, 0x200F)),
        *((0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
    )
    for number in range(first, last + 1)
)
BLANKS = WHITE_SPACE + JOINERS + INVISIBLE
JOINED = re.compile(f"[{JOINERS}]+")
WITHOUT_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))
WITHOUT_JOINERS = dict.fromkeys(map(ord, JOINERS))
# The @ of keyboards for Chinese, Japanese and Korean.
AT_SIGNS = str.maketrans("\uff20\ufe6b", "@@")


def address_of(member: Member) -> str:
    """The address of an account as mail is sent to it: cleaned, if it was stored unclean."""
    stored = str(getattr(member, member.get_email_field_name(), "") or "")
    return clean_address(stored)


def clean_address(text: str) -> str:
    """The same address without what nobody sees: white space around it, and invisible characters in it."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.translate(WITHOUT_INVISIBLE).translate(AT_SIGNS).strip(WHITE_SPACE + JOINERS)
    return JOINED.sub(_without_stray, text)


def _without_stray(found: re.Match[str]) -> str:
    """Joiners between two letters that they may join; none of others."""
    before, after = found.string[: found.start()][-1:], found.string[found.end() : found.end() + 1]
    joins = before and after and not before.isascii() and not after.isascii()
    return found[0] if joins else ""


def same_address(one: str, other: str) -> bool:
    """
    Whether these are two spellings of one address.

    Look-alikes of other alphabets differ, as in Django since CVE-2019-19844.
    """
    return one == other or (bool(key := address_key(one)) and key == address_key(other))


def replaces_address(former: str, now: str) -> bool:
    """Whether an account that had one address has another one now, or none. A first address replaces nothing."""
    return bool(clean_address(former)) and not same_address(former, now)


def address_key(text: str) -> str:
    """
    What all spellings of an address have in common; empty for what is too long for one.

    Spellings differ in case, in invisible characters, in composed letters, and in the domain, which has an
    international form (`münchen.example`) and one of ASCII. Text without an @ has a key as well.
    """
    if len(text) > LONGEST_ADDRESS:
        return ""
    text = clean_address(text)
    local, at, domain = text.rpartition("@")
    return _folded(local.translate(WITHOUT_JOINERS)) + at + _domain_key(domain) if at else _folded(text)


def domain_of(address: str) -> str:
    """What stands behind the @, as it is compared; empty where there is none."""
    return address_key(address).rpartition("@")[2]


def comparable(text: str) -> str:
    """The same for a username: what all its spellings have in common; empty for what is too long for one."""
    return _folded(text) if len(text) <= LONGEST_ADDRESS else ""


def accounts_by_address(addresses: Iterable[str]) -> dict[str, list[Member]]:
    """
    The accounts of these addresses by the key of each, in the order of their primary keys; in one walk for all.

    Accounts come with primary key, address and active flag alone.
    """
    found: dict[str, list[Member]] = {key: [] for address in addresses if (key := address_key(address))}
    if found:
        for member in _candidates(list(found)).iterator():
            same = found.get(address_key(address_of(member)))
            if same is not None:
                same.append(member)
    return found


def sharing(member: Member) -> list[Member]:
    """
    The accounts that have the member's address, where they are spelt alike, with the member: so many at most.

    Asks by equality, for which a site may have an index; no query where addresses are unique.
    """
    name = member.get_email_field_name()
    stored = getattr(member, name, "")
    column = column_of(type(member), name)
    if not stored or column is None or column.unique:
        return [member] if stored else []
    spellings = {stored, address_of(member), address_key(stored)}
    alike = type(member)._default_manager.filter(**{f"{name}__in": spellings}).order_by("pk")[:MOST_COUNTED]
    return list(alike.iterator())


class IsUnusual(Func):
    """Whether a text has any character but printable ASCII without the blank."""

    output_field = BooleanField()
    template = "(%(expressions)s ~ '[^!-~]')"

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s REGEXP '(?-i)[^!-~]')", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # For a regular expression it would call Python for each row.
        return self.as_sql(compiler, connection, template="(%(expressions)s GLOB '*[^!-~]*')", **extra)


def _candidates(keys: list[str]) -> QuerySet[Any]:
    """
    Accounts that may have one of these keys: who has the key itself as the address, but for its case, and all whose
    addresses are unusual. Databases compare letters in too many ways to be asked for more.
    """
    model = get_user_model()
    name = model.get_email_field_name()
    if column_of(model, name) is None:  # the model computes it, so each account is asked
        return model._default_manager.order_by("pk")
    columns = ["pk", name, *(["is_active"] if column_of(model, "is_active") else [])]
    plain = In(Upper(name), [Upper(Value(key)) for key in keys])
    condition = plain | IsUnusual(name)
    found = model._default_manager.filter(condition | Q(**{f"{name}__endswith": "."}))
    return found.only(*columns).order_by("pk")


def _domain_key(domain: str) -> str:
    """The domain as it stands in the DNS, or as near to that as it comes."""
    if domain.isascii():
        return domain.lower().rstrip(BEHIND_DOMAIN)
    plain = domain.translate(WITHOUT_JOINERS)
    if len(domain) > LONGEST_DOMAIN:
        return _folded(plain)
    for text in (domain, plain):
        with suppress(UnicodeError):
            # By UTS 46, before anything folds the case: ß is a letter of its own in a domain.
            return idna.encode(text, uts46=True).decode().rstrip(".")
    # Some of what IDNA forbids is in use, with symbols or with "_".
    labels = _folded(plain).rstrip(BEHIND_DOMAIN).split(".")
    return ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Folding the case may take letters apart again.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
