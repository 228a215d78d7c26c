"""
Sending many emails of mailings: by calls for many members where the mail service can, else over several connections
at once. What was sent is written down before anything else is begun.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from .. import db
from ..conf import conf
from ..exceptions import MemberResetError, WindowClosed
from ..mailing import Issued, cancel_unheld_links, has_hours, opens_at, reason_noted_since, reasons_known_since
from ..models import EmailState, Mailing, MailingState, ResetEmail, SkipReason
from ..reports import Whose
from ..tokens import Token
from . import holding, letter, merge, outcome, queue
from .about import About, about
from .connections import Composed, Connections, Sent
from .failures import Answer, Result, of_set_up
from .outcome import Attempt
from .queue import Lease
from .transport import Mailer

logger = logging.getLogger("wagtail_member_reset")

# What a crash can double over SMTP: so many emails, or what left within so many seconds.
WRITTEN = 25
WRITTEN_SECONDS = 1.0
# After so many emails, or seconds: whether they are still wanted.
LOOKED = 250
LOOKED_SECONDS = 5.0
# After so many seconds: whether somebody waits for a single email.
SINGLES_SECONDS = 0.5
# So many emails in a row that were to come later say that the server is overrun, or away.
MOST_REFUSED = 25
Email = tuple[ResetEmail, str]  # with the token of its link


class Sending:
    """
    One worker's way through emails of mailings that it has claimed under a lease.

    `is_stopping` says that no further email may leave. `send_singles` sends what persons wait for, over a mailer that
    nothing else is using; it is called between two emails, with nothing unwritten.
    """

    def __init__(
        self,
        mailer: Mailer,
        shared: letter.Shared,
        lease: Lease,
        *,
        is_stopping: Callable[[], bool] = lambda: False,
        send_singles: Callable[[Mailer], object] = lambda mailer: None,
    ) -> None:
        self.mailer, self.shared, self.lease = mailer, shared, lease
        self.is_stopping, self.send_singles = is_stopping, send_singles
        self.handed_over = 0
        self._is_paused, self._is_held = False, False
        # Mailings of emails that are never sent, whose links may be nobody's.
        self._with_unsent = set[int]()
        self._ends = holding.Ends()
        # Mailings of these emails that send within hours alone.
        self._timed: list[Mailing] = []
        self._in_hand: UUID | None = None
        self._unwritten: list[Attempt] = []
        self._written_at = time.monotonic()

    def send(self, emails: Sequence[Issued], *, are_new: bool = True) -> None:
        """
        Send them, and give back those that could not be sent any more.

        Emails that `are_new` were issued a moment ago; the others are looked at first, since much may have changed.
        """
        self.shared.look_anew()
        rest = [email for email, _token in emails] if not are_new else []
        wanted = self._still_wanted(rest) if rest else None
        left = [each for each in emails if wanted is None or each[0].public_id in wanted]
        self._timed = _with_hours(email for email, _token in left)
        minted = [email for issued in left if (email := self._minted(*issued))]
        is_cut_short = True
        try:
            self._send_apart(self._send_merged(minted))
            is_cut_short = False
        finally:
            self._write()
            if is_cut_short or self._is_at_end():
                self.lease.release(but_for=self._in_hand)
        for mailing in Mailing.objects.filter(pk__in=self._with_unsent):
            cancel_unheld_links(mailing)

    def _minted(self, email: ResetEmail, token: Token | None) -> Email | None:
        if token is not None:
            return email, token.text
        try:
            return email, letter.mint_for(email) if email.has_link else ""
        except WindowClosed:
            self._unwritten.append(outcome.of_skip(email, SkipReason.WINDOW_CLOSED))
        except Exception as error:
            if not db.answers():
                raise
            logger.error("email=%s not sent: %s", email.public_id, type(error).__name__)
            self._unwritten.append(outcome.of_failure(email, "error", type(error).__name__, for_good=False))
        return None

    def _send_merged(self, emails: list[Email]) -> list[Email]:
        """Send in calls for many what the mail service takes so; the others."""
        try:
            placeholders = merge.placeholders_of(self.mailer.connection) if len(emails) > 1 else None
        except Exception:
            return emails  # what is wrong with the connection shows with the first email
        if placeholders is None:
            return emails
        groups, apart = merge.groups(emails, placeholders, self.shared)
        for group in groups:
            if not self._is_at_end():
                apart += self._send_group(group)
        return apart

    def _send_group(self, group: merge.Group) -> list[Email]:
        """Send it in one call; what must go apart instead."""
        emails = list(zip(group.emails, group.tokens, strict=True))
        try:
            answers = merge.send(group, self.mailer, self.shared)
        except MemberResetError:
            return emails  # the text cannot be composed, which each email will say
        except Exception as error:
            mailing_id = group.emails[0].mailing_id
            failed = self.mailer.failed(error, what=f"{len(emails)} emails of mailing {mailing_id}")
            if failed.answer == Answer.NEVER and about(group.emails[0], failed) is not About.ALL:
                return emails  # one of them spoils it for the others
            self._hold(group.emails[0], failed)
            answers = ((email, token, failed) for email, token in emails)
        if answers is None:
            return emails
        self._take(answers)
        self._write()
        return []

    def _send_apart(self, emails: list[Email]) -> None:
        rest, looked, looked_at, singles_at = deque(emails), 0, time.monotonic(), time.monotonic()
        wanted: set[UUID] | None = None
        with Connections(self.mailer, min(conf.MAILING_CONNECTIONS, len(emails) or 1)) as connections:
            try:
                while rest and not self._is_at_end():
                    if time.monotonic() - singles_at > SINGLES_SECONDS:
                        self._let_singles_go_first(connections)
                        singles_at = time.monotonic()
                        if self._is_at_end():
                            break
                    if looked == LOOKED or time.monotonic() - looked_at > LOOKED_SECONDS:
                        wanted = self._still_wanted([email for email, _token in list(rest)[:LOOKED]])
                        looked, looked_at = 0, time.monotonic()
                        continue
                    looked += 1
                    email, token = rest.popleft()
                    if wanted is None or email.public_id in wanted:
                        self._send_one(email, token, connections)
            finally:
                # Whatever ended it, an engine's time limit, say: what has left is waited for and written down.
                self._take_each(connections.collect())

    def _send_one(self, email: ResetEmail, token: str, connections: Connections) -> None:
        if (composed := self._composed(email, token)) is not None:
            self._in_hand = email.public_id
            self._take_each(connections.send(composed))
            self._in_hand = None
        if len(self._unwritten) >= WRITTEN or time.monotonic() - self._written_at > WRITTEN_SECONDS:
            self._write()

    def _composed(self, email: ResetEmail, token: str) -> Composed | None:
        try:
            return email, token, letter.compose(email, token, self.shared)
        except MemberResetError as error:
            logger.error("email=%s not composed: %s", email.public_id, error)
            self._take_each([(email, token, of_set_up(error))])
        except Exception as error:
            # What an error says may quote the link, so only its kind is logged.
            logger.error("email=%s not composed: %s", email.public_id, type(error).__name__)
            self._unwritten.append(outcome.of_failure(email, "error", for_good=False))
        return None

    def _let_singles_go_first(self, connections: Connections) -> None:
        if not queue.are_singles_due():
            return
        self._take_each(connections.finish())
        self._write()
        with connections.lent() as mailer:
            self.send_singles(mailer)
        self.lease.renew()

    def _still_wanted(self, emails: Sequence[ResetEmail]) -> set[UUID]:
        """
        Those that are ours and still wanted. What is ours and no longer wanted is written down; the rest is another
        worker's by now.
        """
        ours = ResetEmail.objects.filter(
            public_id__in=[email.public_id for email in emails], lease=self.lease.key, state=EmailState.SENDING
        )
        # The accounts as they are now; of the links nothing but their state can have changed.
        model: Any = get_user_model()
        columns = [each.attname for each in model._meta.concrete_fields]
        found = ours.annotate(noted=reason_noted_since()).values_list(
            "public_id", "reset__state", "mailing__state", "noted", *(f"member__{name}" for name in columns)
        )
        now: dict[UUID, Any] = {each[0]: each[1:] for each in found}
        known = reasons_known_since(emails)
        wanted = set()
        for email in emails:
            if email.public_id not in now:
                continue
            link_state, mailing_state, noted, *values = now[email.public_id]
            self._is_paused |= mailing_state == MailingState.PAUSED
            email.member = model.from_db(found.db, columns, values)
            if email.reset is not None:
                email.reset.state = link_state
            since = SkipReason(noted) if noted else known.get(email.public_id)
            if self._is_wanted(email, mailing_state, since):
                wanted.add(email.public_id)
        return wanted

    def _is_wanted(self, email: ResetEmail, mailing_state: str | None, since: SkipReason | None) -> bool:
        try:
            if email.attempts > outcome.MOST_ATTEMPTS:
                self._unwritten.append(outcome.of_failure(email, "error"))
                return False
            reason = letter.reason_not_to_send(email, mailing_state, since=since)
        except Exception as error:
            if not db.answers():
                raise
            logger.error("email=%s not sent", email.public_id, exc_info=error)
            self._unwritten.append(outcome.of_failure(email, "error", type(error).__name__))
            return False
        if reason is None:
            return True
        if reason in (SkipReason.STOPPED, since):
            self._with_unsent.add(email.mailing_id or 0)
        self._unwritten.append(outcome.of_skip(email, reason))
        return False

    def _take_each(self, sent: Iterable[Sent]) -> None:
        for email, token, result in sent:
            # Whether another was taken meanwhile tells whom it is about, so these are written down in their order.
            is_said_again = result.is_sure and email.refused_at is not None
            if is_said_again:
                self._write()
            [attempt] = self._take([(email, token, result)])
            self._hold_if_refused(email, result, attempt.fate.of_whom)
            if is_said_again:
                self._write()

    def _take(self, answers: Iterable[Sent]) -> list[Attempt]:
        attempts = list(outcome.of_results(answers))
        self.handed_over += sum(attempt.fate.state == EmailState.HANDED_OVER for attempt in attempts)
        self._unwritten += attempts
        return attempts

    def _write(self) -> None:
        if self._unwritten:
            outcome.write(self._unwritten)
            self._unwritten = []
            self.lease.renew()
        self._written_at = time.monotonic()

    def _is_at_end(self) -> bool:
        if self._is_held or self._is_paused or self.is_stopping() or not self.lease.has_time_for_one():
            return True
        return any(opens_at(mailing) for mailing in self._timed)

    def _hold_if_refused(self, email: ResetEmail, result: Result, of_whom: About | None) -> None:
        """What our own server says of every email, or of one in a row after another, is not about the members."""
        if self._is_held:
            return
        # A server that has had enough for now is asked once and left alone, whomever it means.
        if of_whom is About.ALL or (of_whom is About.UNTOLD and result.whose == Whose.LATER):
            self._hold(email, result)
            return
        is_ours = result.whose != Whose.MEMBER and result.answer != Answer.ACCEPTED
        is_refused = is_ours or (result.answer == Answer.LATER and result.code != "error")
        self._ends.look_back(email, result)
        in_a_row = self._ends.refused_in_a_row(email, is_refused=is_refused)
        self._is_held |= self._ends.pause_if_unwanted(email, result)
        if is_refused and in_a_row >= MOST_REFUSED:
            self._hold(email, result)

    def _hold(self, email: ResetEmail, failed: Result) -> None:
        self._is_held |= holding.hold(email, failed)


def _with_hours(emails: Iterable[ResetEmail]) -> list[Mailing]:
    found = {email.mailing_id: email.mailing for email in emails if email.mailing_id}
    return [mailing for mailing in found.values() if mailing is not None and has_hours(mailing)]
