"""
One call of a mail service for many members: the text once, with placeholders, and each member's values.

Only where the service fills placeholders into a text that comes with the call, mails each member
apart, and takes an id of ours for each. Brevo, Postmark and others want a template stored with
them; there, each mail is a call of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils.html import escape

from .. import senders
from ..exceptions import MemberResetError
from ..models import ResetEmail
from ..reports import METADATA, Placeholders, service_of
from ..texts import Content
from . import letter, text
from .failures import Result
from .message import AUTOMATIC, reply_to, with_extras
from .transport import Mailer, choices, send_first_taken

# What every parser takes for one address; whatever looks different goes alone, and spoils no call.
PLAIN_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9.-]+", re.IGNORECASE | re.ASCII)
# What differs between members. Tokens hold nothing that HTML would escape, so one value serves both parts.
TOKEN, NAMES, IN_HTML = "mr_token", {"first_name": "mr_name", "username": "mr_user"}, "_html"
SUSPICIOUS = re.compile(r"[%*|{}\[\]<>&]|mr_", re.IGNORECASE)
# What a backend turned out to take beside the mails; None for one that takes no such call at all.
_taken: dict[type, frozenset[str] | None] = {}


@dataclass(frozen=True, slots=True)
class Group:
    """Mails of the same text, no two to the same address: what one call takes. The same slots have names in all."""

    emails: list[ResetEmail]
    tokens: list[str]
    names: list[dict[str, str]]

    @property
    def slots(self) -> dict[str, str]:
        """The slots for names that are filled, each with what its value is called in the call."""
        return {slot: called for slot, called in NAMES.items() if self.names[0][slot]}

    def reads_otherwise_in_html(self, slot: str) -> bool:
        names = "".join([names[slot] for names in self.names])
        return escape(names) != names


def placeholders_of(connection: Any) -> Placeholders | None:
    """How the connection's mail service merges; None where each mail is sent by itself."""
    does_not_merge = type(connection) in _taken and _taken[type(connection)] is None
    return None if does_not_merge else service_of(connection).placeholders


def groups(
    mails: Sequence[tuple[ResetEmail, str]], service: Placeholders, shared: letter.Shared
) -> tuple[list[Group], list[tuple[ResetEmail, str]]]:
    """Mails that can go together, as few calls as possible, and those that must go alone."""
    alike: dict[Any, list[tuple[ResetEmail, str, dict[str, str]]]] = defaultdict(list)
    alone: list[tuple[ResetEmail, str]] = []
    seen: set[str] = set()
    for email, token in mails:
        try:
            common, written = shared.slots(email), shared.written(email)
        except MemberResetError:  # each mail by itself says so
            alone.append((email, token))
            continue
        names, address = letter.names(email, shared), email.recipient.casefold()
        if address in seen or not _is_plain(email.recipient, names):
            alone.append((email, token))
            continue
        seen.add(address)
        filled = tuple([bool(name) for name in names.values()])
        alike[email.purpose, email.language, filled, id(common), id(written)].append((email, token, names))
    found = []
    for together in alike.values():
        for first in range(0, len(together), service.most):
            part = together[first : first + service.most]
            if len(part) == 1:
                alone.append(part[0][:2])
                continue
            found.append(Group(*(list(column) for column in zip(*part, strict=True))))
    return found, alone


def _is_plain(address: str, names: dict[str, str]) -> bool:
    """Whether values can be told apart by the address, and no name looks like a placeholder."""
    return bool(PLAIN_ADDRESS.fullmatch(address)) and not any(map(SUSPICIOUS.search, names.values()))


def send(group: Group, mailer: Mailer, shared: letter.Shared) -> Iterator[tuple[ResetEmail, str, Result]] | None:
    """
    Hand a group over in one call; what each mail came to. None where the service turns out not to merge.

    Raises what composing raises, for all of them alike. A failure of the call is a result.
    """
    connection = mailer.connection
    known = service_of(connection)
    service = known.placeholders
    content = _content(group, service, shared) if service is not None else None
    if service is None or content is None:
        return None
    kind = type(connection)
    tried = [kept] if (kept := _taken.get(kind)) else choices(known)
    sent = send_first_taken(connection, ((extras, _message(group, content, service, extras)) for extras in tried))
    if sent is None:
        _taken[kind] = None
        return None
    _taken[kind], results = sent
    return zip(group.emails, group.tokens, results, strict=True)


def _content(group: Group, service: Placeholders, shared: letter.Shared) -> Content | None:
    """The text with placeholders; None if the site's own text holds what the service would take for one."""
    first, common = group.emails[0], shared.slots(group.emails[0])
    link = {"link": escape(common.get("link", ""))}
    in_html = {
        slot: called + IN_HTML if group.reads_otherwise_in_html(slot) else called
        for slot, called in group.slots.items()
    }

    def composed(place: Callable[..., str]) -> Content:
        names, html_names = (
            {slot: place(called, html=html) for slot, called in called_by.items()}
            for called_by, html in ((group.slots, False), (in_html, True))
        )
        slots = letter.filled(common, names=names, token=place(TOKEN))
        html = letter.filled(link, names=html_names, token=place(TOKEN, html=True))
        written, language = shared.written(first), first.language
        return text.compose(
            first.purpose, language=language, slots=slots, html=html, written=written, cache=shared.texts
        )

    bare = composed(lambda called, html=False: "x")
    if any(service.opener in part for part in (bare.subject, bare.text, bare.html)):
        return None
    return replace(composed(service.place), sender=shared.sender(first))


def _message(group: Group, content: Content, service: Placeholders, extras: frozenset[str]) -> EmailMultiAlternatives:
    addresses = [email.recipient for email in group.emails]
    sender = content.sender or senders.default()
    message = EmailMultiAlternatives(
        content.subject,
        content.text,
        sender.from_email,
        addresses,
        headers={**AUTOMATIC},
        reply_to=reply_to(sender),
    )
    message.attach_alternative(content.html, "text/html")
    with_extras(message, extras - {"metadata"}, metadata={})
    ids = {email.recipient: {METADATA: str(email.public_id)} for email in group.emails}
    data = {address: {TOKEN: token} for address, token in zip(addresses, group.tokens, strict=True)}
    for slot, called in group.slots.items():
        is_escaped = group.reads_otherwise_in_html(slot)
        for values, names in zip(data.values(), group.names, strict=True):
            values[called] = names[slot]
            if is_escaped:
                values[called + IN_HTML] = escape(names[slot])
    vars(message).update({"merge_data": data, "merge_metadata": ids})
    if service.extra:
        vars(message)["esp_extra"] = service.extra
    return message
