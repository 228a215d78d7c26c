"""
What visitors type on the public page: counted, written down, and resolved later.

The view does the same work for members and strangers. Looking the address up costs
time that depends on the answer, so it happens here, away from the request.
"""

from __future__ import annotations

import logging
import unicodedata
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.utils import timezone
from wagtail.models import Site

from .. import accounts, ledger, limits, tokens, turns
from ..conf import conf
from ..exceptions import SendRefused
from ..models import Origin, Purpose, ResetRequest

logger = logging.getLogger("wagtail_member_reset")

# Families share a mailbox; more accounts than this behind one address is somebody's list.
MOST_ACCOUNTS = 5
CHUNK = 500
LONGEST_ADDRESS = 320
KEPT = timedelta(days=1)
# What each limit counts: the rows of one digest, or all. Each count is of an index alone.
COUNTED = {"ip": "network_digest", "address": "address_digest", "all": ""}
TABLE, _since = ResetRequest._meta.db_table, ResetRequest._meta.get_field("created_at")


def accept(address: str, *, network: str, site: Site | None, language: str) -> bool:
    """
    Write down a request, and take it back if a limit is exceeded; whether it stays. In a transaction of the caller's.

    The same statements run for every address, and the first of them writes: on SQLite, who counts first
    and writes then is refused when somebody else wrote meanwhile. Nobody but a test may act on the answer.
    """
    if not _is_plausible(address):
        return False
    digests = {
        "network_digest": tokens.digest("network", network),
        "address_digest": tokens.digest("address", unicodedata.normalize("NFKC", address).casefold()),
    }
    written = ResetRequest(address=address, site=site, language=language, **digests)
    written.save(force_insert=True)
    if _is_within_limits(written):
        return True
    # What was refused must not count for the next one.
    transaction.set_rollback(True, using=turns.alias())
    return False


def resolve_due() -> None:
    """Turn waiting requests into promises of mail. Each is resolved once, by one worker."""
    ids = ResetRequest.objects.filter(resolved_at=None).order_by("created_at").values_list("pk", flat=True)[:CHUNK]
    for pk in list(ids):
        try:
            _resolve(pk)
        except Exception:
            # It stays, and is tried again with the next pass, until the purge takes it.
            logger.exception("request=%s not resolved", pk)


def are_waiting() -> bool:
    return ResetRequest.objects.filter(resolved_at=None).exists()


def purge() -> int:
    """Forget what is older than a day, resolved or not."""
    return ResetRequest.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def accounts_with(address: str) -> list[Any]:
    """The accounts of an address, compared as Django compares since CVE-2019-19844."""
    model = get_user_model()
    found = model._default_manager.filter(**{f"{model.get_email_field_name()}__iexact": address}).order_by("pk")
    same = [m for m in found[: 4 * MOST_ACCOUNTS] if accounts.same_address(accounts.address_of(m), address)]
    return same[:MOST_ACCOUNTS]


def _resolve(pk: int) -> None:
    with transaction.atomic(using=turns.alias()):
        mine = ResetRequest.objects.filter(pk=pk, resolved_at=None).update(resolved_at=timezone.now())
        request = ResetRequest.objects.select_related("site").get(pk=pk) if mine else None
        if request is None:
            return
        for member in accounts_with(request.address):
            if limits.is_spent_for_strangers(member):
                logger.debug("request=%s held back", pk)
                continue
            try:
                ledger.promise(
                    member,
                    purpose=Purpose.RESET,
                    origin=Origin.MEMBER,
                    site=request.site,
                    language=request.language,
                )
            except SendRefused as refused:
                logger.debug("request=%s refused: %s", pk, refused.refusal.value)
        ResetRequest.objects.filter(pk=pk).update(address="")


def _is_plausible(address: str) -> bool:
    return 3 <= len(address) <= LONGEST_ADDRESS and "@" in address[1:-1] and address.isprintable()


def _is_within_limits(written: ResetRequest) -> bool:
    """Whether the row that was just written is still one of those allowed. One statement counts for all limits."""
    connection, counts, parameters = connections[turns.alias()], [], []
    limits = conf.REQUEST_LIMITS
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
    return all(count <= most for count, (most, _period) in zip(found, limits.values(), strict=True))
