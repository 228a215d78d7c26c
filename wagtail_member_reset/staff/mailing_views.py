"""Mailings in the admin: choose, look, start, watch, pause, stop, try again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any, NoReturn, cast

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.admin.menu import MenuItem
from wagtail.admin.utils import get_user_display_name

from .. import mailings
from ..accounts import address_of, has_passwords
from ..mailing import Choice, Kind
from ..models import EmailState, Mailing, MailingState, MailingUnmatched, ResetEmail, SkipReason
from . import listing, mailing_words, panel, permissions
from .mailing_forms import ChoiceForm
from .media import MAILING_MEDIA

TEMPLATES = "wagtail_member_reset/staff/"
SHOWN_RUNS = 20
SHOWN_MEMBERS = 50
SHOWN_LINES = 10
# Of these a mailing has counted some whom it never wrote a mail for.
UNLISTED = [SkipReason.NOT_ALLOWED, SkipReason.GONE, SkipReason.STOPPED]
STATES = {"waiting": [EmailState.QUEUED, EmailState.SENDING], **{state.value: [state] for state in EmailState}}


def _verb(view: Callable[[HttpRequest, int], HttpResponse]) -> Callable[..., HttpResponse]:
    """For what only a POST does. A GET shows the mailing: who had to sign in again in between comes back by one."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @transaction.non_atomic_requests
    @wraps(view)
    def answer(request: HttpRequest, pk: int) -> HttpResponse:
        return view(request, pk) if request.method == "POST" else redirect(url(_mailing(request, pk)))

    return answer


