"""The words for mailings: cells of the two listings, headings, and what remains to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils.formats import number_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.utils import get_user_display_name

from .. import moments
from ..mailing import DRAFT_DAYS, Source, has_hours, has_started, name_of, opens_at
from ..mailing import why_paused as reason_for_pause
from ..models import EmailState, Mailing, MailingState, ResetEmail, SkipReason
from ..reports import reports, verdict_on
from . import wording
from .mailing_figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of the groups, by their order, and of the earlier mailings that choices mean."""

    groups: dict[int, str]
    mailings: dict[int, str]


def names_in(choices: Iterable[dict[str, Any]]) -> Names:
    """A query for all groups and one for all mailings, where there are any."""
    groups, earlier = set[int](), set[int]()
    for chosen in choices:
        groups.update(chosen.get("groups", ()))
        earlier.update(filter(None, [chosen.get("mailing")]))
    named = Group.objects.filter(pk__in=groups).order_by("name").values_list("pk", "name") if groups else ()
    found = Mailing.objects.defer("choice").in_bulk(earlier) if earlier else {}
    return Names(groups=dict(named), mailings={pk: name_of(each) for pk, each in found.items()})


def choice(chosen: dict[str, Any], names: Names, filters: Iterable[str] = ()) -> str:
    """How the members of a mailing were chosen. `filters` are those of the user listing, as it names them."""
    kind, earlier = chosen["kind"], names.mailings.get(chosen.get("mailing") or 0)
    if kind == "never_signed_in":
        return _("Everybody who has not got in yet")
    if kind == "groups":
        groups = [name for pk, name in names.groups.items() if pk in chosen["groups"]]
        return _("In the groups %(groups)s") % {"groups": ", ".join(groups)}
    if kind == "listing":
        said = ", ".join(filters)
        return _("Users in the listing (%(filters)s)") % {"filters": said} if said else _("Users in the listing")
    if kind == "reminder":
        return _("People whose unused welcome link is about to expire")
    if kind == "mailing":
        if earlier is None:
            return _("Members of an earlier mailing who have not got in yet")
        return _("Members of “%(name)s” who have not got in yet") % {"name": earlier}
    if kind == "file":
        return _("People in a file")
    if kind == "ids":
        return _picked(chosen, earlier)
    return _("All accounts")


def _picked(chosen: dict[str, Any], earlier: str | None) -> str:
    if "rest_of" in chosen:
        return _("The rest of “%(name)s”") % {"name": earlier} if earlier else _("The rest of an earlier mailing")
    said = {
        Source.LISTING.value: _("People picked from the listing"),
        Source.NEEDS_HELP.value: _("People picked from “Needs help”"),
        Source.COMMAND.value: _("People chosen by a command"),
    }
    return said.get(chosen.get("source", ""), _("Selected people"))


def name(mailing: Mailing) -> str:
    return name_of(mailing)


def file_name(mailing: Mailing, what: str) -> str:
    """For a download of the mailing's, without its ending: ASCII, as every browser takes it."""
    return "-".join(filter(None, [slugify(name(mailing)) or "mailing", what]))


def starter(mailing: Mailing) -> str:
    return str(get_user_display_name(mailing.created_by)) if mailing.created_by else ""


def progress(mailing: Mailing) -> str:
    """What its page says of how much is done, for the list; nothing of a draft."""
    if mailing.state == MailingState.DRAFT:
        return ""
    done = mailing.handed_over if mailing.state == MailingState.STOPPED else mailing.handled
    return _("%(done)s of %(all)s") % {"done": grouped(done), "all": grouped(mailing.chosen)}


def member(email: ResetEmail) -> str:
    return str(get_user_display_name(email.member))


def password(email: ResetEmail) -> str:
    return _("Chosen") if getattr(email, "has_chosen", False) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of an email: a word or two, why, and what a server answered."""

    badge: str
    text: str
    tone: str = "plain"
    answer: str = ""


def fate(email: ResetEmail) -> Fate:
    """In the words of the member's tab, where an attempt was made. No query where the events were read before."""
    if email.state == EmailState.SKIPPED:
        is_stopped = email.skip_reason == SkipReason.STOPPED
        badge = _("Not sent") if is_stopped else str(email.get_state_display())
        return Fate(badge=badge, text=str(email.get_skip_reason_display()))
    if email.is_waiting and not email.attempts:
        return Fate(badge=_("Waiting"), text=_("Its turn has not come yet."))
    verdict = verdict_on(email, email.events.all(), reports=reports(email.provider))
    words = wording.words(verdict, name=wording.person(email.member))
    return Fate(badge=words.badge, text=words.text, tone=words.tone, answer=verdict.text)


def title(mailing: Mailing, figures: Figures) -> str:
    """The heading of a mailing's page: what it is doing, or has done."""
    sent = figures.numbers["sent"]
    chosen, mailed = {"number": grouped(figures.chosen)}, {"number": grouped(sent)}
    if begins := _begins(mailing):
        return begins
    if mailing.state == MailingState.RUNNING:
        return ngettext("Sending to %(number)s member", "Sending to %(number)s members", figures.chosen) % chosen
    if mailing.state == MailingState.PAUSED:
        return _("Sending is paused")
    if mailing.state == MailingState.STOPPED:
        return _("Sending was stopped")
    if not sent and figures.numbers["failed"]:
        return _("Sending failed")
    return ngettext("Sent to %(number)s member", "Sent to %(number)s members", sent) % mailed


