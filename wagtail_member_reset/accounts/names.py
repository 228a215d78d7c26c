"""What members are called: names as they can stand in a line, and the name that somebody signs in with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model

from .address import INVISIBLE, JOINERS, Member, address_of, same_address

# Django's own limit for a username. No more of any name is looked at.
LONGEST_NAME = 150
# So many accents on one letter are enough for every script; more of them cover the lines around.
MOST_MARKS = 6
MARKS = ("Mn", "Me")
# The vowel separator of Mongolian, which belongs to letters as the joiners do.
KEPT = JOINERS + "\u180e"
STRAY = re.compile(f"(?<![^\x00-\x7f])[{KEPT}]+|[{KEPT}]+(?![^\x00-\x7f])|(?<=[{KEPT}])[{KEPT}]+")
# Letters and symbols that are blank.
BLANK = dict.fromkeys(map(ord, "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"))
# What nobody sees wherever it stands, but for joiners and what needs four bytes.
UNSEEN = frozenset(INVISIBLE).union(map(chr, BLANK)) - {"\xad"}
# The flags of England, Scotland and Wales end in characters that are invisible anywhere else.
TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f)|[\U000e0020-\U000e007f]+")
EMOJI = range(0x1F000, 0x1FB00)


def one_line(name: str) -> str:
    """
    A name on one line, at most `LONGEST_NAME` characters of it, and without what nobody sees or what turns the
    direction of the text around it. Joiners stay where they join letters or emoji.
    """
    return one_line_of_text(str(name)[:LONGEST_NAME])


def one_line_of_text(text: str) -> str:
    """The same of any length."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, text.translate(BLANK)))
        text = _with_few_marks(STRAY.sub("", TAGS.sub(r"\1", text)))
    return " ".join(text.split())


def sign_in_name(member: Member) -> str:
    """The name that the member signs in with, for people to read; empty where the address does as well."""
    return sign_in_names()(member)


def sign_in_names() -> Callable[[Member], str]:
    """The same for many, with the site's settings read once."""
    return _no_name if signs_in_by_address() else _username


def _no_name(member: Member) -> str:
    return ""


def _username(member: Member) -> str:
    name = str(member.get_username() or "")
    if len(name) > LONGEST_NAME or ("@" in name and same_address(name, address_of(member))):
        return ""
    return one_line(name)


def signs_in_by_address() -> bool:
    """
    Whether members sign in with their address: it is the username, or django-allauth is set to take it.

    Other backends may take it as well, which nobody can see from outside; then the username is told all the same.
    """
    model = get_user_model()
    if model.get_email_field_name() == model.USERNAME_FIELD:
        return True
    methods = getattr(settings, "ACCOUNT_LOGIN_METHODS", None)
    if methods is None:  # as it is called before allauth 65.4
        return getattr(settings, "ACCOUNT_AUTHENTICATION_METHOD", "") in ("email", "username_email")
    return "email" in methods


def _shown(character: str) -> str:
    """The character; a blank for what ends lines, and nothing for what is invisible."""
    if character.isprintable() or character in KEPT or "\U000e0020" <= character <= "\U000e007f":
        return character
    category = unicodedata.category(character)
    if category == "Cn" and ord(character) in EMOJI:  # newer than this Python
        return character
    return "" if category == "Cf" else " "


def _with_few_marks(name: str) -> str:
    kept, marks = [], 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character) in MARKS else 0
        if marks <= MOST_MARKS:
            kept.append(character)
    return "".join(kept)
