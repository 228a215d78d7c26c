"""Telling who started a mailing, and who has asked, that it has finished or paused: figures, no names, and its page."""

from __future__ import annotations

import logging

from django.utils import translation
from django.utils.formats import number_format
from django.utils.html import escape, linebreaks, urlize
from django.utils.translation import gettext as _

from .. import ids, links, mailing
from ..accounts import Member, address_of, language_of
from ..exceptions import SettingError
from ..models import Mailing, MailingState
from .failures import Answer
from .text import Content
from .transport import Mailer

logger = logging.getLogger("wagtail_member_reset")

# Its page in the admin.
PAGE = "wagtail_member_reset_admin:mailing"


def send_notices(mailer: Mailer) -> int:
    """
    Send what is due, each once and to each person apart, whatever becomes of it; how many were handed over.

    Part of no transaction: whoever writes down that a notice goes out sends it.
    """
    handed_over = 0
    for due in Mailing.objects.exclude(notice="").defer("choice").select_related("created_by", "site").order_by("pk"):
        mine = Mailing.objects.filter(pk=due.pk, notice=due.notice)
        came_to_anything = due.state == due.notice and bool(due.handed_over or due.failed)
        if mine.update(notice="") and came_to_anything:
            handed_over += sum(_send(due, mailer, to=person) for person in mailing.told_of(due))
    return handed_over


def _send(due: Mailing, mailer: Mailer, *, to: Member) -> bool:
    with translation.override(language_of(to, due.language)):
        content = _compose(due)
    result = mailer.send(content, to=address_of(to), public_id=str(ids.new_public_id()))
    if result.answer != Answer.ACCEPTED:
        logger.warning("mailing=%s: person=%s could not be told that it has %s.", due.pk, to.pk, due.state)
    return result.answer == Answer.ACCEPTED


def _compose(due: Mailing) -> Content:
    values = {"site": links.site_name(due.site), "name": mailing.name_of(due)}
    if due.state == MailingState.FINISHED:
        subject = _("“%(name)s” has finished (%(site)s)") % values
        said = [_("The mailing “%(name)s” has finished.") % values]
    else:
        subject = _("“%(name)s” has paused (%(site)s)") % values
        unwanted = _("Sending paused by itself: one mail server after another refuses this site's emails as unwanted.")
        said = [_("The mailing “%(name)s” has paused.") % values, mailing.why_paused(due) or unwanted]
    said, page = [*said, "\n".join(_figures(due))], _page(due)
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
        return [links.admin_url(PAGE, due.pk, site=due.site)]
    except SettingError:  # a check names it
        return []
