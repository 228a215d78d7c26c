"""One person's data as plain data, ready for JSON: times in ISO, and each code beside its words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import registry

from .. import audit, bad_addresses, outbox
from ..accounts import Member, address_of
from ..models import (
    BadAddress,
    DeliveryEvent,
    DoNotEmail,
    LinkViewer,
    Mailing,
    NeedsHelp,
    PasswordReset,
    ResetEmail,
    ResetRequest,
    Tally,
)
from ..redact import blank_out_any
from .in_mailings import named_in
from .person import Person, person_of

FORMAT = 1
# What is told of each row, by its own name. What is not, stands in LEFT_OUT, and why.
TOLD: dict[type[Model], tuple[str, ...]] = {
    PasswordReset: (
        *("id", "purpose", "origin", "language", "recipient", "state", "reason", "issued_at"),
        *("expires_at", "shown_at", "copied_at", "opened_at", "used_at", "closed_at", "reminded_at"),
    ),
    ResetEmail: (
        *("public_id", "reset_id", "purpose", "origin", "recipient", "language", "state", "skip_reason", "attempts"),
        *("possible_copies", "next_attempt_at", "provider", "message_id", "result_code", "result_text"),
        *("result_cause", "outcome", "cause", "refused_at", "created_at", "handed_over_at", "replaced_at"),
    ),
    DeliveryEvent: (
        *("event_type", "reject_reason", "mta_response", "description", "provider", "happened_at", "recorded_at"),
    ),
    LinkViewer: ("viewed_at", "copied_at"),
    DoNotEmail: ("reason", "set_at"),
    NeedsHelp: ("reason", "happened_at", "domain", "has_arrived", "shelf", "until", "note", "noted_at"),
    ResetRequest: ("address", "language", "created_at", "resolved_at"),
    BadAddress: ("verdict", "cause", "happened_at"),
    Tally: ("kind", "counted_at"),
}
_PROOF = "what makes or proves a link"
_SELF = "the person themselves"
_STAFF = "somebody else: a member of staff"
_SITE = "told by its address"
_INNER = "for the machinery alone"
LEFT_OUT: dict[type[Model], dict[str, str]] = {
    PasswordReset: {
        **dict.fromkeys(("password_mark", "selector", "nonce", "verifier", "key_id"), _PROOF),
        **dict.fromkeys(("member", "active_for"), _SELF),
        "issued_by": _STAFF,
        "site": _SITE,
        "revision": _INNER,
    },
    ResetEmail: {
        "member": _SELF,
        "requested_by": _STAFF,
        "site": _SITE,
        "mailing": "told by its name",
        **dict.fromkeys(("id", "lease", "lease_until"), _INNER),
    },
    DeliveryEvent: {"id": _INNER, "email": "stands with its email", "key": _INNER},
    LinkViewer: {
        "id": _INNER,
        "reset": "stands with its link",
        "viewer": _STAFF,
        **dict.fromkeys(("was_superuser", "member_rank", "permissions", "groups"), "rights of staff"),
    },
    DoNotEmail: {"member": _SELF, "set_by": _STAFF},
    NeedsHelp: {"member": _SELF, "noted_by": _STAFF, "look_since": _INNER},
    ResetRequest: {
        "id": _INNER,
        "site": _SITE,
        "address_digest": "a digest of the address",
        "network_digest": "a digest of where somebody came from, who need not be this person",
    },
    BadAddress: {"digest": "a digest of the address"},
    Tally: {"id": _INNER, "member": _SELF, "by": _STAFF},
}


def export(member: Member) -> dict[str, Any]:
    """
    Everything that is stored about the person. It holds no token, no password, and nothing from which one is made.

    Colleagues who sent, saw or noted something are not named: that is theirs. In the language that is active.
    """
    person = person_of(member)
    data = {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "person": {"id": str(member.pk), "username": member.get_username(), "address": address_of(member)},
        "links": [_link(reset) for reset in _resets(member)],
        "emails": [_email(email) for email in _emails(member)],
        "requests": [_with_site(row) for row in outbox.requests_of(person.keys).select_related("site")],
        "address": [_told(row) for row in bad_addresses.of_keys(person.keys)],
        "do_not_email": [_told(row) for row in DoNotEmail.objects.filter(pk=member.pk)],
        "needs_help": [_told(row) for row in NeedsHelp.objects.filter(pk=member.pk)],
        "counted": [_told(row) for row in Tally.objects.filter(member=member.pk).order_by("pk")],
        "mailings": named_in(person),
        "log": list(_log(member)),
        "as_staff": _as_staff(member),
        "not_included": _not_included(person),
    }
    plain: dict[str, Any] = _without_links(data)
    return plain


def note_exported(member: Member, *, by: Member) -> None:
    """Log who is given it, before they are."""
    audit.record(member, "export", by=by, origin=None)


def _resets(member: Member) -> QuerySet[PasswordReset]:
    resets = PasswordReset.objects.filter(member=member.pk).order_by("pk")
    return resets.select_related("site").prefetch_related("viewers")


def _emails(member: Member) -> QuerySet[ResetEmail]:
    emails = ResetEmail.objects.filter(member=member.pk).order_by("created_at", "pk")
    return emails.select_related("site", "mailing").defer("mailing__choice").prefetch_related("events")


def _link(reset: PasswordReset) -> dict[str, Any]:
    return {
        **_with_site(reset),
        "by_staff": reset.issued_by_id is not None,
        "shown_to_staff": [_told(row) for row in reset.viewers.all()],
    }


def _email(email: ResetEmail) -> dict[str, Any]:
    return {
        **_with_site(email),
        "by_staff": email.requested_by_id is not None,
        "mailing": str(email.mailing) if email.mailing else "",
        "reports": [_told(row) for row in email.events.all()],
    }


def _log(member: Member) -> Iterator[dict[str, Any]]:
    """What our own entries of Wagtail's log say of the person."""
    entries = registry.get_logs_for_instance(member).filter(action__startswith=audit.PREFIX).order_by("timestamp", "pk")
    for entry in entries:
        told = {name: entry.data[name] for name in ("origin", "answer", "outcome") if name in entry.data}
        yield {"at": entry.timestamp.isoformat(), "action": _coded(entry.action, entry.message), **told}


