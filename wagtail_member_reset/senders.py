"""What the emails of a site are sent from, and whom members may ask: as staff have set it, else as the settings say."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from email.errors import InvalidHeaderDefect, MessageError
from email.headerregistry import HeaderRegistry
from email.utils import parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import URLValidator, validate_email
from wagtail.models import Site

from . import sites
from .accounts import address_key, clean_address, domain_of
from .conf import conf
from .models import SiteSender
from .redact import has_link

# A header's longest line (RFC 5322, 2.1.1).
LONGEST_SENDER = 998
LONGEST_NAME = 100
# What every mail server takes before the @, and no parser takes for anything else.
LOCAL_PART = re.compile(r"[a-z0-9._%+'=&#-]{1,64}", re.IGNORECASE | re.ASCII)
# What a name may hold beside letters, marks and digits: punctuation, blanks, and the plus.
IN_NAMES = ("L", "M", "N", "P")
# Never: what ends a quotation or an address, and what makes a name look like an address or a page. Of dots, "e.V.",
# "St. Gallen" and "2.0" are none of these, and of colons, "18:00" and "Sportler:innen" are not.
NOT_IN_NAMES = re.compile(
    r'["\\@<>]|//|www\.|[.。][^\W\d_]{2}|(?:\d+\.){3}\d|\w:(?!(?:in|innen\w*|r|n|e)\b|(?<=\d:)\d)\S', re.IGNORECASE
)
# Punctuation that looks like no dot, and the dot of Katakana. All other is taken for one before Latin letters, but
# for that of Catalan: "Col·legi".
NO_DOTS = "!\"#%&'*,/;:?@\\¡¿・"
LIKE_DOTS = re.compile(r"(?:(?<![lL])·|·(?![lL])|[\u0660\u06f0\ua4f8]|(?!·)[^\w\s])(?=[a-z])", re.IGNORECASE | re.ASCII)
LIKE_COLONS = str.maketrans("\u0589\u05c3\u0703\u0704\u16ec\u02d0", "::::::")
_as_header = HeaderRegistry()
_is_url = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """
    `from_email` as it stands in the header. `is_refused`: staff have set another one, which may not be used, for
    instance since `FROM_DOMAINS` does not have its domain (any more); then all is as the settings say.
    """

    from_email: str
    support_contact: str
    reply_to: str = ""
    is_refused: bool = False

    @property
    def address(self) -> str:
        """The address alone, for who looks for emails in the spam folder."""
        return parseaddr(self.from_email)[1]

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2] or "localhost"

    def check(self) -> None:
        """Raise `ImproperlyConfigured` where this is not one mailbox."""
        if not is_one_mailbox(self.from_email):
            raise ImproperlyConfigured("DEFAULT_FROM_EMAIL is not one address, with or without a name.")


def of(site: Site | None) -> Sender:
    """The sender of a site's emails. One query, which the object of the site remembers."""
    row: SiteSender | None = getattr(site, "wagtail_member_reset_sender", None)
    return default() if row is None else sender_of(row)


def default() -> Sender:
    """As the settings say."""
    return Sender(from_email=str(settings.DEFAULT_FROM_EMAIL or ""), support_contact=conf.SUPPORT_CONTACT)


def sender_of(row: SiteSender) -> Sender:
    """What a row comes to now. Nothing of it is used where a form would refuse any of it."""
    usual = default()
    chosen = _from_email(row, usual)
    is_fit = bool(chosen) and not has_link(chosen) and (not row.reply_to or may_answer(row.reply_to))
    if not is_fit or (row.support_contact and not may_help(row.support_contact, row.site)):
        return replace(usual, is_refused=True)
    contact = row.support_contact or usual.support_contact
    return Sender(from_email=chosen, reply_to=row.reply_to, support_contact=contact)


def _from_email(row: SiteSender, usual: Sender) -> str:
    """Empty where it may not be used."""
    if not row.from_name and not row.from_address:
        return usual.from_email
    if row.from_name and not is_plain_name(row.from_name):
        return ""
    if row.from_address and not (is_address(row.from_address) and is_listed(row.from_address)):
        return ""
    name, address = parseaddr(usual.from_email)
    name, address = row.from_name or name, row.from_address or address
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    found = f'"{quoted}" <{address}>' if name else address
    return found if is_one_mailbox(found) else ""


