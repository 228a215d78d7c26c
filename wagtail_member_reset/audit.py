"""Wagtail's audit log: who did what with whose reset. Never a token, a link, a password or an IP address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError
from django.db.models import Max, Q
from django.utils import timezone
from wagtail.log_actions import log, registry
from wagtail.models import ModelLogEntry

from . import db
from .accounts import Member
from .models import EmailText, Mailing, Origin

# Who changed an address is not shown, for this long, what is then sent there.
FOUR_EYES = timedelta(hours=24)
# So often it is logged what one person tries in vain with one member, and with so many members.
REFUSED_GAP, MOST_REFUSED = timedelta(hours=1), 50
# One change of an address is noticed by the form and by whoever saves the account, one after the other.
NOTICED_GAP = timedelta(minutes=1)
# How the log calls a test of what staff prepare.
TESTS: dict[type, str] = {Mailing: "test_mailing", EmailText: "test_text"}
# How the actions of our own entries begin.
PREFIX = "wagtail_member_reset."
ADDRESS_CHANGED = PREFIX + "address"


def record(member: Member, action: str, *, by: Member | None, origin: Origin | None) -> None:
    """Write to the log, where the user's History and the site history show it."""
    data = {"origin": origin.value} if origin else {}
    log(instance=member, action=_name(action), user=by, data=data)


def note_refused(member: Member, *, by: Member) -> None:
    """
    Write down that somebody tried what they may not do. Nothing else was written.

    Once an hour for each person and member, and for so many members: nobody fills the log by trying.
    """
    record_seldom(member, "refuse", by=by, gap=REFUSED_GAP, most=MOST_REFUSED)


def note_checked(member: Member, *, by: Member, answer: str) -> None:
    """Write down how staff made sure of who was asking. `answer` is on one line, bounded, and holds no link."""
    log(instance=member, action=_name("check"), user=by, data={"answer": answer})


def note_do_not_email(member: Member, *, by: Member | None, reason: str) -> None:
    """Write down that the member is not to be emailed, and why."""
    log(instance=member, action=_name("do_not_email"), user=by, data={"reason": reason})


def note_unblocked(member: Member, *, by: Member, outcome: str) -> None:
    """Write down that the mail service was asked to mail the member's address again, and what came of it."""
    log(instance=member, action=_name("unblock"), user=by, data={"outcome": outcome})


def note_test(about: Mailing | EmailText, *, by: Member, period: timedelta, most: int) -> bool:
    """
    Write down, in their own history, that somebody sends themselves a test of a mailing or of a text.

    False, and nothing stays written, where they have sent `most` of both within the last `period`. Written first and
    counted then, outside of a transaction: several at once may be refused, but never are more sent.
    """
    action = TESTS[type(about)]
    entry = log(instance=by, action=_name(action), user=by, data={action.removeprefix("test_"): about.pk})
    recent = Q(action__in=map(_name, TESTS.values()), user=by, timestamp__gt=timezone.now() - period)
    is_one_too_many = db.reaches(registry.get_logs_for_instance(by).filter(recent), most + 1)
    if is_one_too_many and entry is not None:
        entry.delete()
    return not is_one_too_many


def note_draft_deleted(mailing: Mailing, *, by: Member) -> None:
    """Write down, in their own history, that somebody deletes the draft of a mailing."""
    log(instance=by, action=_name("delete_draft"), user=by, data={"mailing": mailing.pk, "mailing_name": mailing.name})


def note_address_changed(member: Member, *, by: Member | None) -> None:
    """
    Write down who changed an address, since that person is not shown a link for a day.

    For whoever notices a change; of those who notice the same one, only the first writes.
    """
    record_seldom(member, "address", by=by, gap=NOTICED_GAP)


