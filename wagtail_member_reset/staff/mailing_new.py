"""Before a mailing starts: the form, the preview, and the start itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.models import Site

from .. import mailings, outbox
from ..accounts import may_see_listing
from ..exceptions import ChoiceError
from ..mailing import Kind, Nobody, Source
from ..models import Mailing, MailingUnmatched, MailingUpload, SkipReason
from . import (
    mailing_file,
    mailing_people,
    mailing_sample,
    mailing_start,
    mailing_words,
    permissions,
    previewed_at,
    site_choice,
    spreadsheets,
)
from .mailing_forms import ChoiceForm
from .mailing_pages import TEMPLATES, choice, find, guarded, page, refuse, require, url, within_reach

# Of a file's lines that match no account; all of them can be downloaded.
SHOWN_LINES = 10
# Workers begin within seconds.
LATE = timedelta(minutes=2)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def new(request: HttpRequest) -> HttpResponse:
    """The form. A valid one is saved as a draft and leads to its preview; nobody gets an email yet."""
    require(request)
    is_sent = request.method == "POST"
    form = ChoiceForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    form.hidden = permissions.hidden_from(request.user)
    site_choice.begin_with(form, site_choice.FIELD, request)
    if is_sent and form.is_valid():
        by: Any = request.user
        draft = mailings.draft(form.choice, by=by, reading=form.reading, upload=form.upload, **form.details)
        return redirect(url(draft))
    title = _("New mailing")
    # A screen reader says the title first.
    shown = {"header_title": _("Error: %(title)s") % {"title": title}} if form.errors else {}
    return page(request, "mailing_new.html", title, {"form": form, **shown})


def preview(
    request: HttpRequest,
    mailing: Mailing,
    *,
    start_url: str,
    back_url: str,
    other_url: str = "",
    instead_url: str = "",
    url_of_site: Callable[[Site], str] | None = None,
) -> HttpResponse:
    """
    Say who would get an email now, and who not. Changes nothing.

    The page of a draft calls this, and the bulk action of the user listing. The latter has no form in which to ask
    about people with a working link, so `other_url` is the same preview with them, or without, and `url_of_site` the
    same for another site. Where nobody can be chosen in this way, `instead_url` is where another way is chosen, if
    "Back" does not lead there.
    """
    try:
        found = mailings.preview(mailing, **within_reach(request, mailing))
    except ChoiceError as error:
        messages.error(request, str(error))
        return redirect(instead_url or back_url)
    unmatched = unmatched_of(request, mailing)
    lines = unmatched.lines if unmatched else []
    context = {
        "mailing": mailing,
        "previewed_at": "" if mailing.pk else previewed_at.signed(request, mailing.created_at),
        "preview": found,
        "choice": choice(request, mailing),
        "listed": mailing_people.listed(request, found),
        **mailing_sample.context(mailing, found),
        "file": mailing_file.report(request, mailing),
        "unmatched": unmatched,
        "unmatched_lines": [(line, text, Nobody(reason).label) for line, text, reason in lines[:SHOWN_LINES]],
        "start_url": start_url,
        "back_url": back_url,
        "is_partial": permissions.hidden_from(request.user) is not None,
        "start_sentence": mailing_words.start_sentence(mailing),
        "hours_sentence": mailing_words.hours_sentence(mailing),
        **site_choice.of_mailing(mailing, url_of_site),
        "kept_sentence": mailing_words.kept_sentence() if mailing.pk else "",
        "seen": mailing_start.seen(mailing),
        "offer": mailing_start.offer(mailing, found.emails),
        "test_url": url(mailing, "mailing_test") if mailing.pk else "",
        "details_url": url(mailing, "mailing_details") if mailing.pk else "",
        "delete_url": url(mailing, "mailing_delete") if mailing.pk else "",
        "other_url": other_url if mailing.again or SkipReason.LIVE_LINK in found.skips else "",
    }
    return page(request, "mailing_preview.html", mailing.name, context)


def preview_draft(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """The preview of a draft, with the way back to where it was made; or that its file is still being read."""
    upload = MailingUpload.objects.filter(mailing=mailing.pk).first()
    is_polled = request.headers.get("x-requested-with") == "XMLHttpRequest"
    if upload is not None or is_polled:
        return _reading(request, mailing, upload, is_polled=is_polled)
    start_url, came_from = url(mailing, "mailing_start"), _came_from(request, mailing)
    if came_from:
        return preview(request, mailing, start_url=start_url, back_url=came_from)
    entered, new_url = url(mailing, "mailing_details"), reverse("wagtail_member_reset_admin:mailing_new")
    return preview(request, mailing, start_url=start_url, back_url=entered, instead_url=new_url)


def _came_from(request: HttpRequest, mailing: Mailing) -> str:
    """Where its people were chosen, but for the form of a new mailing."""
    chosen = mailing.choice
    if earlier := chosen.get("mailing"):
        return reverse("wagtail_member_reset_admin:mailing", args=[earlier])
    if chosen.get("source") == Source.NEEDS_HELP.value:
        return reverse("wagtail_member_reset_admin:needs_help")
    is_of_listing = chosen["kind"] == Kind.LISTING.value or chosen.get("source") == Source.LISTING.value
    if is_of_listing and may_see_listing(request.user):
        query = chosen.get("query", "")
        return reverse("wagtailusers_users:index") + (f"?{query}" if query else "")
    return ""


def _reading(request: HttpRequest, mailing: Mailing, upload: MailingUpload | None, *, is_polled: bool) -> HttpResponse:
    """How far the reading of a long file is. What is late is asked for once more, as after a restart."""
    is_late = upload is not None and upload.lease_until is None and upload.created_at < timezone.now() - LATE
    if is_late:
        outbox.wake()
    context = {"mailing": mailing, "upload": upload, "is_late": is_late}
    if is_polled:
        return guarded(render(request, TEMPLATES + "mailing_reading_body.html", context))
    return page(request, "mailing_reading.html", _("Preview"), context)


def begin(request: HttpRequest, mailing: Mailing) -> None:
    """Start a mailing, for members whom the person who clicked may reset. Warns where it has started before."""
    said = mailing_start.take(mailing, request.POST)
    if said is None:
        messages.error(request, _("Nothing was sent: look at the preview again."))
        return
    mailing.created_by = cast(Any, request.user)
    if not mailings.start(mailing, **said, **within_reach(request, mailing)):
        messages.warning(request, _("This mailing has already started. Nobody gets a second email."))


@require_safe
def unmatched(request: HttpRequest, pk: int) -> HttpResponse:
    """Download the lines of a mailing's file that match no account, for a spreadsheet, if one may see the file."""
    mailing = find(request, pk)
    if not permissions.may_see_file(request.user, mailing):
        refuse(request)
    lines = get_object_or_404(MailingUnmatched, mailing=pk).lines
    rows = ([str(line), text, str(Nobody(reason).label)] for line, text, reason in lines)
    header = [_("Line"), _("Text"), _("Reason")]
    return guarded(spreadsheets.as_csv(mailing_words.file_name(mailing, "lines-without-account"), [header, *rows]))


def unmatched_of(request: HttpRequest, mailing: Mailing) -> MailingUnmatched | None:
    """The lines of the mailing's file that match no account, for who may see them."""
    found = getattr(mailing, "unmatched", None) if mailing.pk else None
    return found if found and permissions.may_see_file(request.user, mailing) else None
