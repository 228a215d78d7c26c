"""
What visitors type on the public page: counted, written down, and resolved later.

The view does the same work for members and strangers. Looking the address up costs
time that depends on the answer, so it happens here, away from the request.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone
from wagtail.models import Site

from .. import accounts, db, ids, links
from ..accounts import LONGEST_ADDRESS
from ..conf import Rate, conf
from ..exceptions import SendRefused
from ..models import Origin, Purpose, ResetRequest
from ..redact import CUT_LINK, blank_out_readable
from . import effort, entry

logger = logging.getLogger("wagtail_member_reset")

# Families share a mailbox; more accounts than this behind one address is somebody's list.
MOST_ACCOUNTS = 5
CHUNK = 500
KEPT = timedelta(days=1)
# Requests wait for so many seconds, at random, or until any other pass: that of an email of staff's, or one between the
# chunks of a mailing. At a known moment, how busy the site is just then would show who watches its other answers
# whether there was anybody to mail.
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 3.0
# What each limit counts: the rows of one digest, or all. Each count is of an index alone.
COUNTED = {"ip": "network_digest", "share": "network_digest", "address": "address_digest", "all": ""}
TABLE, _since = ResetRequest._meta.db_table, ResetRequest._meta.get_field("created_at")


# Behind a proxy that is not known as one, or on a socket, every visitor may come from the same of these.
SHARED = [
    ip_network(each)
    for each in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
]
# Marks the digests of such networks.
SHARED_MARK = "shared:"
# Of what is logged of limits, each is said once in a while.
SAID_EVERY = 3600.0
_said: dict[str, float] = {}


def accept(address: str, *, network: str, site: Site | None, language: str) -> bool:
    """
    Write down a request, and take it back if a limit is exceeded; whether it stays. In a transaction of the caller's.

    The same statements run for every address, and the first of them writes: on SQLite, who counts first
    and writes then is refused when somebody else wrote meanwhile. Requests that come in at once count one after
    the other, so that none counts without those before it. Nobody but a test may act on the answer.
    """
    if len(address) > LONGEST_ADDRESS or not _is_plausible(address := accounts.clean_address(address)):
        return False
    digests = {
        "network_digest": _network_digest(network),
        "address_digest": ids.digest("address", accounts.address_key(address)),
    }
    written = ResetRequest(address=address, site=site, language=language, **digests)
    written.save(force_insert=True)
    db.take_turn()
    spent = _spent_limit(written)
    _say(written, spent)
    if not spent:
        return True
    # What was refused must not count for the next one.
    transaction.set_rollback(True, using=db.alias())
    return False


def random_delay() -> float:
    """How many seconds those that came in just now have to wait."""
    return secrets.SystemRandom().uniform(SHORTEST_WAIT, LONGEST_WAIT)


def wait_at_random() -> None:
    """Where requests are waiting, wait for a random moment. For a process that has nothing else to do."""
    if are_waiting():
        time.sleep(random_delay())


def resolve_due() -> int:
    """
    Turn waiting requests into promises of mail. Each is resolved once, by one worker.

    How many led to no email: their work is imitated at the end of the pass, since nobody's email may wait for it.

    The accounts of all are looked up at once, since the database walks through every account to compare addresses.
    """
    waiting = ResetRequest.objects.filter(resolved_at=None).select_related("site").order_by("created_at")[:CHUNK]
    found = _Accounts([request.address for request in waiting])
    strangers, in_vain = [], 0
    for request in waiting:
        try:
            if members := found.of(request.address):
                in_vain += not _resolve(request, members)
            else:
                strangers.append(request.pk)
        except Exception:
            # It stays, and is tried again with the next pass, until the purge takes it.
            logger.exception("request=%s not resolved", request.pk)
    if strangers:
        _mark_resolved(strangers)
    return len(strangers) + in_vain


def are_waiting() -> bool:
    return ResetRequest.objects.filter(resolved_at=None).exists()


def count_shared() -> tuple[int, int]:
    """How many requests of the last day do not tell by their network who sent them, and how many there are."""
    kept = ResetRequest.objects.filter(created_at__gt=timezone.now() - KEPT)
    return kept.filter(network_digest__startswith=SHARED_MARK).count(), kept.count()


def purge(*, dry_run: bool = False) -> int:
    """Forget what is older than a day, resolved or not; how many. A `dry_run` only counts."""
    old = ResetRequest.objects.filter(created_at__lt=timezone.now() - KEPT)
    return old.count() if dry_run else old.delete()[0]


def requests_of(keys: Iterable[str]) -> QuerySet[ResetRequest]:
    """What was typed for the addresses with these keys, in the last day."""
    return ResetRequest.objects.filter(address_digest__in=[ids.digest("address", key) for key in keys])


def forget_requests(keys: Iterable[str]) -> None:
    """Forget these, but for their digests, which stay their day: whoever erases must not begin the limits anew."""
    theirs = requests_of(keys)
    theirs.filter(resolved_at=None).update(resolved_at=timezone.now())
    theirs.update(address="", language="", site=None)


class _Accounts:
    """The accounts of addresses, all looked up at once."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._found: dict[str, list[Any]] | None = None
        try:
            self._found = accounts.accounts_by_address(addresses)
        except Exception:
            # One address that the database cannot take must not hold the others back: each is looked up by itself.
            logger.exception("%s requests not looked up together", len(addresses))

    def of(self, address: str) -> list[Any]:
        """The accounts of one of the addresses that may get a mail: active ones, at most `MOST_ACCOUNTS`."""
        found = accounts.accounts_by_address([address]) if self._found is None else self._found
        same = found.get(accounts.address_key(address), [])
        return [member for member in same if member.is_active][:MOST_ACCOUNTS]


