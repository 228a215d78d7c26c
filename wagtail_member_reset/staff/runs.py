"""Runs in the admin: choose, look, start, watch, pause, stop, try again."""

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

from .. import bulk
from ..accounts import address_of, has_passwords
from ..choosing import Choice, Kind
from ..models import BatchState, BatchUnmatched, EmailState, ResetBatch, ResetEmail, SkipReason
from . import listing, panel, permissions, run_words
from .media import RUN_MEDIA
from .run_forms import ChoiceForm

TEMPLATES = "wagtail_member_reset/staff/"
SHOWN_RUNS = 20
SHOWN_MEMBERS = 50
SHOWN_LINES = 10
# Of these a run has counted some whom it never wrote a mail for.
UNLISTED = [SkipReason.NOT_ALLOWED, SkipReason.GONE, SkipReason.STOPPED]
STATES = {"waiting": [EmailState.QUEUED, EmailState.SENDING], **{state.value: [state] for state in EmailState}}


def _verb(view: Callable[[HttpRequest, int], HttpResponse]) -> Callable[..., HttpResponse]:
    """For what only a POST does. A GET shows the run: who had to sign in again in between comes back by one."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @transaction.non_atomic_requests
    @wraps(view)
    def answer(request: HttpRequest, pk: int) -> HttpResponse:
        return view(request, pk) if request.method == "POST" else redirect(url(_batch(request, pk)))

    return answer


class RunsMenuItem(MenuItem):  # type: ignore[misc]
    def __init__(self) -> None:
        url = reverse("wagtail_member_reset_admin:runs")
        super().__init__(gettext_lazy("Password resets to many"), url, name="member-reset-runs", icon_name="mail")

    def is_shown(self, request: HttpRequest) -> bool:
        return has_passwords() and permissions.may_send_in_bulk(request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def runs(request: HttpRequest) -> HttpResponse:
    """The latest runs, and the form for another: it leads to a preview, and mails nobody."""
    _require(request)
    is_sent = request.method == "POST"
    form = ChoiceForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    if is_sent and form.is_valid():
        said = form.cleaned_data
        pace = {"again": said["again"], "per_hour": said["per_hour"]}
        return redirect(url(bulk.draft(form.choice, by=request.user, matches=form.matches, **pace)))
    started = ResetBatch.objects.exclude(state=BatchState.DRAFT).order_by("-created_at").select_related("created_by")
    found = started[:SHOWN_RUNS]
    rows = [{"batch": each, "name": run_words.name(each), "choice": _choice(request, each)} for each in found]
    return _page(request, "runs.html", _("Password resets to many"), {"form": form, "runs": rows}, above=[])


@require_safe
@transaction.non_atomic_requests
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: before its start, what it would do; then how far it is. A fetch gets what changes alone."""
    _require(request)
    batch = get_object_or_404(ResetBatch.objects.select_related("created_by", "unmatched"), pk=pk)
    if batch.state == BatchState.DRAFT:
        return preview(request, batch, start_url=url(batch, "run_start"), back_url=url())
    progress = bulk.progress(batch)
    context = {
        "batch": batch,
        "title": run_words.title(batch),
        "progress": progress,
        "choice": _choice(request, batch),
        "left": run_words.time_left(progress.left),
        "unmatched": _unmatched(batch),
    }
    if request.headers.get("x-requested-with") == "XMLHttpRequest":
        return _guarded(render(request, TEMPLATES + "run_body.html", context))
    return _page(request, "run.html", run_words.name(batch), context)


@require_safe
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """
    The members of a run, by state, some at a time: from the one after whom the last page ended.

    Only those at whom the reader may look: somebody else may have started the run.
    """
    _require(request)
    batch = get_object_or_404(ResetBatch, pk=pk)
    state = request.GET.get("state", "")
    after = request.GET.get("after", "")
    mails = ResetEmail.objects.filter(batch=batch).order_by("pk").select_related("member")
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
        "batch": batch,
        "rows": rows,
        "more": more,
        "is_first": not after,
        "state": state,
        "states": [(name, label, name == state) for name, label in run_words.STATES.items()],
        "has_more_waiting": state in ("", "waiting") and batch.is_under_way and batch.chunks.exists(),
        "has_more_skips": state in ("", "skipped") and batch.skips.filter(reason__in=UNLISTED, count__gt=0).exists(),
    }
    return _page(request, "run_members.html", _("Members"), context, above=[(run_words.name(batch), url(batch))])


