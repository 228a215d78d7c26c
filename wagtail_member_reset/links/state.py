"""
The state machine of one link: checked against its account, used, closed, erased, forgotten.

Every transition writes first and reads afterwards, and changes a row only from the state
it expects. What decides a race is the database's unique index and the number of rows
changed, so no isolation level and no `select_for_update` is needed for correctness.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet
from django.utils import timezone

from .. import audit, db, tokens
from ..accounts import Member, address_column, address_of, refusal_conditions, refusal_for, same_address
from ..conf import conf
from ..exceptions import LinkProblem, Refusal, Unredeemable
from ..models import LinkViewer, NeedsHelp, PasswordReset, Purpose, Reason, ResetEmail, State, Tally
from .viewers import has_gained, which_gained

PURGE_CHUNK = 500
READ_AT_ONCE = 2_000
COMPARED_AT_ONCE = 500


def problem_of(reset: PasswordReset, member: Member) -> LinkProblem | None:
    """What is wrong with a link, for who holds its secret. Closes it when the account no longer fits."""
    if reset.state != State.ACTIVE:
        return _how_it_ended(reset)
    if reset.is_expired:
        return LinkProblem.EXPIRED
    return _how_it_ended(reset) if settle(reset, member) else None


def _how_it_ended(reset: PasswordReset) -> LinkProblem:
    # A member who was given more to do has done nothing wrong, and is told so.
    is_gain = reset.state == State.REVOKED and reset.reason == Reason.RIGHTS_GAINED
    return LinkProblem.RIGHTS_GAINED if is_gain else LinkProblem(reset.state)


def use(reset: PasswordReset, *, member: Member) -> None:
    """
    Close the link as used and save the password that `member` was given, both or neither. Promises the email that
    tells of it, to who has an address.

    The password is hashed already: hashing takes a quarter of a second, and a
    transaction must not wait for it. Exactly one of several callers wins.

    Raises `Unredeemable`.
    """

    def attempt() -> bool:
        now = timezone.now()
        usable = PasswordReset.objects.filter(pk=reset.pk, state=State.ACTIVE, expires_at__gt=now)
        closed = usable.update(**ending(State.USED, at=now), used_at=now)
        account = locked(member)
        if closed != 1 or account is None or failing(reset, account):
            transaction.set_rollback(True, using=db.alias())
            return False
        member.save(update_fields=["password"])
        NeedsHelp.objects.filter(pk=account.pk).delete()
        audit.record(account, "use", by=None, origin=None)
        if address := address_of(account):
            ResetEmail.objects.create(
                member=member,
                reset=reset,
                purpose=Purpose.PASSWORD_CHANGED,
                recipient=address,
                language=reset.language,
                site_id=reset.site_id,
            )
        return True

    if db.retried(attempt):
        return
    found = PasswordReset.objects.select_related("member").filter(pk=reset.pk).first()
    if found is None:  # the member was deleted meanwhile, and the link with them
        raise Unredeemable(LinkProblem.UNKNOWN)
    raise Unredeemable(problem_of(found, found.member) or LinkProblem.USED, language=found.language)


def close(reset: PasswordReset, state: State, reason: Reason) -> bool:
    """End a link; False when it had ended already. The row in hand is brought up to date."""
    ended = ending(state, reason, at=timezone.now())
    closed = PasswordReset.objects.filter(pk=reset.pk, state=State.ACTIVE).update(**ended)
    if closed:
        for name, value in ended.items():
            setattr(reset, name, value)
        NeedsHelp.objects.look_at([reset.member_id])
    return bool(closed)


def ending(state: State, reason: Reason = Reason.NONE, *, at: datetime) -> dict[str, Any]:
    """What the row of a link says from its end on, for an `update` of rows that are still active."""
    return {"state": state, "reason": reason, "active_for": None, "nonce": None, "closed_at": at}


def settle(reset: PasswordReset, member: Member) -> bool:
    """Close a live link that no longer fits its account, so that it stays dead if the account changes back."""
    reason = failing(reset, member) if reset.is_live else None
    return db.retried(lambda: close(reset, State.REVOKED, reason)) if reason else False


def settle_member(member: Member) -> None:
    """The same, by the account as it is stored. One indexed query when there is nothing to do."""
    # The object in hand may remember what it was allowed before.
    for reset in PasswordReset.objects.live().filter(active_for=member.pk).select_related("member"):
        settle(reset, reset.member)


def erase_past_window() -> int:
    """Make the links whose window is over impossible to produce again; they still work."""
    return db.retried(lambda: PasswordReset.objects.past_window().update(nonce=None))


def next_erasure() -> datetime | None:
    """When the window of a link ends next, so that it must be erased; None while no link can be made again."""
    live = PasswordReset.objects.filter(state=State.ACTIVE, nonce__isnull=False)
    first: datetime | None = live.aggregate(first=Min("issued_at"))["first"]
    return None if first is None else first + conf.STATUS_WINDOW


def sweep() -> None:
    """Erase what must not be derivable, and close the links of accounts deactivated behind our back."""
    erase_past_window()
    close_inactive()


def close_inactive() -> None:
    """Close the links of all accounts that are not active now, so that they stay dead. One statement."""
    model = get_user_model()
    if is_inactive := refusal_conditions(model).get(Refusal.INACTIVE):
        # Of each live link by itself: joined, SQLite would look at every account.
        inactive = model._base_manager.filter(is_inactive, pk=OuterRef("active_for"))
        theirs = PasswordReset.objects.live().filter(Exists(inactive))
        db.retried(lambda: theirs.update(**ending(State.REVOKED, Reason.DEACTIVATED, at=timezone.now())))


def purge(*, dry_run: bool = False) -> int:
    """
    Forget links past their expiry and the retention, with their mails; the number of links forgotten.

    So are members whom a mailing passed over, and who have no link by which to forget them, and what was kept of an
    erasure for a day. A `dry_run` only counts.
    """
    ended = PasswordReset.objects.filter(expires_at__lt=timezone.now() - conf.RETENTION)
    if dry_run:
        return ended.count()
    _delete_in_chunks(ResetEmail.objects.past_retention().filter(reset=None))
    _delete_in_chunks(ResetEmail.objects.outlived())
    _delete_in_chunks(Tally.objects.filter(counted_at__lt=timezone.now() - Tally.KEPT))
    return _delete_in_chunks(ended)


def _delete_in_chunks(rows: QuerySet[Any]) -> int:
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:PURGE_CHUNK]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def failing(reset: PasswordReset, member: Member) -> Reason | None:
    """Why a link does not fit its account any more; None when it does."""
    if not member.is_active:
        return Reason.DEACTIVATED
    if not same_address(reset.recipient, address_of(member)):
        return Reason.ADDRESS_CHANGED
    if reason := _failing_password(reset.key_id, reset.password_mark, member.pk, member.password):
        return reason
    # A link that was handed out needs no address; where there was one, it is missed above.
    if refusal_for(member) not in (None, Refusal.NO_ADDRESS):
        return Reason.NOT_ALLOWED
    return Reason.RIGHTS_GAINED if has_gained(reset, member) else None


def outgrown(accounts: QuerySet[Any]) -> list[Any]:
    """
    The keys of those accounts, all of them fit to be mailed, whose live link does not fit them any more.

    For who counts many without their models: the spelling of an address and the mark of a password are for Python
    alone to compare. That takes about a second for 100,000 links. An address that the user model computes
    is not compared. What an account gained is asked only where its link was shown to somebody below superuser.
    """
    column = address_column(accounts.model)
    values = [
        "pk",
        "password",
        *(f"wagtail_member_reset_live__{name}" for name in ("key_id", "password_mark", "shown_at")),
    ]
    values += ["wagtail_member_reset_live__recipient", column] if column else []
    found = accounts.filter(wagtail_member_reset_live__expires_at__gt=timezone.now()).order_by().values_list(*values)
    unfit, shown = [], []
    for pk, password, key_id, mark, shown_at, *addresses in found.iterator(chunk_size=READ_AT_ONCE):
        is_elsewhere = addresses and not same_address(addresses[0], addresses[1] or "")
        if is_elsewhere or _failing_password(key_id, mark, pk, password):
            unfit.append(pk)
        elif shown_at is not None:
            shown.append(pk)
    return unfit + _which_gained(shown)


def _which_gained(keys: list[Any]) -> list[Any]:
    """Those members who have gained what a viewer of their link lacked. Most links were shown to nobody."""
    by_others = LinkViewer.objects.filter(reset=OuterRef("pk"), was_superuser=False)
    shown = PasswordReset.objects.filter(Exists(by_others)).select_related("member")
    gained: list[Any] = []
    for part in db.parts(keys, COMPARED_AT_ONCE):
        gained += [reset.member.pk for reset in which_gained(list(shown.filter(active_for__in=part)))]
    return gained


def _failing_password(key_id: str, mark: str, member_pk: object, password: str) -> Reason | None:
    if not (current := tokens.password_mark(member_pk, password, key_id)):
        return Reason.KEY_LOST
    return None if current == mark else Reason.PASSWORD_CHANGED


def lock_first(member: Member) -> None:
    """Take the member's link for writing, before anything is read: on SQLite, too, later writers now wait."""
    PasswordReset.objects.filter(active_for=member.pk).update(revision=F("revision") + 1)


def locked(member: Member) -> Member | None:
    """
    The account as it is now, locked after its link and before anything is written about it.

    Without this, writers of one member share the account's row by their foreign keys, and MariaDB ends
    the deadlock by refusing whoever did least: the site's own save. Where PostgreSQL can, rows that only
    point to the account are not held up.
    """
    has_no_key = connections[db.alias()].features.has_select_for_no_key_update
    return get_user_model()._base_manager.select_for_update(no_key=has_no_key).filter(pk=member.pk).first()