def _as_staff(member: Member) -> dict[str, Any]:
    """What the person did for others, as far as rows say so. It is counted: whom it was done for is not theirs."""
    return {
        "links_made": PasswordReset.objects.filter(issued_by=member.pk).count(),
        "emails_asked_for": ResetEmail.objects.filter(requested_by=member.pk).count(),
        "links_seen": LinkViewer.objects.filter(viewer=member.pk).count(),
        "people_noted_as_not_to_be_emailed": DoNotEmail.objects.filter(set_by=member.pk).count(),
        "notes_on_people": NeedsHelp.objects.filter(noted_by=member.pk).count(),
        "mailings": [
            {"name": str(each), "created_at": each.created_at.isoformat()}
            for each in Mailing.objects.filter(created_by=member.pk).defer("choice").order_by("pk")
        ],
        "mailings_watched": Mailing.objects.filter(watchers=member.pk).count(),
    }


def _not_included(person: Person) -> list[str]:
    said = [
        _("The account itself, with name, password and sign-ins: ask the website for it."),
        _("What the mail service and the web server keep in logs of their own."),
        _("Uploaded files that have not been read yet, and names in the free text of mailings."),
    ]
    if person.keys != person.own_keys:
        said.append(_("Other accounts have the same address. What is known of the address may be about them, too."))
    return said


def _with_site(row: Any) -> dict[str, Any]:
    return {**_told(row), "site": row.site.hostname if row.site else ""}


def _told(row: Model) -> dict[str, Any]:
    return {name: _value(row, name) for name in TOLD[type(row)]}


def _value(row: Any, name: str) -> Any:
    value = getattr(row, name)
    field = row._meta.get_field(name)
    if field.choices and value not in ("", None):
        return _coded(value, getattr(row, f"get_{name}_display")())
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _coded(code: Any, words: Any) -> dict[str, Any]:
    return {"code": code, "words": str(words)}


def _without_links(value: Any) -> Any:
    """The same without a link that the text of others may quote: none is known to, and none gets out by this way."""
    if isinstance(value, dict):
        return {key: _without_links(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_links(each) for each in value]
    return blank_out_any(value) if isinstance(value, str) else value
