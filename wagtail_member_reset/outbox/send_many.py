"""
Handing many mails over: by calls for many members where the mail service can, else over several
connections at once, and written down as it goes.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.utils import timezone

from ..conf import conf
from ..exceptions import MemberResetError, WindowClosed
from ..mailing import Promised, cancel_unsent_links, hold_mailing, pause_mailing
from ..models import EmailState, Mailing, MailingState, ResetEmail, SkipReason
from ..reports import NEEDS_MENDING
from ..tokens import Token
from . import letter, merge, outcome
from .connections import Composed, Pool, Sent
from .outcome import Outcome
from .transport import Answer, Mailer, Result

logger = logging.getLogger("wagtail_member_reset")

# What a crash can double over SMTP: so many mails, or what left within so many seconds.
RECORDED = 25
RECORDED_SECONDS = 1.0
# A page that shows a mailing under way is this far behind.
COUNTED_SECONDS = 1.0
# After so many mails, or seconds: whether they are still wanted, and whether somebody waits for a single one.
LOOKED = 250
LOOKED_SECONDS = 5.0
# So many mails in a row that were to come later say that the server is overrun, or away.
MOST_REFUSED = 25
Mail = tuple[ResetEmail, str]


class Sending:
    """
    One worker's hand-over of mails that it has claimed, with their links and members in memory.

    `is_over` says that no further mail must leave. `meanwhile` is called now and then, for what
    must not wait until all of these have left.
    """

    def __init__(
        self,
        mailer: Mailer,
        cache: letter.Cache,
        *,
        is_over: Callable[[], bool] = lambda: False,
        meanwhile: Callable[[Mailer], object] = lambda mailer: None,
    ) -> None:
        self.mailer, self.cache, self.is_over, self.meanwhile = mailer, cache, is_over, meanwhile
        self._is_paused, self._is_held, self._stopped = False, False, set[int]()
        self._refused = 0
        self.handed_over = 0
        self._waiting: list[Outcome] = []
        self._tally = outcome.Tally()
        self._written_at = self._counted_at = time.monotonic()

    def send(self, mails: Sequence[Promised]) -> list[ResetEmail]:
        """Send them; those that were not sent any more."""
        left: list[ResetEmail] = []
        minted = [mail for promised in mails if (mail := self._minted(*promised))]
        try:
            service = merge.placeholders_of(self.mailer.connection) if len(minted) > 1 else None
        except Exception:
            service = None  # what is wrong with the connection shows with the first mail
        if service is not None:
            found, minted = merge.groups(minted, service, self.cache)
            for group in found:
                if self._is_at_end():
                    left += group.emails
                else:
                    minted += self._send_group(group)
        try:
            left += self._send_apart(minted)
        except BaseException:
            # An engine's time limit, say: what has left is still written down, so that it does not leave again.
            with suppress(DatabaseError):
                self._write(is_end=True)
            raise
        self._write(is_end=True)
        if self._stopped:
            for mailing in Mailing.objects.filter(pk__in=self._stopped):
                cancel_unsent_links(mailing)
        return left

    def _minted(self, email: ResetEmail, token: Token | None) -> Mail | None:
        if token is not None:
            return email, token.text
        try:
            return email, letter.mint_for(email) if email.has_link else ""
        except WindowClosed:
            self._note(outcome.of_skip(email, SkipReason.WINDOW_CLOSED))
            return None

    def _send_group(self, group: merge.Group) -> list[Mail]:
        """Send it in one call; what must go apart instead."""
        mails = list(zip(group.emails, group.tokens, strict=True))
        try:
            answers = merge.send(group, self.mailer, self.cache)
        except MemberResetError:
            return mails  # the text cannot be composed, which each mail will say
        except Exception as error:
            failed = self.mailer.failed(error, what=f"{len(mails)} emails of mailing {group.emails[0].mailing_id}")
            if failed.answer == Answer.NEVER and failed.code not in NEEDS_MENDING:
                return mails  # one of them spoils it for the others
            self._hold(group.emails[0].mailing_id, failed)
            answers = ((email, token, failed) for email, token in mails)
        if answers is None:
            return mails
        self._take(answers)
        self._write()
        return []

    def _send_apart(self, mails: Sequence[Mail]) -> list[ResetEmail]:
        rest = deque(mails)
        with Pool(self.mailer, min(conf.MAILING_CONNECTIONS, len(mails) or 1)) as pool:
            for sent in pool.send(self._contents(rest, pool)):
                self._take([sent])
                self._hold_if_refused(*sent)
                if len(self._waiting) >= RECORDED or time.monotonic() - self._written_at > RECORDED_SECONDS:
                    self._write()
        return [email for email, _token in rest]

    def _contents(self, rest: deque[Mail], pool: Pool) -> Iterator[Composed]:
        """Compose one after the other, just before it is sent, and leave what there is no time for."""
        looked, looked_at, wanted = 0, time.monotonic(), None
        while rest and not self._is_at_end():
            if looked == LOOKED or time.monotonic() - looked_at > LOOKED_SECONDS:
                with pool.lent() as mailer:
                    self.meanwhile(mailer)
                wanted = self._still_wanted([email for email, _token in list(rest)[:LOOKED]])
                looked, looked_at = 0, time.monotonic()
                if self._is_paused:
                    return
            looked += 1
            email, token = rest.popleft()
            if wanted is not None and email.public_id not in wanted:
                continue
            try:
                yield email, token, letter.compose(email, token, self.cache)
            except MemberResetError as error:
                logger.error("email=%s not composed: %s", email.public_id, error)
                result = Result(answer=Answer.NEVER, code="configuration", text=str(error))
                self._take([(email, token, result)])
            except Exception as error:
                # What an error says may quote the link, so only its kind is logged.
                logger.error("email=%s not composed: %s", email.public_id, type(error).__name__)
                self._take([(email, token, Result(answer=Answer.LATER, code="error"))])

    def _still_wanted(self, mails: Sequence[ResetEmail]) -> set[UUID]:
        """Those that are still ours and whose link and account still stand; the others are written down."""
        ours = ResetEmail.objects.filter(
            public_id__in=[email.public_id for email in mails], lease=mails[0].lease, state=EmailState.SENDING
        )
        # The accounts as they are now; of the links nothing but their state can have changed.
        model: Any = get_user_model()
        columns = [field.attname for field in model._meta.concrete_fields]
        account = [f"member__{name}" for name in columns]
        found = ours.values_list("public_id", "reset__state", "mailing__state", *account)
        now: dict[UUID, Any] = {each[0]: each[1:] for each in found}
        wanted = set()
        for email in mails:
            if email.public_id not in now:
                continue
            link_state, run_state, *values = now[email.public_id]
            self._is_paused |= run_state == MailingState.PAUSED
            email.member = model.from_db(found.db, columns, values)
            if email.reset is not None:
                email.reset.state = link_state
            if run_state == MailingState.STOPPED:
                self._stopped.add(email.mailing_id or 0)
                self._note(outcome.of_skip(email, SkipReason.STOPPED))
            elif skip := letter.no_longer_wanted(email):
                self._note(outcome.of_skip(email, skip))
            else:
                wanted.add(email.public_id)
        return wanted

    def _take(self, answers: Iterable[Sent]) -> None:
        outcomes = list(outcome.of_results(answers))
        self.handed_over += sum(outcome.fate.state == EmailState.HANDED_OVER for outcome in outcomes)
        self._waiting += outcomes

    def _note(self, outcome: Outcome) -> None:
        self._waiting.append(outcome)

    def _write(self, *, is_end: bool = False) -> None:
        if self._waiting:
            outcome.write(self._waiting, tally=self._tally)
            self._waiting = []
        self._written_at = time.monotonic()
        if is_end or self._written_at - self._counted_at > COUNTED_SECONDS:
            self._tally.flush()
            self._counted_at = self._written_at

    def _is_at_end(self) -> bool:
        return self._is_held or self.is_over()

    def _hold_if_refused(self, email: ResetEmail, _token: str, result: Result) -> None:
        """What is said of one mail in a row after another is not about the members."""
        is_refused = (result.answer == Answer.LATER and result.code != "error") or result.code in NEEDS_MENDING
        self._refused = self._refused + 1 if is_refused else 0
        if self._refused >= MOST_REFUSED and not self._is_held:
            self._hold(email.mailing_id, result)

    def _hold(self, mailing_id: int | None, failed: Result) -> None:
        """Let the mailing wait: for a time where that may help, else until somebody has it go on."""
        if mailing_id is None:
            return
        self._is_held = True
        if failed.answer == Answer.LATER:
            pause = max(timedelta(seconds=failed.retry_after), outcome.BACK_OFF[0])
            hold_mailing(mailing_id, timezone.now() + pause)
        else:
            logger.error("mailing=%s paused: %s", mailing_id, failed.code)
            pause_mailing(Mailing.objects.defer("choice").get(pk=mailing_id))
