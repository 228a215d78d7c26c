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
from django.db import transaction
from django.utils import timezone
from wagtail.models import Site

from .. import accounts, db, ids, links
from ..conf import conf
from ..exceptions import SendRefused
from ..models import Origin, Purpose, ResetRequest
from . import entry

logger = logging.getLogger("wagtail_member_reset")

# Families share a mailbox; more accounts than this behind one address is somebody's list.
MOST_ACCOUNTS = 5
CHUNK = 500
LONGEST_ADDRESS = 320
KEPT = timedelta(days=1)


def accept(address: str, *, network: str, site: Site | None, language: str) -> bool:
    """
    Write down a request, unless a limit is exceeded; whether it was written.

    The same statements run for every address. Nobody but a test may act on the answer.
    """
    digests = {
        "network_digest": ids.digest("network", network),
        "address_digest": ids.digest("address", unicodedata.normalize("NFKC", address).casefold()),
    }
    if not _is_plausible(address) or not _is_within_limits(**digests):
        return False
    ResetRequest.objects.create(address=address, site=site, language=language, **digests)
    return True


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
    with transaction.atomic(using=db.alias()):
        mine = ResetRequest.objects.filter(pk=pk, resolved_at=None).update(resolved_at=timezone.now())
        request = ResetRequest.objects.select_related("site").get(pk=pk) if mine else None
        if request is None:
            return
        for member in accounts_with(request.address):
            if links.is_spent_for_strangers(member):
                logger.debug("request=%s held back", pk)
                continue
            try:
                entry.enqueue(
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


def _is_within_limits(**digests: str) -> bool:
    now = timezone.now()
    counted = {
        "ip": {"network_digest": digests["network_digest"]},
        "address": {"address_digest": digests["address_digest"]},
        "all": {},
    }
    # Every count runs, whatever the others said: the statements must not depend on the answer.
    within = [
        ResetRequest.objects.filter(created_at__gt=now - period, **counted[name]).count() < most
        for name, (most, period) in conf.REQUEST_LIMITS.items()
    ]
    return all(within)