def domains() -> tuple[str, ...]:
    """From which staff may send, as `FROM_DOMAINS` has them; that of `DEFAULT_FROM_EMAIL` where it has none."""
    _local, at, usual = default().address.rpartition("@")
    return conf.FROM_DOMAINS or ((usual,) if at and usual else ())


def is_listed(address: str) -> bool:
    """Whether the domain of an address is one of these. A subdomain is another domain."""
    return domain_of(address) in {domain_of(f"x@{domain}") for domain in domains()}


def is_plain_name(name: str) -> bool:
    """
    Whether this may stand before an address: no line break, mark of direction, emoji or quotation mark of ASCII, and
    nothing that looks like an address or a page, also not in the wide letters of other keyboards.
    """
    if not name.strip() or len(name) > LONGEST_NAME or clean_address(name) != name.strip():
        return False
    if NOT_IN_NAMES.search(_as_seen(name)):
        return False
    return all(each in " +" or unicodedata.category(each)[0] in IN_NAMES for each in name)


def _as_seen(name: str) -> str:
    """The name with a plain dot or colon for whatever looks like one, and without accents."""
    letters = (each for each in unicodedata.normalize("NFKD", name) if unicodedata.category(each) != "Mn")
    plain = "".join(letters).translate(LIKE_COLONS)
    return LIKE_DOTS.sub(lambda found: "." if _is_like_dot(found[0]) else found[0], plain)


def _is_like_dot(sign: str) -> bool:
    return sign not in NO_DOTS and unicodedata.category(sign) in ("Po", "Lm", "Nd")


def may_answer(address: str) -> bool:
    """Whether answers may go to an address: at a listed domain, or one that the settings name; with no link in it."""
    named = {address_key(text) for text in (default().address, conf.SUPPORT_CONTACT)}
    return is_address(address) and (is_listed(address) or address_key(address) in named) and not has_link(address)


def may_help(contact: str, site: Site) -> bool:
    """
    Whether the emails of a site may send members to a contact: an address to which answers may go, or a page of the
    very site. Whoever may set a sender could send them anywhere else, in emails that they trust. A personal link is
    no such page: it would be mailed to everybody.
    """
    if contact == conf.SUPPORT_CONTACT or may_answer(contact):
        return True
    is_page = is_contact(contact) and not is_address(contact)
    return is_page and _is_page_of(site, contact) and not has_link(contact)


def _is_page_of(site: Site, address: str) -> bool:
    try:
        page, own = urlsplit(address), [urlsplit(conf.BASE_URL)] if conf.BASE_URL else []
        own += [urlsplit(site.root_url)] if sites.is_allowed_host(site.hostname) else []
        return any(page.hostname == each.hostname and page.port in (None, each.port) for each in own)
    except ValueError:
        return False


def is_address(text: str) -> bool:
    """Whether this is one plain address, without a name."""
    local, at, _domain = text.rpartition("@")
    if not at or not LOCAL_PART.fullmatch(local):
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return is_one_mailbox(text)


def is_contact(text: str) -> bool:
    """Whether members may be sent there: one plain address, or a page on the web."""
    if is_address(text):
        return True
    try:
        _is_url(text)
    except ValidationError:
        return False
    return text.isprintable() and "@" not in urlsplit(text).netloc


@lru_cache(maxsize=32)
def is_one_mailbox(text: str) -> bool:
    """
    Whether this is one address, with or without a name: `Club <office@club.example>`.

    Not so are two addresses, a group ("Club: …" without quotes begins one), and what would begin another header.
    """
    if not text.strip() or len(text) > LONGEST_SENDER or not text.isprintable():
        return False
    try:
        header: Any = _as_header("From", text)
        [group] = header.groups
        [address] = group.addresses
    except (ValueError, IndexError, AttributeError, TypeError, MessageError):  # as some of Python's parsers end
        return False
    if any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects):
        return False
    return bool(address.username and address.domain) and group.display_name is None
