"""Telling who started a mailing, and who has asked, that it has finished or paused: no names, its page, and figures."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.html import escape, linebreaks, urlize
from django.utils.translation import gettext as _

from .. import ids, languages, links, mailing, senders
from ..accounts import Member, address_of, language_of, may_view_all
from ..exceptions import SettingError
from ..models import Mailing, MailingState, PauseReason
from ..reports import Whose
from ..texts import Content
from .failures import Answer, Result
from .transport import Mailer

logger = logging.getLogger("wagtail_member_reset")

# Its page in the admin.
PAGE = "wagtail_member_reset_admin:mailing"
# How often a notice is tried while our own server takes nothing.
TRIED_EVERY = timedelta(minutes=10)


def send_notices(mailer: Mailer) -> int:
    """
    Send what is due, each once and to each person apart; how many were handed over.

    Where a mailing paused since our own server takes nothing, it may take no notice either: that is sent later. Part of
    no transaction: whoever writes down that a notice goes out sends it.
    """
    handed_over, now = 0, timezone.now()
    waiting = Mailing.objects.exclude(notice="").exclude(paused_because=PauseReason.REFUSED, held_until__gt=now)
    for due in waiting.defer("choice").select_related("created_by", "site").order_by("pk"):
        if not Mailing.objects.filter(pk=due.pk, notice=due.notice).update(notice="") or due.state != due.notice:
            continue
        results = [_send(due, mailer, to=person) for person in mailing.told_of(due)]
        handed_over += sum(result.answer == Answer.ACCEPTED for result in results)
        if due.paused_because == PauseReason.REFUSED and results and not any(map(_is_settled, results)):
            paused = Mailing.objects.filter(pk=due.pk, state=due.state, notice="")
            paused.update(notice=due.notice, held_until=timezone.now() + TRIED_EVERY)
    return handed_over


def _send(due: Mailing, mailer: Mailer, *, to: Member) -> Result:
    with translation.override(languages.spoken(language_of(to, due.language))):
        content = replace(_compose(due, has_figures=may_view_all(to)), sender=senders.of(mailing.site_of(due)))
    result = mailer.send(content, to=address_of(to), public_id=str(ids.new_public_id()))
    if result.answer != Answer.ACCEPTED:
        logger.warning("mailing=%s: person=%s could not be told that it has %s.", due.pk, to.pk, due.state)
    return result


def _is_settled(result: Result) -> bool:
    """Whether it was handed over, or refused for the person's own address."""
    return result.answer == Answer.ACCEPTED or result.whose == Whose.MEMBER


def _compose(due: Mailing, *, has_figures: bool) -> Content:
    """With figures for who may see everybody: those of a mailing tell of people beyond the reach of others."""
    values = {"site": links.site_name(mailing.site_of(due)), "name": mailing.name_of(due)}
    if due.state == MailingState.FINISHED:
        subject = _("“%(name)s” has finished (%(site)s)") % values
        said = [_("The mailing “%(name)s” has finished.") % values]
    else:
        subject = _("“%(name)s” was paused automatically (%(site)s)") % values
        said = [_("The mailing “%(name)s” was paused.") % values, mailing.why_paused(due, has_figures=has_figures)]
    said, page = [*said, *(["\n".join(_figures(due))] if has_figures else [])], _page(due)
    # The mailing's name is anybody's text: no address in it is made a link.
    marked_up = [*map(escape, said), *(urlize(address, autoescape=True) for address in page)]
    return Content(subject, "\n\n".join(said + page) + "\n", linebreaks("\n\n".join(marked_up)))


def _figures(due: Mailing) -> list[str]:
    figures = [
        (_("Sent"), due.handed_over),
        (_("Delivered"), due.delivered),
        (_("Came back"), due.bounced),
        (_("Failed"), due.failed),
        (_("Not emailed"), due.skipped),
        (_("Not sent yet"), due.waiting),
    ]
    told = [(name, number) for name, number in figures if number or name == figures[0][0]]
    return [f"{name}: {number_format(number, use_l10n=True, force_grouping=True)}" for name, number in told]


def _page(due: Mailing) -> list[str]:
    try:
        return [links.admin_url(PAGE, due.pk, site=mailing.site_of(due))]
    except SettingError:  # a check names it
        return []