def _begins(mailing: Mailing) -> str:
    """When one that waits for its time or its hours sends; empty for any other."""
    moment = opens_at(mailing) if mailing.state == MailingState.RUNNING else None
    if moment is None:
        return ""
    when = {"when": moments.date_and_time(moment)}
    return _("Goes on %(when)s") % when if has_started(mailing) else _("Starts %(when)s") % when


def alarm(mailing: Mailing, figures: Figures) -> tuple[str, str]:
    """What is wrong with a mailing, for the top of its page, and how loudly that is said; empty where nothing is."""
    sent, failed, came_back = (figures.numbers[name] for name in ("sent", "failed", "came_back"))
    tried, lost = sent + failed, failed + came_back
    values = {"lost": grouped(lost), "tried": grouped(tried)}
    if not lost:
        return "", ""
    if lost < tried:
        text = ngettext(
            "%(lost)s of %(tried)s emails did not arrive: it failed or came back.",
            "%(lost)s of %(tried)s emails did not arrive: they failed or came back.",
            lost,
        )
        return "warning", text % values
    if mailing.is_under_way:
        text = ngettext("The only email so far did not arrive.", "None of the %(tried)s emails so far arrived.", tried)
    elif not sent:
        text = ngettext(
            "The email failed. Nobody got an email from this mailing.",
            "All %(tried)s emails failed. Nobody got an email from this mailing.",
            tried,
        )
    else:
        text = ngettext(
            "The email failed or came back. Nobody got an email from this mailing.",
            "All %(tried)s emails failed or came back. Nobody got an email from this mailing.",
            tried,
        )
    return "critical", text % values


def draft() -> str:
    """The state of one that is not started, in the list."""
    return _("Draft")


def outcome(mailing: Mailing) -> str:
    """A mailing's state for the list: one with failures does not look as if all were well."""
    if mailing.state == MailingState.FINISHED and (lost := mailing.failed + mailing.bounced):
        is_all = lost >= mailing.handed_over + mailing.failed
        return _("Finished: all emails failed") if is_all else _("Finished, with failures")
    return plain_outcome(mailing)


def plain_outcome(mailing: Mailing) -> str:
    """The same for who may not know of all failures: its state, or when it starts."""
    if mailing.state == MailingState.DRAFT:
        return draft()
    begins = "" if has_started(mailing) else _begins(mailing)
    return begins or str(mailing.get_state_display())


def why_paused(mailing: Mailing) -> str:
    """Why it paused by itself, for who may not know how many."""
    return reason_for_pause(mailing, has_figures=False)


def start_time(mailing: Mailing) -> str:
    """When it is to start; empty where at once."""
    return "" if mailing.starts_at is None else moments.date_and_time(mailing.starts_at)


def kept_sentence() -> str:
    """Of a draft, how long it can be found in the list."""
    text = ngettext(
        "This draft is kept for %(days)s day after the last change.",
        "This draft is kept for %(days)s days after the last change.",
        DRAFT_DAYS,
    )
    return text % {"days": DRAFT_DAYS}


def start_sentence(mailing: Mailing) -> str:
    """Of a draft; empty where it starts at once."""
    return "" if has_started(mailing) else moments.sentence(_("Starts %(when)s."), when=start_time(mailing))


def hours(mailing: Mailing) -> str:
    """Within which hours it sends; empty for any."""
    return _("%(start)s to %(end)s (%(zone)s)") % _hours(mailing) if has_hours(mailing) else ""


def hours_sentence(mailing: Mailing) -> str:
    """The same of a draft, as a sentence."""
    return _("Sends from %(start)s to %(end)s (%(zone)s) only.") % _hours(mailing) if has_hours(mailing) else ""


def _hours(mailing: Mailing) -> dict[str, str]:
    start, end = (moments.in_format("TIME_FORMAT", each) for each in (mailing.hours_from, mailing.hours_to) if each)
    return {"start": start, "end": end, "zone": moments.zone_in_words(settings.TIME_ZONE)}


def so_far(mailing: Mailing, figures: Figures) -> str:
    """How much of a mailing is done; of a stopped one, what was sent."""
    numbers = {"done": grouped(figures.done), "sent": grouped(figures.numbers["sent"]), "all": grouped(figures.chosen)}
    if mailing.state != MailingState.STOPPED:
        return _("%(done)s of %(all)s done.") % numbers
    text = ngettext("%(sent)s of %(all)s email was sent.", "%(sent)s of %(all)s emails were sent.", figures.chosen)
    return text % numbers


def time_left(left: timedelta | None) -> str:
    """A rough estimate, as a sentence; empty where there is none."""
    if left is None:
        return ""
    seconds = max(int(left.total_seconds()), 1)
    if seconds < 90:
        return ngettext("About %(n)d second left.", "About %(n)d seconds left.", seconds) % {"n": seconds}
    if seconds < 90 * 60:
        minutes = round(seconds / 60)
        return ngettext("About %(n)d minute left.", "About %(n)d minutes left.", minutes) % {"n": minutes}
    hours = round(seconds / 3600)
    if hours < 48:
        return ngettext("About %(n)d hour left.", "About %(n)d hours left.", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("About %(n)d day left.", "About %(n)d days left.", days) % {"n": days}


def grouped(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))