@require_safe
def unmatched(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines of the run's file that name no account, as a file that a spreadsheet opens."""
    _require(request)
    lines = get_object_or_404(BatchUnmatched, batch=pk).lines
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{pk}-lines-without-account.csv"'
    response.write("\ufeff")  # or else a spreadsheet takes it for some older encoding
    rows = csv.writer(response)
    rows.writerow([_("Line"), _("Text")])
    rows.writerows((number, run_words.harmless(text)) for number, text in lines)
    return _guarded(response)


@_verb
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a run as it was chosen; once, whoever clicks."""
    batch = _batch(request, pk)
    begin(request, batch)
    return redirect(url(batch))


@_verb
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, bulk.pause)


@_verb
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, bulk.go_on)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and then stop for good: nothing takes that back."""
    if request.method == "POST":
        return _do(request, pk, partial(bulk.stop, by=request.user))
    batch = _batch(request, pk)
    if not batch.is_under_way:
        return redirect(url(batch))
    return _page(
        request, "run_stop.html", _("Stop sending"), {"batch": batch}, above=[(run_words.name(batch), url(batch))]
    )


@_verb
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, pk, partial(bulk.try_again, beyond=permissions.beyond(request.user)))


@_verb
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft a run for those of this one who have not signed in: it leads to a preview, and mails nobody."""
    batch = _batch(request, pk)
    choice = Choice(kind=Kind.RUN, run=batch.pk)
    return redirect(url(bulk.draft(choice, by=request.user, again=True, per_hour=batch.per_hour)))


def begin(request: HttpRequest, batch: ResetBatch) -> None:
    """Start a run within the reach of who asks, and say so if somebody else did."""
    batch.created_by = cast(Any, request.user)
    if not bulk.start(batch, beyond=permissions.beyond(request.user), listing=_listing(request, batch)):
        messages.warning(request, _("This run was already started. Nobody is mailed twice."))


def preview(
    request: HttpRequest, batch: ResetBatch, *, start_url: str, back_url: str, other_url: str = ""
) -> HttpResponse:
    """
    What starting would do now. Writes nothing.

    `other_url` is the preview with those who have a link that works, or without them: for who was not asked before.
    """
    found = bulk.preview(batch, beyond=permissions.beyond(request.user), listing=_listing(request, batch))
    context = {
        "batch": batch,
        "preview": found,
        "choice": _choice(request, batch),
        "samples": [(get_user_display_name(member), address_of(member)) for member in found.samples],
        "unmatched": _unmatched(batch),
        "shown_lines": SHOWN_LINES,
        "start_url": start_url,
        "back_url": back_url,
        "other_url": other_url if batch.again or SkipReason.LIVE_LINK in found.skips else "",
    }
    return _page(request, "run_preview.html", _("Send password resets"), context)


def refuse(request: HttpRequest) -> NoReturn:
    """Turn away who may not mail many, and note what they tried."""
    if request.method == "POST":
        bulk.note_refused(by=request.user)
    raise PermissionDenied


def url(batch: ResetBatch | None = None, name: str = "run") -> str:
    if batch is None:
        return reverse("wagtail_member_reset_admin:runs")
    return reverse(f"wagtail_member_reset_admin:{name}", args=[batch.pk])


def _listing(request: HttpRequest, batch: ResetBatch) -> QuerySet[Any] | None:
    if batch.choice["kind"] != Kind.LISTING.value:
        return None
    return listing.accounts(request, batch.choice["query"])


def _choice(request: HttpRequest, batch: ResetBatch) -> str:
    is_listing = batch.choice["kind"] == Kind.LISTING.value
    return run_words.choice(batch.choice, listing.in_words(request, batch.choice["query"]) if is_listing else ())


def _unmatched(batch: ResetBatch) -> BatchUnmatched | None:
    return getattr(batch, "unmatched", None) if batch.pk else None


def _do(request: HttpRequest, pk: int, verb: Callable[[ResetBatch], object]) -> HttpResponse:
    batch = _batch(request, pk)
    if not verb(batch):
        messages.warning(request, _("Nothing was changed: by now the run is in another state."))
    # Who works by keyboard goes on where they were, not at the top of the menu.
    return redirect(url(batch) + "#member-reset-run")


def _batch(request: HttpRequest, pk: int) -> ResetBatch:
    _require(request)
    return get_object_or_404(ResetBatch, pk=pk)


def _require(request: HttpRequest) -> None:
    if not permissions.may_send_in_bulk(request.user):
        refuse(request)


def _page(
    request: HttpRequest,
    template: str,
    title: str,
    context: dict[str, Any],
    *,
    above: Iterable[tuple[str, str]] | None = None,
) -> HttpResponse:
    """A page under that of all runs and under those `above` it; an empty list stands for the former itself."""
    path = [(_("Home"), reverse("wagtailadmin_home"))]
    if above != []:
        path += [(_("Password resets to many"), url()), *(above or ())]
    path.append((title, ""))
    page = {
        "page_title": title,
        "header_title": title,
        "header_icon": "mail",
        "page_media": RUN_MEDIA,
        "breadcrumbs_items": [{"label": label, "url": address} for label, address in path],
    }
    return _guarded(render(request, TEMPLATES + template, {**context, **page}))


def _guarded(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["X-Frame-Options"] = "DENY"
    return response
