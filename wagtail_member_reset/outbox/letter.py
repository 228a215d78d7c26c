"""What one mail says: whether it is still wanted, its token, its text."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from wagtail.models import Site

from .. import accounts, languages, links, senders, texts, tokens
from ..exceptions import SettingError, WindowClosed
from ..models import NAMELESS, Mailing, MailingState, PasswordReset, ResetEmail, SkipReason, State
from ..senders import Sender
from ..texts import Content
from . import text

logger = logging.getLogger("wagtail_member_reset")

# Stands for the token where the address of a link is made once for many.
PLACE = "0" * tokens.SYMBOLS


def reason_not_to_send(
    email: ResetEmail, mailing_state: str | None, *, since: SkipReason | None = None
) -> SkipReason | None:
    """
    Why an email that was promised should not be sent any more; None when it should.

    Asked of every email just before it is sent, alone or in a mailing. `email` comes with its member and its link as
    they are now; `since` is why its mailing would leave the member out by now. Closes a link that no longer fits its
    account. The email that tells of a change has nothing to check.
    """
    if mailing_state == MailingState.STOPPED:
        return SkipReason.STOPPED
    if not email.has_link:
        return None
    reset = email.reset
    if reset is None or reset.state != State.ACTIVE or reset.is_expired:
        return SkipReason.LINK_CLOSED
    return SkipReason.MEMBER_CHANGED if links.settle(reset, email.member) else since


def mint_for(email: ResetEmail) -> str:
    """
    The token of the email's link; a new link's, when this one waited too long and nobody has it.

    Raises `WindowClosed` when somebody may have it: a new link would end theirs.
    """
    reset = email.reset
    assert reset is not None
    try:
        return tokens.mint(reset)
    except WindowClosed:
        if not PasswordReset.objects.held_by_nobody(but_for=email.public_id).filter(pk=reset.pk).exists():
            raise
        return tokens.mint(links.reissue(email))


def letter_of(mailed: ResetEmail | PasswordReset, *, member: accounts.Member) -> Content:
    """
    The mail as it went to the member, or as it would go with a link that was handed out, for who passes the link on.

    Raises `WindowClosed` when its link can no longer be produced, and `MemberResetError` as composing does.
    """
    email = mailed if isinstance(mailed, ResetEmail) else _unwritten(mailed)
    assert email.reset is not None
    email.member = email.reset.member = member
    return compose(email, tokens.mint(email.reset), Shared())


def subject_of(email: ResetEmail) -> str:
    """The email's subject. Nothing is made that could open anything."""
    return compose(email, PLACE, Shared()).subject


def _unwritten(reset: PasswordReset) -> ResetEmail:
    return ResetEmail(
        reset=reset, purpose=reset.purpose, recipient=reset.recipient, language=reset.language, site_id=reset.site_id
    )


def compose(email: ResetEmail, token: str, shared: Shared) -> Content:
    found, written = slots(email, token, shared), shared.written(email)
    content = text.compose(email.purpose, language=email.language, slots=found, written=written, cache=shared.texts)
    return replace(content, sender=shared.sender(email))