def _resolve(request: ResetRequest, members: Sequence[Any]) -> bool:
    """Promise what a request leads to; whether that is any email."""

    def attempt() -> bool:
        promised = False
        for member in members if _mark_resolved([request.pk]) else ():
            try:
                promised |= _promise(request, member)
            except DatabaseError:
                raise
            except Exception as error:
                # A rule of the site's that fails for one account must not keep the others of the address from theirs.
                logger.error("request=%s member=%s failed", request.pk, member.pk, exc_info=error)
        return promised

    start = effort.begin()
    if promised := db.retried(attempt):
        effort.note("resolve", start)
    return promised


def _mark_resolved(pks: Sequence[int]) -> int:
    """Write first: of several workers, one finds the row unresolved."""
    unresolved = ResetRequest.objects.filter(pk__in=pks, resolved_at=None)
    return db.retried(lambda: unresolved.update(resolved_at=timezone.now(), address=""))


def _promise(request: ResetRequest, member: Any) -> bool:
    if links.is_spent_for_strangers(member):
        logger.debug("request=%s held back", request.pk)
        return False
    try:
        entry.enqueue(
            member,
            purpose=Purpose.RESET,
            origin=Origin.MEMBER,
            site=request.site,
            keeps_site=True,
            language=request.language,
        )
    except SendRefused as refused:
        logger.debug("request=%s refused: %s", request.pk, refused.refusal.value)
        return False
    return True


def _is_plausible(address: str) -> bool:
    """Whether this may be an address. Who pastes a personal link behind it, or instead, has typed none."""
    may_be = len(address) >= 3 and "@" in address[1:-1] and address.isprintable()
    return may_be and not CUT_LINK.search(address) and blank_out_readable(address) == address


def _network_digest(network: str) -> str:
    digest = ids.digest("network", network)
    return (SHARED_MARK + digest)[: len(digest)] if _is_shared(network) else digest


def _is_shared(network: str) -> bool:
    """Whether this is nobody's address on the internet, so that it does not tell visitors apart."""
    try:
        parsed = ip_network(network, strict=False)
    except ValueError:
        return True
    return any(parsed.version == each.version and parsed.subnet_of(each) for each in SHARED)  # type: ignore[arg-type]


def _limits_for(written: ResetRequest) -> dict[str, Rate]:
    """
    The site's limits, and that of one network, which never gets more than half of what all get together.

    Where everybody may have one address, the limit of a single visitor would let any of them shut out all others.
    """
    limits = dict(conf.REQUEST_LIMITS)
    most, period = limits["all"]
    limits["share"] = (max(most // 2, 1), period)
    if written.network_digest.startswith(SHARED_MARK):
        del limits["ip"]
    return limits


def _spent_limit(written: ResetRequest) -> str:
    """Which limit does not allow the row that was just written; empty for none. One statement counts for all limits."""
    connection, counts, parameters = connections[db.alias()], [], []
    limits = _limits_for(written)
    for name, (_most, period) in limits.items():
        since = _since.get_db_prep_value(written.created_at - period, connection)
        if digest := COUNTED[name]:
            counts.append(f"(SELECT COUNT(*) FROM {TABLE} WHERE {digest} = %s AND created_at > %s)")  # noqa: S608
            parameters += [getattr(written, digest), since]
        else:
            counts.append(f"(SELECT COUNT(*) FROM {TABLE} WHERE created_at > %s)")  # noqa: S608
            parameters.append(since)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", parameters)
        found = cursor.fetchone()
    spent = (name for (name, (most, _period)), count in zip(limits.items(), found, strict=True) if count > most)
    return next(spent, "")


def _say(written: ResetRequest, spent: str) -> None:
    """Log which limit was reached, once an hour: not who reached it, and no stranger fills a log."""
    is_shared = written.network_digest.startswith(SHARED_MARK) and not settings.DEBUG
    now = time.monotonic()
    for name, is_so in ((spent, bool(spent)), ("shared", is_shared)):
        if not is_so or now - _said.get(name, -SAID_EVERY) < SAID_EVERY:
            continue
        _said[name] = now
        if name == "shared":
            logger.warning(
                "Visitors of the public page come from a private address, and cannot be told apart: "
                "see WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES."
            )
        else:
            logger.warning("A request was refused: limit=%s is reached. This is said once an hour.", name)
