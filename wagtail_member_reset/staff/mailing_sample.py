"""In a preview: the email itself, and a test of it to who asks."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from wagtail.admin.utils import get_user_display_name

from .. import mailings
from ..accounts import Member, address_of
from ..exceptions import ChoiceError
from ..mailing import Preview
from ..models import EmailState, Mailing, MailingState
from ..outbox import Content, SampleSent, sample_of, send_test
from . import mailing_figures, permissions
from .mailing_pages import find, url, within_reach

logger = logging.getLogger("wagtail_member_reset")


def context(mailing: Mailing, preview: Preview) -> dict[str, object]:
    """The email of the first who gets one, for the template; whether it cannot be made."""
    if not preview.samples:
        return {}
    member = preview.samples[0]
    letter = _letter(mailing, member)
    return {"letter": letter, "letter_of": get_user_display_name(member), "is_letter_broken": letter is None}


def of_started(request: HttpRequest, mailing: Mailing) -> dict[str, object]:
    """The same of one that has started: as the first got it whom the reader may look at. Without a button to test."""
    emails = mailing_figures.rows(mailing, permissions.hidden_from(request.user))
    first = emails.exclude(state=EmailState.SKIPPED).select_related("member").order_by("pk").first()
    if first is None:
        return {}
    letter = _letter(mailing, first.member, purpose=first.purpose)
    return {"letter": letter, "letter_of": get_user_display_name(first.member)}


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test of a draft to the address of who asks, and to no other."""
    mailing = find(request, pk)
    if request.method == "POST" and mailing.state == MailingState.DRAFT:
        _send(request, mailing)
    return redirect(url(mailing))


def _send(request: HttpRequest, mailing: Mailing) -> None:
    member = _first(request, mailing)
    if member is None:
        messages.warning(request, _("No test was sent: nobody would get an email."))
        return
    try:
        came_of_it = send_test(mailing, member, by=request.user)
    except Exception as error:  # whatever a template of the site's raises
        logger.error("mailing=%s: the test cannot be made: %s", mailing.pk, type(error).__name__)
        messages.error(request, _("No test was sent: the email cannot be made. Ask your administrator."))
        return
    say_what_came_of_it(request, came_of_it)


def say_what_came_of_it(request: HttpRequest, came_of_it: SampleSent) -> None:
    if came_of_it == SampleSent.SENT:
        said = _("A test is on its way to %(address)s.") % {"address": address_of(request.user)}
        messages.success(request, said)
    elif came_of_it == SampleSent.NO_ADDRESS:
        messages.warning(request, _("No test was sent: your own account has no email address."))
    elif came_of_it == SampleSent.NEW_ADDRESS:
        said = _("No test was sent: your address was changed within the last 24 hours. Ask a colleague, or wait.")
        messages.warning(request, said)
    elif came_of_it == SampleSent.LIMIT:
        messages.warning(request, _("No test was sent: you have sent yourself many within the last hour."))
    else:
        messages.error(request, _("The mail server did not accept the test. Ask your administrator."))


def _first(request: HttpRequest, mailing: Mailing) -> Member | None:
    try:
        samples = mailings.preview(mailing, **within_reach(request, mailing)).samples
    except ChoiceError:
        return None
    return samples[0] if samples else None


def _letter(mailing: Mailing, member: Member, *, purpose: str = "") -> Content | None:
    try:
        return sample_of(mailing, member, purpose=purpose)
    except Exception as error:  # whatever a template of the site's raises
        logger.error("mailing=%s: the email cannot be made: %s", mailing.pk, type(error).__name__)
        return None
