"""The email of a mailing as a member would get it: for its preview, and as a test to staff. Its link opens nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from wagtail.models import Site

from .. import audit, ids, links, tokens
from ..accounts import Member, address_of, language_of
from ..mailing import purpose_now
from ..models import Mailing, PasswordReset, Purpose, ResetEmail
from . import letter
from .failures import Answer
from .text import Content
from .transport import Mailer

# So many tests may one person send themselves.
MOST_TESTS, PERIOD = 10, timedelta(hours=1)


class SampleSent(Enum):
    """What came of a test."""

    SENT = "sent"
    NO_ADDRESS = "no_address"
    LIMIT = "limit"
    REFUSED = "refused"


def sample_of(mailing: Mailing, member: Member, *, purpose: str = "") -> Content:
    """
    The email that the member would get now. Nothing is written, and no link is made.

    With a `purpose`, what a member got in the past, as it would read today.

    Raises `MemberResetError` where the texts or the settings do not make an email, and what a template does.
    """
    return _compose(mailing, of=member, to=member, purpose=purpose)


def send_test(mailing: Mailing, member: Member, *, by: Member) -> SampleSent:
    """
    Send that email, with a subject that says it is a test, to who asks and nobody else. It calls them by their name.

    Waits for the mail server, so it is called outside of transactions. Raises as `sample_of`.
    """
    address = address_of(by)
    if not address:
        return SampleSent.NO_ADDRESS
    content = _compose(mailing, of=member, to=by)
    with translation.override(content.language):
        content = replace(content, subject=_("Test: %(subject)s") % {"subject": content.subject})
    if not audit.note_test(mailing, by=by, period=PERIOD, most=MOST_TESTS):
        return SampleSent.LIMIT
    with Mailer() as mailer:
        result = mailer.send(content, to=address, public_id=str(ids.new_public_id()))
    return SampleSent.SENT if result.answer == Answer.ACCEPTED else SampleSent.REFUSED


def _compose(mailing: Mailing, *, of: Member, to: Member, purpose: str = "") -> Content:
    site = mailing.site or Site.objects.filter(is_default_site=True).first()
    language = language_of(of, mailing.language or settings.LANGUAGE_CODE)
    of_purpose = Purpose(purpose) if purpose else purpose_now(of)
    about = {"purpose": of_purpose, "language": language, "site": site}
    reset = PasswordReset(expires_at=timezone.now() + links.lifetime_of(of_purpose), **about)
    email = ResetEmail(member=to, reset=reset, mailing=mailing, recipient=address_of(to), **about)
    return letter.compose(email, tokens.NO_TOKEN, letter.Shared())
