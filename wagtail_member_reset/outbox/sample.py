"""
The email of a mailing, or of a text that editors write, as a member would get it: for its preview, and as a test to
staff. Its link opens nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .. import audit, ids, links, tokens
from ..accounts import Member, address_of, language_of
from ..mailing import purpose_now, site_of
from ..models import NAMELESS, EmailText, Mailing, PasswordReset, Purpose, ResetEmail
from ..texts import Content, OwnPages, Problems, Words, Written, problems
from . import letter
from .failures import Answer
from .text import compose
from .transport import Mailer

# So many tests may one person send themselves.
MOST_TESTS, PERIOD = 10, timedelta(hours=1)

# Who a text is previewed for: a name and a sign-in name that are not plain ASCII.
SAMPLE = {"first_name": "Zoë", "username": "zoë.müller"}


class SampleSent(Enum):
    """What came of a test."""

    SENT = "sent"
    NO_ADDRESS = "no_address"
    NEW_ADDRESS = "new_address"
    UNFIT = "unfit"
    LIMIT = "limit"
    REFUSED = "refused"


def sample_of(mailing: Mailing, member: Member, *, purpose: str = "") -> Content:
    """
    The email that the member would get now. Nothing is written, and no link is made.

    With a `purpose`, what a member got in the past, as it would read today.

    Raises `MemberResetError` where the texts or the settings do not make an email, and what a template does.
    """
    return _compose(mailing, of=member, to=member, purpose=purpose)


def sample_of_text(text: EmailText, *, to: Member | None = None) -> Content:
    """
    The email that a text makes as it is, fit or not, in the name of who is given, else of a sample. No link is made.

    Raises as `sample_of`.
    """
    site = text.site or links.default_site()
    reader = to or get_user_model()()
    email = _email(reader, purpose=Purpose(text.purpose), language=text.language, site=site)
    shared = letter.Shared()
    slots = letter.slots(email, tokens.NO_TOKEN, shared)
    if to is None and text.purpose not in NAMELESS:
        slots |= SAMPLE
    with translation.override(text.language):
        slots["paragraph"] = _("Here is the paragraph of a mailing.") if "{paragraph}" in text.body else ""
    words = Words.of(text)
    written = Written(words, links.origin(site) if words.has_paths else "")
    content = compose(text.purpose, language=text.language, slots=slots, written=written, is_draft=True)
    return replace(content, sender=shared.sender(email))


def problems_of_draft(text: EmailText) -> Problems:
    """What keeps a text from being mailed as a test, by field: all that is wrong with it but missing parts."""
    return problems(Words.of(text), text.purpose, own=OwnPages(), may_lack_parts=True)


def send_test(about: Mailing | EmailText, member: Member | None = None, *, by: Member) -> SampleSent:
    """
    Send that email, with a subject that says it is a test, to who asks and nobody else. It calls them by their name.

    A mailing's is the one that `member` would get. Refused where the own address was changed a moment ago, since it may
    be another person's, and where a text has more against it than missing parts. Waits for the mail server, so it is
    called outside of transactions. Raises as `sample_of`.
    """
    address = address_of(by)
    if not address:
        return SampleSent.NO_ADDRESS
    if audit.has_new_address(by):
        return SampleSent.NEW_ADDRESS
    if isinstance(about, EmailText):
        if problems_of_draft(about):
            return SampleSent.UNFIT
        content = sample_of_text(about, to=by)
    else:
        content = _compose(about, of=member or by, to=by)
    with translation.override(content.language):
        content = replace(content, subject=_("Test: %(subject)s") % {"subject": content.subject})
    if not audit.note_test(about, by=by, period=PERIOD, most=MOST_TESTS):
        return SampleSent.LIMIT
    with Mailer() as mailer:
        result = mailer.send(content, to=address, public_id=str(ids.new_public_id()))
    return SampleSent.SENT if result.answer == Answer.ACCEPTED else SampleSent.REFUSED


def _compose(mailing: Mailing, *, of: Member, to: Member, purpose: str = "") -> Content:
    language = language_of(of, mailing.language or settings.LANGUAGE_CODE)
    of_purpose = Purpose(purpose) if purpose else purpose_now(of)
    email = _email(to, purpose=of_purpose, language=language, site=site_of(mailing), mailing=mailing)
    return letter.compose(email, tokens.NO_TOKEN, letter.Shared())


def _email(to: Member, *, purpose: Purpose, mailing: Mailing | None = None, **about: Any) -> ResetEmail:
    about |= {"purpose": purpose}
    reset = PasswordReset(expires_at=timezone.now() + links.lifetime_of(purpose), **about)
    return ResetEmail(member=to, reset=reset, mailing=mailing, recipient=address_of(to), **about)
