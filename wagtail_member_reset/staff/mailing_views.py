"""The page of one mailing, and what its buttons do: start, pause, resume, stop, try again, send again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from .. import links, mailings, outbox, reports
from ..accounts import address_of
from ..mailing import Choice, Kind, has_missed, has_started, holds_back_admins, is_watching, options_of
from ..mailing import watch as set_watching
from ..models import Mailing, MailingState, MailingUpload
from . import mailing_figures, mailing_file, mailing_sample, mailing_start, mailing_words, permissions, site_choice
from .mailing_figures import SHOWN, Figures
from .mailing_new import begin, preview_draft, unmatched_of
from .mailing_pages import TEMPLATES, choice, find, guarded, members_url, page, url


@require_safe
@transaction.non_atomic_requests
def mailing(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of a mailing, or the preview of a draft. The page's own script fetches the progress alone."""
    mailing = find(request, pk)
    if mailing.state == MailingState.DRAFT:
        return preview_draft(request, mailing)
    progress, figures = mailings.progress(mailing), mailing_figures.figures(request.user, mailing)
    alarm, alarm_text = mailing_words.alarm(mailing, figures)
    context = {
        "mailing": mailing,
        "title": mailing_words.title(mailing, figures),
        "progress": progress,
        "figures": figures,
        "lines": _lines(mailing, figures),
        "alarm": alarm,
        "alarm_text": alarm_text,
        "why_paused": mailing_words.why_paused(mailing) if figures.is_partial else progress.why_paused,
        "hears_nothing": _hears_nothing(figures),
        "can_retry": has_missed(mailing, beyond=permissions.beyond(request.user)),
        "choice": choice(request, mailing),
        "mailing_site": site_choice.named(mailing.site, links.offered_sites()),
        "has_begun": has_started(mailing),
        "starts_with_a_visit": outbox.starts_with_a_visit(mailing),
        "start_time": mailing_words.start_time(mailing),
        "hours": mailing_words.hours(mailing),
        "so_far": mailing_words.so_far(mailing, figures),
        # It is about everybody: of somebody who sees a few, it would tell how many the others are.
        "left": "" if figures.is_partial else mailing_words.time_left(progress.left),
        "unmatched": unmatched_of(request, mailing),
    }
    if request.headers.get("x-requested-with") == "XMLHttpRequest":
        return guarded(render(request, TEMPLATES + "mailing_body.html", context))
    context |= mailing_sample.of_started(request, mailing)
    context["is_watching"] = is_watching(mailing, request.user)
    context["can_watch"] = mailing.is_under_way and bool(address_of(request.user))
    return page(request, "mailing.html", mailing_words.name(mailing), context)


def _lines(mailing: Mailing, figures: Figures) -> list[dict[str, Any]]:
    """The counts, each with the address of the list of who; but for those that are nothing."""
    return [
        {
            "name": name,
            "label": label,
            "number": figures.numbers[name],
            "url": members_url(mailing, name),
            "reasons": [(each, members_url(mailing, name, each.key)) for each in figures.reasons.get(name, ())],
        }
        for name, (label, _which) in SHOWN.items()
        if name and (figures.numbers[name] or name == "sent") and (name != "retrying" or mailing.is_under_way)
    ]


def _hears_nothing(figures: Figures) -> bool:
    """Whether nothing is, nor will be, known of what was sent."""
    sent, delivered, came_back = (figures.numbers[name] for name in ("sent", "delivered", "came_back"))
    return bool(sent) and not (delivered or came_back or reports.reports(reports.default_backend().name))


def _verb(view: Callable[[HttpRequest, Mailing], HttpResponse]) -> Callable[..., HttpResponse]:
    """
    A button: only a POST does it.

    A GET shows the mailing. It comes from somebody who had to sign in again after the click.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    @transaction.non_atomic_requests
    @wraps(view)
    def answer(request: HttpRequest, pk: int) -> HttpResponse:
        mailing = find(request, pk)
        return view(request, mailing) if request.method == "POST" else redirect(url(mailing))

    return answer


@_verb
def start(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """Nobody gets an email whom no preview has counted: what was changed on the page is shown first."""
    if MailingUpload.objects.filter(mailing=mailing.pk).exists():
        messages.warning(request, _("Nothing was sent: the file has not been read."))
        return redirect(url(mailing))
    said = mailing_file.write_down(request, mailing)
    if said == mailing_file.Said.UNCHANGED and mailing_start.is_other(mailing, request.POST):
        said_why = _("Nothing was sent: this mailing has changed since you opened the page. Look at the preview again.")
        messages.warning(request, said_why)
    elif said == mailing_file.Said.UNCHANGED:
        begin(request, mailing)
    elif said == mailing_file.Said.CHANGED:
        messages.warning(request, _("Nothing was sent: you changed who gets an email. Look at the preview again."))
    else:
        messages.error(request, _("Nothing was sent: choose one of the columns below, and look at the preview again."))
    return redirect(url(mailing))


@_verb
def choose(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """Of the file of a draft: another column, each of those who share an address, those who were held back."""
    if mailing_file.write_down(request, mailing) == mailing_file.Said.WRONG:
        messages.error(request, _("Nothing changed: choose one of the columns below."))
    return redirect(url(mailing) + "#member-reset-preview")


@_verb
def pause(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    return _do(request, mailing, mailings.pause)


@_verb
def resume(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    return _do(request, mailing, mailings.go_on)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """A GET asks for confirmation; the POST ends the mailing and cancels the links that were not emailed."""
    mailing = find(request, pk)
    if request.method == "POST":
        return _do(request, mailing, partial(mailings.stop, by=request.user))
    if not mailing.is_under_way:
        return redirect(url(mailing))
    waiting = mailing_figures.figures(request.user, mailing).numbers["waiting"]
    context = {"mailing": mailing, "waiting": waiting}
    return page(request, "mailing_stop.html", _("Stop sending"), context, above=mailing)


@_verb
def watch(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """Tell who asks, and nobody else, by email when the mailing ends or pauses; or no more."""
    set_watching(mailing, request.user, wants=request.POST.get("wants") == "1")
    return redirect(url(mailing) + "#member-reset-watch")


@_verb
def retry(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    return _do(request, mailing, partial(mailings.try_again, beyond=permissions.beyond(request.user)))


@_verb
def again(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """Draft another mailing, for those of this one who have not got in yet. Leads to its preview."""
    choice = Choice(kind=Kind.MAILING, mailing=mailing.pk, held_back=holds_back_admins(mailing.choice))
    return redirect(url(mailings.draft(choice, by=request.user, again=True, **options_of(mailing))))


@_verb
def rest(request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """Draft another mailing, for those whom this one had not come to when it was stopped. Leads to its preview."""
    beyond, is_stopped = permissions.beyond(request.user), mailing.state == MailingState.STOPPED
    draft = mailings.draft_rest(mailing, by=request.user, beyond=beyond) if is_stopped else None
    if draft is None:
        messages.warning(request, _("Nothing changed: there is nobody left to send it to."))
        return redirect(url(mailing))
    return redirect(url(draft))


def _do(request: HttpRequest, mailing: Mailing, verb: Callable[[Mailing], object]) -> HttpResponse:
    """Do what a button says. `verb` is falsy where the mailing's state no longer allows it."""
    if not verb(mailing):
        messages.warning(request, _("Nothing changed: the mailing is no longer in the state that you saw."))
    # Keyboard users continue at the heading, not at the top of the menu.
    return redirect(url(mailing) + "#member-reset-mailing")
