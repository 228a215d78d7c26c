"""What staff are told of an address that the mail service was asked to mail again."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from .. import accounts, reports
from ..outbox import may_be_blocked
from ..reports import Trouble, Unblocked
from ..resets import Status
from .permissions import Rights
from .wording import Text

OUTCOMES: dict[Unblocked, Text] = {
    Unblocked.WAS_NOT_BLOCKED: _(
        "The mail service does not block this address, so nothing was changed or sent. Check the address for typing "
        "mistakes; if it is right, send again."
    ),
    Unblocked.COMPLAINT: _(
        "The address stays blocked, and nothing was sent: an email there was marked as spam. "
        "Pass the link on another way."
    ),
    Unblocked.OTHER: _(
        "The address stays blocked, and nothing was sent: the person unsubscribed at the mail service, or somebody "
        "blocked it there by hand. Ask your administrator."
    ),
    Unblocked.STILL_BLOCKED: _(
        "The mail service still blocks the address, so nothing was sent. Try again in a few minutes, or ask your "
        "administrator."
    ),
}
TROUBLES: dict[Trouble, Text] = {
    Trouble.DENIED: _(
        "The mail service does not let this site change its list, so nothing was sent. "
        "Ask your administrator: the site’s key there needs the right to do so."
    ),
    Trouble.NO_ANSWER: _(
        "The mail service did not answer, so nothing was sent, and the address may still be blocked. "
        "Try again in a few minutes."
    ),
    Trouble.NOT_UNDERSTOOD: _(
        "The mail service answered in a way that this site does not understand, so nothing was sent. "
        "Ask your administrator to look at the list there."
    ),
    Trouble.TOO_LONG: _(
        "The mail service’s list is too long to look for the address, so nothing was changed or sent. "
        "Ask your administrator to look there."
    ),
}


def offer(status: Status, rights: Rights) -> dict[str, Any] | None:
    """
    What the panel offers about the service's list; None where there is nothing to do there.

    Nothing for an email to an earlier address: the question names the account's own, and so does the next email.
    """
    if status.email is None or status.refusal or not rights.send or not may_be_blocked(status.verdict):
        return None
    if accounts.address_key(status.email.recipient) != accounts.address_key(status.address):
        return None
    service = reports.service_named(status.email.provider)
    has_api = service.block_list is not None and rights.unblock
    if not has_api and not service.block_page:
        return None
    return {"service": service.name, "has_api": has_api, "page": "" if has_api else service.block_page}