class Shared:
    """What emails have in common: compiled texts, settings, and the slots that do not differ between members."""

    def __init__(self) -> None:
        self.texts: text.Cache = {}
        self.sign_in_name = accounts.sign_in_names()
        self._slots: dict[Any, dict[str, str]] = {}
        self._paragraphs: dict[int, str] = {}
        # Of mailings by their key; those published now by None.
        self._texts: dict[int | None, texts.Texts] = {}
        self._written: dict[Any, texts.Written | None] = {}
        self._senders: dict[int | None, Sender] = {}

    def sender(self, email: ResetEmail) -> Sender:
        """Whom the email is from: that of its site. Looked up once for each site."""
        about = _about(email)
        if about.site_id not in self._senders:
            self._senders[about.site_id] = senders.of(about.site)
        return self._senders[about.site_id]

    def slots(self, email: ResetEmail) -> dict[str, str]:
        """
        Those that do not differ between members, with `PLACE` for the token in their link, if any.

        The very same for all mails that have them in common.
        """
        reset = email.reset if email.has_link else None
        paragraph = self._paragraph_of(email) if reset else ""
        site_id, until = (reset.site_id, reset.expires_at) if reset else (email.site_id, None)
        key = (site_id, email.language, until, paragraph)
        if key not in self._slots:
            # Nobody is told seconds.
            minute = until.replace(second=0, microsecond=0) if until else None
            alike = (site_id, email.language, minute, paragraph)
            if alike not in self._slots:
                common = _common_slots(_about(email).site, email.language, minute)
                contact = self.sender(email).support_contact
                self._slots[alike] = {**common, "support_contact": contact, "paragraph": paragraph}
            self._slots[key] = self._slots[alike]
        return self._slots[key]

    def written(self, email: ResetEmail) -> texts.Written | None:
        """
        What editors wrote for it; None where the templates say it. The very same for all mails that have it in common.

        A mailing under way keeps to what was published when it began.
        """
        about, language = _about(email), languages.spoken(email.language)
        mailing_id = email.mailing_id if email.has_link and not _is_draft(email) else None
        key = (mailing_id, email.purpose, language, about.site_id)
        if key not in self._written:
            words = self._texts_of(mailing_id).find(email.purpose, language=language, site_id=about.site_id)
            self._written[key] = _written(words, about.site) if words else None
        return self._written[key]

    def look_anew(self) -> None:
        """
        Have what staff changed since count for the mails that follow: senders and sites, and texts but those of
        mailings. Called before each batch, since a worker may live for days.
        """
        self._senders.clear()
        self._slots.clear()
        self._texts.pop(None, None)
        self._written = {key: written for key, written in self._written.items() if key[0] is not None}

    def _texts_of(self, mailing_id: int | None) -> texts.Texts:
        if mailing_id not in self._texts:
            self._texts[mailing_id] = texts.of_mailing(mailing_id) if mailing_id else texts.published()
        return self._texts[mailing_id]

    def _paragraph_of(self, email: ResetEmail) -> str:
        """What its mailing says beside. Read once, since it stays as it is once the mailing has started."""
        if not email.mailing_id:
            return email.mailing.paragraph if email.mailing else ""  # of a draft that nobody has saved
        if email.mailing_id not in self._paragraphs:
            self._paragraphs[email.mailing_id] = _paragraph_of(email)
        return self._paragraphs[email.mailing_id]


def _written(words: texts.Words, site: Site | None) -> texts.Written | None:
    """None where a path in them leads nowhere: a notice goes also where no address of the site is known or allowed."""
    try:
        return texts.Written(words, links.origin(site) if words.has_paths else "")
    except SettingError:
        logger.error("A text has a link to a page of the site, whose address is not known: the default text is used.")
        return None


def slots(email: ResetEmail, token: str, shared: Shared) -> dict[str, str]:
    """The values of the mail's slots; without a link, where it is about none."""
    return filled(shared.slots(email), names=names(email, shared), token=token)


def filled(common: Mapping[str, str], *, names: Mapping[str, str], token: str) -> dict[str, str]:
    """The slots of one member, or those with a mail service's placeholders in them."""
    return {**common, **names, "link": common.get("link", "").replace(PLACE, token)}


def names(email: ResetEmail, shared: Shared) -> dict[str, str]:
    """The slots with what the mail calls its member and the account; empty ones for what is not fit for a mail."""
    if email.purpose in NAMELESS:
        return {"first_name": "", "username": ""}
    return {
        "first_name": text.first_name(str(getattr(email.member, "first_name", "") or "")),
        "username": text.username(shared.sign_in_name(email.member)),
    }


def _is_draft(email: ResetEmail) -> bool:
    """Of a mailing that has not started, whose emails are for its preview."""
    return bool(ResetEmail.mailing.is_cached(email) and email.mailing and email.mailing.state == MailingState.DRAFT)


def _paragraph_of(email: ResetEmail) -> str:
    if ResetEmail.mailing.is_cached(email) and email.mailing is not None:
        return email.mailing.paragraph
    assert email.mailing_id is not None
    found = Mailing.objects.filter(pk=email.mailing_id).values_list("paragraph", flat=True).first()
    return found or ""


def _about(email: ResetEmail) -> PasswordReset | ResetEmail:
    """Which of the two says what site the email is about."""
    return email.reset if email.has_link and email.reset else email


def _common_slots(site: Site | None, language: str, until: datetime | None) -> dict[str, str]:
    found = {"site_name": links.site_name(site)}
    if until is not None:
        # A link is the path of its language with the token in it, so one is made and the others follow it.
        found["link"] = links.url_of(PLACE, site=site, language=language)
        found["valid_until"] = text.valid_until(until, language=language)
    return found