def record_seldom(member: Member, action: str, *, by: Member | None, gap: timedelta, most: int | None = None) -> None:
    """
    The same, unless it stands there already: written by the same person about this member within the last `gap`, or
    by the same person about `most` members.
    """
    recent = Q(action=_name(action), user=by, timestamp__gt=timezone.now() - gap)
    if registry.get_logs_for_instance(member).filter(recent).exists():
        return
    entries = registry.get_log_model_for_instance(member).objects.filter(recent)
    if most is not None and db.reaches(entries, most):
        return
    record(member, action, by=by, origin=None)


def record_many(actions: Sequence[tuple[Member, str]], *, mailing: Mailing, by: Member | None) -> None:
    """The same for members of a mailing, at once: an entry for each pair of member and action."""
    model = get_user_model()
    data = {"origin": mailing.origin, "mailing": mailing.pk, "mailing_name": mailing.name}
    if registry.get_log_model_for_model(model) is not ModelLogEntry:
        for member, action in actions:
            log(instance=member, action=_name(action), user=by, data=data)
        return
    content_type, now = ContentType.objects.get_for_model(model, for_concrete_model=False), timezone.now()
    entry = ModelLogEntry(content_type=content_type, timestamp=now, user=by, data=data)
    db.insert([db.copy_of(entry, **_about(member, action)) for member, action in actions])


def has_changed_address(member: Member, *, by: Member) -> bool:
    """Whether this very person changed the member's address within the last 24 hours, as far as the log knows."""
    entries = registry.get_logs_for_instance(member).filter(action=ADDRESS_CHANGED, user=by)
    return bool(entries.filter(timestamp__gt=timezone.now() - FOUR_EYES).exists())


def has_new_address(member: Member) -> bool:
    """Whether anybody changed the member's address within the last 24 hours, as far as the log knows."""
    set_at = address_set_at(member)
    return set_at is not None and set_at > timezone.now() - FOUR_EYES


def address_set_at(member: Member, *, before: datetime | None = None) -> datetime | None:
    """
    By when at the latest the member's address was set, or the one that it had `before` a moment; None where the log
    knows of no change.
    """
    entries = registry.get_logs_for_instance(member).filter(action=ADDRESS_CHANGED)
    earlier = entries.filter(timestamp__lt=before) if before else entries
    last: datetime | None = earlier.aggregate(last=Max("timestamp"))["last"]
    # Further changes by the same person within the gap are not written down.
    return last + NOTICED_GAP if last else None


def used_before_erasure(member: Member, *, since: datetime | None) -> datetime | None:
    """
    When the member last set a password by a link whose row was erased afterwards; `since` is when their address was
    set, as far as the log knows.
    """
    entries = registry.get_logs_for_instance(member)
    erased_at = entries.filter(action=_name("erase")).aggregate(last=Max("timestamp"))["last"]
    if erased_at is None:
        return None
    uses = entries.filter(action=_name("use"), timestamp__lt=erased_at)
    last: datetime | None = uses.aggregate(last=Max("timestamp"))["last"]
    return last if last and (since is None or last > since - NOTICED_GAP) else None


def with_changed_address(members: Sequence[Member], *, by: Member | None) -> list[Member]:
    """Those whose address this very person changed within the last 24 hours. One query, however many they are."""
    if by is None:
        return []
    log = registry.get_log_model_for_model(get_user_model())
    if log is not ModelLogEntry:
        return [member for member in members if has_changed_address(member, by=by)]
    changes = log.objects.filter(action=ADDRESS_CHANGED, user=by, timestamp__gt=timezone.now() - FOUR_EYES)
    changed = set(changes.values_list("object_id", flat=True))
    return [member for member in members if str(member.pk) in changed]


def _name(action: str) -> str:
    return PREFIX + action


def _about(member: Member, action: str) -> dict[str, Any]:
    return {"object_id": str(member.pk), "label": _label(member), "action": _name(action)}


def _label(member: Member) -> str:
    """What the site calls the member; as Django does, where it cannot say, or not in a way that a database takes."""
    try:
        label = str(member).replace("\0", "")
    except DatabaseError:
        raise  # it may have ended the transaction, and whoever writes many finds out with whom
    except Exception:
        label = ""
    return label or f"{type(member).__name__} object ({member.pk})"
