"""A test of an email text, to who edits it and to nobody else."""

from __future__ import annotations

import logging
from itertools import chain

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..models import EmailText
from ..outbox import SampleSent, problems_of_draft, send_test
from .mailing_sample import say_what_came_of_it

logger = logging.getLogger("wagtail_member_reset")

# What the form posts beside its fields when a test is wanted of them.
WANTED = "member-reset-test"


def send(request: HttpRequest, text: EmailText) -> None:
    """Send a test of the draft that was saved last to the address of who asks, and say what came of it."""
    try:
        came_of_it = send_test(text.get_latest_revision_as_object(), by=request.user)
    except Exception as error:  # whatever a template of the site's raises
        logger.error("text=%s: the test cannot be made: %s", text.pk, type(error).__name__)
        messages.error(request, _("No test was sent: the email cannot be made. Ask your administrator."))
        return
    if came_of_it == SampleSent.UNFIT:
        reasons = " ".join(chain.from_iterable(problems_of_draft(text).values()))
        said = _("No test was sent, since this text must not be mailed. %(reasons)s") % {"reasons": reasons}
        messages.error(request, said)
    else:
        say_what_came_of_it(request, came_of_it)