class MailingsMenuItem(MenuItem):  # type: ignore[misc]
    def __init__(self) -> None:
        url = reverse("wagtail_member_reset_admin:mailings")
        super().__init__(gettext_lazy("Password resets to many"), url, name="member-reset-mailings", icon_name="mail")

    def is_shown(self, request: HttpRequest) -> bool:
        return has_passwords() and permissions.may_send_mailings(request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def mailing_list(request: HttpRequest) -> HttpResponse:
    """The latest mailings, and the form for another: it leads to a preview, and mails nobody."""
    _require(request)
    is_sent = request.method == "POST"
    form = ChoiceForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    if is_sent and form.is_valid():
        said = form.cleaned_data
        pace = {"again": said["again"], "per_hour": said["per_hour"]}
        return redirect(url(mailings.draft(form.choice, by=request.user, matches=form.matches, **pace)))
    started = Mailing.objects.exclude(state=MailingState.DRAFT).order_by("-created_at").select_related("created_by")
    found = started[:SHOWN_RUNS]
    rows = [{"mailing": each, "name": mailing_words.name(each), "choice": _choice(request, each)} for each in found]
    return _page(request, "mailings.html", _("Mailings"), {"form": form, "mailings": rows}, above=[])


@require_safe
@transaction.non_atomic_requests
def mailing(request: HttpRequest, pk: int) -> HttpResponse:
    """One mailing: before its start, what it would do; then how far it is. A fetch gets what changes alone."""
    _require(request)
    mailing = get_object_or_404(Mailing.objects.select_related("created_by", "unmatched"), pk=pk)
    if mailing.state == MailingState.DRAFT:
        return preview(request, mailing, start_url=url(mailing, "mailing_start"), back_url=url())
    progress = mailings.progress(mailing)
    context = {
        "mailing": mailing,
        "title": mailing_words.title(mailing),
        "progress": progress,
        "choice": _choice(request, mailing),
        "left": mailing_words.time_left(progress.left),
        "unmatched": _unmatched(mailing),
    }
    if request.headers.get("x-requested-with") == "XMLHttpRequest":
        return _guarded(render(request, TEMPLATES + "mailing_body.html", context))
    return _page(request, "mailing.html", mailing_words.name(mailing), context)


@require_safe
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """
    The members of a mailing, by state, some at a time: from the one after whom the last page ended.

    Only those at whom the reader may look: somebody else may have started the mailing.
    """
    _require(request)
    mailing = get_object_or_404(Mailing, pk=pk)
    state = request.GET.get("state", "")
    after = request.GET.get("after", "")
    mails = ResetEmail.objects.filter(mailing=mailing).order_by("pk").select_related("member")
    if (hidden := permissions.hidden_from(request.user)) is not None:
        mails = mails.exclude(member__in=get_user_model()._base_manager.filter(hidden).values("pk"))
    if state in STATES:
        mails = mails.filter(state__in=STATES[state])
    if after.isdecimal() and len(after) < 19:
        mails = mails.filter(pk__gt=int(after))
    found = list(mails[: SHOWN_MEMBERS + 1])
    rows = [
        {"mail": mail, "name": get_user_display_name(mail.member), "url": panel.page_url(request.user, mail.member)}
        for mail in found[:SHOWN_MEMBERS]
    ]
    more = found[SHOWN_MEMBERS - 1].pk if len(found) > SHOWN_MEMBERS else None
    state = state if state in STATES else ""
    context = {
        "mailing": mailing,
        "rows": rows,
        "more": more,
        "is_first": not after,
        "state": state,
        "states": [(name, label, name == state) for name, label in mailing_words.STATES.items()],
        "has_more_waiting": state in ("", "waiting") and mailing.is_under_way and mailing.chunks.exists(),
        "has_more_skips": state in ("", "skipped") and mailing.skips.filter(reason__in=UNLISTED, count__gt=0).exists(),
    }
    return _page(
        request, "mailing_members.html", _("Members"), context, above=[(mailing_words.name(mailing), url(mailing))]
    )


@require_safe
def unmatched(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of the mailing's file that name no account, as a file that a spreadsheet opens."""
    _require(request)
    lines = get_object_or_404(MailingUnmatched, mailing=pk).lines
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="mailing-{pk}-lines-without-account.csv"'
    response.write("\ufeff")  # or else a spreadsheet takes it for some older encoding
    rows = csv.writer(response)
    rows.writerow([_("Line"), _("Text")])
    rows.writerows((number, mailing_words.harmless(text)) for number, text in lines)
    return _guarded(response)


@_verb
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a mailing as it was chosen; once, whoever clicks."""
    mailing = _mailing(request, pk)
    begin(request, mailing)
    return redirect(url(mailing))


@_verb
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, mailings.pause)


@_verb
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, mailings.go_on)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and then stop for good: nothing takes that back."""
    if request.method == "POST":
        return _do(request, pk, partial(mailings.stop, by=request.user))
    mailing = _mailing(request, pk)
    if not mailing.is_under_way:
        return redirect(url(mailing))
    return _page(
        request,
        "mailing_stop.html",
        _("Stop sending"),
        {"mailing": mailing},
        above=[(mailing_words.name(mailing), url(mailing))],
    )


@_verb
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, partial(mailings.try_again, beyond=permissions.beyond(request.user)))


@_verb
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft a mailing for those of this one who have not signed in: it leads to a preview, and mails nobody."""
    mailing = _mailing(request, pk)
    choice = Choice(kind=Kind.MAILING, mailing=mailing.pk)
    return redirect(url(mailings.draft(choice, by=request.user, again=True, per_hour=mailing.per_hour)))


def begin(request: HttpRequest, mailing: Mailing) -> None:
    """Start a mailing within the reach of who asks, and say so if somebody else did."""
    mailing.created_by = cast(Any, request.user)
    if not mailings.start(mailing, beyond=permissions.beyond(request.user), listing=_listing(request, mailing)):
        messages.warning(request, _("This mailing was already started. Nobody is mailed twice."))


def preview(
    request: HttpRequest, mailing: Mailing, *, start_url: str, back_url: str, other_url: str = ""
) -> HttpResponse:
    """
    What starting would do now. Writes nothing.

    `other_url` is the preview with those who have a link that works, or without them: for who was not asked before.
    """
    found = mailings.preview(mailing, beyond=permissions.beyond(request.user), listing=_listing(request, mailing))
    context = {
        "mailing": mailing,
        "preview": found,
        "choice": _choice(request, mailing),
        "samples": [(get_user_display_name(member), address_of(member)) for member in found.samples],
        "unmatched": _unmatched(mailing),
        "shown_lines": SHOWN_LINES,
        "start_url": start_url,
        "back_url": back_url,
        "other_url": other_url if mailing.again or SkipReason.LIVE_LINK in found.skips else "",
    }
    return _page(request, "mailing_preview.html", _("Send password resets"), context)


def refuse(request: HttpRequest) -> NoReturn:
    """Turn away who may not mail many, and note what they tried."""
    if request.method == "POST":
        mailings.note_refused(by=request.user)
    raise PermissionDenied


def url(mailing: Mailing | None = None, name: str = "mailing") -> str:
    if mailing is None:
        return reverse("wagtail_member_reset_admin:mailings")
    return reverse(f"wagtail_member_reset_admin:{name}", args=[mailing.pk])


def _listing(request: HttpRequest, mailing: Mailing) -> QuerySet[Any] | None:
    if mailing.choice["kind"] != Kind.LISTING.value:
        return None
    return listing.accounts(request, mailing.choice["query"])


def _choice(request: HttpRequest, mailing: Mailing) -> str:
    is_listing = mailing.choice["kind"] == Kind.LISTING.value
    return mailing_words.choice(
        mailing.choice, listing.in_words(request, mailing.choice["query"]) if is_listing else ()
    )


def _unmatched(mailing: Mailing) -> MailingUnmatched | None:
    return getattr(mailing, "unmatched", None) if mailing.pk else None


def _do(request: HttpRequest, pk: int, verb: Callable[[Mailing], object]) -> HttpResponse:
    mailing = _mailing(request, pk)
    if not verb(mailing):
        messages.warning(request, _("Nothing was changed: by now the mailing is in another state."))
    # Who works by keyboard goes on where they were, not at the top of the menu.
    return redirect(url(mailing) + "#member-reset-mailing")


def _mailing(request: HttpRequest, pk: int) -> Mailing:
    _require(request)
    return get_object_or_404(Mailing, pk=pk)


def _require(request: HttpRequest) -> None:
    if not permissions.may_send_mailings(request.user):
        refuse(request)


def _page(
    request: HttpRequest,
    template: str,
    title: str,
    context: dict[str, Any],
    *,
    above: Iterable[tuple[str, str]] | None = None,
) -> HttpResponse:
    """A page under that of all mailings and under those `above` it; an empty list stands for the former itself."""
    path = [(_("Home"), reverse("wagtailadmin_home"))]
    if above != []:
        path += [(_("Password resets to many"), url()), *(above or ())]
    path.append((title, ""))
    page = {
        "page_title": title,
        "header_title": title,
        "header_icon": "mail",
        "page_media": MAILING_MEDIA,
        "breadcrumbs_items": [{"label": label, "url": address} for label, address in path],
    }
    return _guarded(render(request, TEMPLATES + template, {**context, **page}))


def _guarded(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Frame-Options"] = "DENY"
    return response
