"""Who would get an email of a draft, and who not and why: counted by the database, and page by page by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Case, Count, Q, QuerySet
from django.utils import timezone

from .. import links
from ..accounts import Member, is_more_than_member, is_rule_open, refusal_conditions
from ..models import Mailing, SkipReason
from .choose import Kind, chosen_within, out_of_reach
from .issue import SKIPS
from .known_bad import Bad, included_in, with_bad_address
from .left_out import first_reason, reasons_to_leave_out
from .rest import still_chosen

# Keys read at once, on the way to those that a page shows.
READ = 2000
# What the addresses alone tell, see `Judged.bad`.
OF_ADDRESSES = (SkipReason.NO_SUCH_ADDRESS, SkipReason.COMPLAINED)
# Of those who would get an email, so many are named.
SAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Judged:
    """
    Accounts that were chosen, each with its `reason_against`: the first that the database knows; empty for none.

    What only their addresses tell is `bad`, by key: those are left out. Of the `bounced`, which do not exist, staff may
    have included some, of whom `included` get an email. A link of the `outgrown` does not fit its account any more, and
    keeps nobody from an email.
    """

    accounts: QuerySet[Any]
    bad: dict[Any, SkipReason] = field(default_factory=dict)
    bounced: dict[Any, Bad] = field(default_factory=dict)
    outgrown: frozenset[Any] = frozenset()
    included: int = 0

    def reason(self, key: Any, known: str) -> SkipReason | None:
        if key in self.bad:
            return self.bad[key]
        return SkipReason(known) if known and key not in self.outgrown else None

    def count_mailed(self, only: Q) -> int:
        """How many of a few get an email."""
        found = self.on_one_side(left_out=False, only=only).order_by().values_list("pk", "reason_against")
        return sum(self.reason(key, known) is None for key, known in found)

    def samples(self, number: int) -> list[Member]:
        """The first who get an email, by their keys."""
        mailed = self.accounts.filter(Q(reason_against="") | Q(pk__in=sorted(self.outgrown)[:number]))
        wanted = (each for each in mailed.order_by("pk").iterator(chunk_size=100) if each.pk not in self.bad)
        return list(islice(wanted, number))

    def on_one_side(self, *, left_out: bool, only: Q) -> QuerySet[Any]:
        """Those who may be on this side; `reason` has the last word."""
        found = self.accounts.filter(only)
        if not left_out:
            return found.filter(reason_against__in=["", SkipReason.LIVE_LINK] if self.outgrown else [""])
        return found if self.bad else found.exclude(reason_against="")


class Place(NamedTuple):
    """Where a page begins: behind this account, of these slices of the accounts that were chosen."""

    slice: int = 0
    key: Any = None


@dataclass(frozen=True, kw_only=True)
class People:
    """One page: people with the reason why they are left out, None for who gets an email; and where the next begins."""

    rows: list[tuple[Member, SkipReason | None]]
    next: Place | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """
    What starting would do now. `is_rule_open` says that the site's own rules may pass over more. `samples` are some of
    those who would get an email; `staff` of them may enter the admin, which is counted for files alone. `slices` are
    all, for `people`.
    """

    chosen: int
    emails: int
    skips: dict[SkipReason, int]
    samples: list[Member]
    is_rule_open: bool = False
    staff: int = 0
    slices: list[Judged] = field(default_factory=list)

    @property
    def bounced(self) -> dict[Any, Bad]:
        """Whose address does not exist, by key, be they left out or included."""
        return {key: bad for each in self.slices for key, bad in each.bounced.items()}

    @property
    def included(self) -> int:
        """How many of them get an email."""
        return sum(each.included for each in self.slices)


def preview(
    mailing: Mailing, *, beyond: Q | None = None, hidden: Q | None = None, listing: QuerySet[Any] | None = None
) -> Preview:
    """
    Who would get an email, and who not and why, counted by the database.

    `beyond` describes the accounts that the person may not mail, `hidden` those that the person may not even know
    about: no number counts them, and `people` lists none of them.
    """
    found: Counter[str] = Counter()
    samples: list[Member] = []
    slices: list[Judged] = []
    choice, beyond, staff = still_chosen(mailing), out_of_reach(mailing.choice, beyond), 0
    for accounts in chosen_within(choice, listing, hidden):
        each, counted = _judge(mailing, accounts.order_by().annotate(reason_against=_reason(mailing, beyond)))
        found.update(counted)
        slices.append(each)
        if len(samples) < SAMPLES:
            samples += each.samples(SAMPLES - len(samples))
        if choice.kind == Kind.FILE:
            staff += each.count_mailed(is_more_than_member())
    emails = found.pop("", 0)
    # Of keys that are no account's, nobody can tell whose they were.
    if "ids" in mailing.choice and hidden is None:
        found[SkipReason.GONE] = len(choice.ids) - emails - sum(found.values())
    return Preview(
        chosen=emails + sum(found.values()),
        emails=emails,
        skips={SkipReason(reason): number for reason, number in found.items() if number},
        samples=samples,
        is_rule_open=is_rule_open(get_user_model()),
        staff=staff,
        slices=slices,
    )


def people(
    slices: list[Judged], *, left_out: bool, only: Q, after: Place, most: int, why: SkipReason | None = None
) -> People:
    """One page of who gets an email, or is left out, for any reason or for one; by their keys. `only` finds some."""
    if why is not None and why not in OF_ADDRESSES:
        only &= Q(reason_against=why)
    found: list[tuple[Place, SkipReason | None]] = []
    for number, each in islice(enumerate(slices), after.slice, None):
        rows = each.on_one_side(left_out=left_out, only=only).order_by("pk")
        if number == after.slice and after.key is not None:
            rows = rows.filter(pk__gt=after.key)
        for key, known in rows.values_list("pk", "reason_against").iterator(chunk_size=READ):
            reason = each.reason(key, known)
            if (reason is not None) == left_out and (why is None or reason == why):
                found.append((Place(number, key), reason))
            if len(found) > most:
                return _page(found[:most], next_place=found[most - 1][0])
    return _page(found, next_place=None)


def _page(found: list[tuple[Place, SkipReason | None]], *, next_place: Place | None) -> People:
    accounts = get_user_model()._default_manager.in_bulk([place.key for place, _reason in found])
    rows = [(accounts[place.key], reason) for place, reason in found if place.key in accounts]
    return People(rows=rows, next=next_place)


def _judge(mailing: Mailing, accounts: QuerySet[Any]) -> tuple[Judged, Counter[str]]:
    found = Counter(dict(accounts.values_list("reason_against").annotate(Count("pk"))))
    bad, bounced, included = dict[Any, SkipReason](), dict[Any, Bad](), included_in(mailing)
    reasons: dict[Any, str] = {}
    for passed in ("", SkipReason.LIVE_LINK):
        known = dict(with_bad_address(accounts.filter(reason_against=passed)))
        bounced |= {key: each for key, each in known.items() if each.reason == SkipReason.NO_SUCH_ADDRESS}
        reasons |= dict.fromkeys(known, str(passed))
        with_bad = {key: each.reason for key, each in known.items() if not included.has(key, each)}
        found.update({**Counter(reason.value for reason in with_bad.values()), str(passed): -len(with_bad)})
        bad |= with_bad
    with_link = accounts.filter(reason_against=SkipReason.LIVE_LINK)
    outgrown = frozenset(() if mailing.again else links.outgrown(with_link)) - bad.keys()
    found.update({SkipReason.LIVE_LINK.value: -len(outgrown), "": len(outgrown)})
    judged = Judged(accounts=accounts, bad=bad, bounced=bounced, outgrown=outgrown)
    mailed = sum(judged.reason(key, reasons[key]) is None for key in bounced)
    return replace(judged, included=mailed), found


def _reason(mailing: Mailing, beyond: Q | None) -> Case:
    """The first reason against mailing an account, in the order of `mailing/issue._reason_against`; empty for none."""
    reasons: list[tuple[SkipReason, Any]] = [] if beyond is None else [(SkipReason.NOT_ALLOWED, beyond)]
    reasons += [(SKIPS[refusal], condition) for refusal, condition in refusal_conditions(get_user_model()).items()]
    reasons += reasons_to_leave_out(mailing).items()
    if not mailing.again:
        reasons.append((SkipReason.LIVE_LINK, Q(wagtail_member_reset_live__expires_at__gt=timezone.now())))
    return first_reason(reasons)
