"""Handing one mail to whatever mail backend the site has, and saying what came of it."""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from itertools import combinations
from typing import Any

from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives

from ..reports import SMTP, MailService, name_of, service_named, service_of
from .message import EXTRAS, build
from .text import Content

logger = logging.getLogger("wagtail_member_reset")

# A mail server that says nothing would hold every later mail back for ever.
TIMEOUT_SECONDS = 30
LONGEST_RESULT = 500
LONGEST_WAIT_SECONDS = 3600
# Every choice of extras, those that leave out fewest first.
CHOICES = [frozenset(kept) for size in range(len(EXTRAS), -1, -1) for kept in combinations(EXTRAS, size)]
ALL, NONE = CHOICES[0], CHOICES[-1]
# Raised while a mail is put together, by whatever backend.
WHILE_COMPOSING = (AnymailInvalidAddress, smtplib.SMTPNotSupportedError)
# What a backend turned out to take, so that the next mail goes without a detour.
_taken: dict[type, frozenset[str]] = {}


class Answer(str, Enum):
    ACCEPTED = "accepted"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one attempt came to. `code` is short and stable, `text` is the other side's own words, cut."""

    answer: Answer
    code: str
    text: str = ""
    message_id: str = ""
    provider: str = ""
    # How many seconds the other side asked us to wait.
    retry_after: float = 0
    # The mail has certainly not left, so nobody can hold its link. Of a mail that timed out, nobody can tell.
    is_certain: bool = False


class Mailer:
    """
    One connection to the site's mail backend, kept open over the mails of a mailing.

    A failed mail closes the connection, since what is left of it is not to be trusted.
    """

    def __init__(self) -> None:
        self._connection: Any = None
        self._unopened: Any = None

    def __enter__(self) -> Mailer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # It may be broken, which is why it is being closed.
            with suppress(OSError, smtplib.SMTPException):
                connection.close()

    def send(self, content: Content, *, to: str, public_id: str) -> Result:
        """Send one mail. Every failure of the other side comes back as a `Result`."""
        try:
            return self._send(content, to, public_id)
        except Exception as error:
            return self.failed(error, what=f"email={public_id}")

    def longest_wait(self) -> timedelta:
        """How long one email may take at most, by the time-out in force, before its answer is there or given up."""
        try:
            connection = self._connection or self._unopened or new_connection()
            self._unopened = connection if self._connection is None else None
            seconds = service_of(connection).longest_wait(connection)
        except Exception:  # sending says what is wrong
            seconds = None
        return timedelta(seconds=SMTP.replies * TIMEOUT_SECONDS if seconds is None else seconds)

    @property
    def connection(self) -> Any:
        """The open connection. Raises what opening it does."""
        if self._connection is None:
            connection, self._unopened = self._unopened or new_connection(), None
            try:
                connection.open()
            except Exception:
                # One whose login was refused would be used without a login.
                with suppress(Exception):
                    connection.close()
                raise
            self._connection = connection
        return self._connection

    def failed(self, error: Exception, *, what: str) -> Result:
        """Let go of a connection that failed, and say what that means."""
        result = classify(error)
        if _is_before_sending(error, self._connection):
            result = replace(result, is_certain=True)
        self.close()
        # The error's text may quote the mail, which holds the link: log its kind alone.
        logger.warning("%s not sent: %s %s", what, result.code, type(error).__name__)
        return result

    def _send(self, content: Content, to: str, public_id: str) -> Result:
        connection, kind = self.connection, type(self.connection)
        made = ((extras, build(content, to=to, public_id=public_id, extras=extras)) for extras in _choices(connection))
        if (sent := send_first_taken(connection, made)) is None:
            raise ImproperlyConfigured(f"{kind.__module__} does not take our mails.")
        _taken[kind], [result] = sent
        return result


def _choices(connection: Any) -> list[frozenset[str]]:
    if type(connection) in _taken:
        return [_taken[type(connection)]]
    return choices(service_of(connection)) if isinstance(connection, AnymailBaseBackend) else [NONE]


def send_first_taken(
    connection: Any, messages: Iterable[tuple[frozenset[str], EmailMultiAlternatives]]
) -> tuple[frozenset[str], Iterator[Result]] | None:
    """
    Send the first of these messages, all alike but for their extras, that the backend takes.

    Returns its extras, and what each of its recipients came to; None where it takes none of them.
    """
    for extras, message in messages:
        refusal = ""
        try:
            is_accepted = connection.send_messages([message]) != 0
        except AnymailUnsupportedFeature:
            continue  # raised while the message is put together: nothing was sent yet
        except AnymailRecipientsRefused as error:
            # What was said of each recipient stands on the message.
            is_accepted, refusal = False, str(error)[:LONGEST_RESULT]
        return extras, _read_status(message, name_of(connection), is_accepted=is_accepted, text=refusal)
    return None


def choices(service: MailService) -> list[frozenset[str]]:
    """Which extras to try with the service: what it is known to take, and then whatever leaves out fewest."""
    return sorted(CHOICES, key=lambda extras: extras != ALL - service.refuses)


def new_connection() -> Any:
    """The site's default mailer, from `MAILERS` or the older settings as Django itself decides."""
    mailers = getattr(mail, "mailers", None)  # from Django 6.1
    connection: Any = mailers.default if mailers is not None else mail.get_connection()
    if getattr(connection, "timeout", TIMEOUT_SECONDS) is None:
        connection.timeout = TIMEOUT_SECONDS
    return connection


def classify(error: Exception) -> Result:
    """Which failures may pass by themselves, and which will not; and of which it is certain that no mail left."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()), (550, b""))
        return _smtp_result(code, answer)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Result(answer=Answer.NEVER, code="login_refused", is_certain=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return _smtp_result(error.smtp_code, error.smtp_error)
    if isinstance(error, AnymailAPIError):
        status = service_named(str(error.esp_name or "")).status(error)
        return replace(_api_result(status), retry_after=_retry_after(error))
    if isinstance(error, (ImproperlyConfigured, AnymailUnsupportedFeature)):
        return Result(answer=Answer.NEVER, code="configuration", is_certain=True)
    if isinstance(error, (ValueError, smtplib.SMTPNotSupportedError)):  # Anymail's invalid address is a ValueError
        return Result(answer=Answer.NEVER, code="invalid", is_certain=isinstance(error, WHILE_COMPOSING))
    if isinstance(error, (OSError, smtplib.SMTPException)):
        return Result(answer=Answer.LATER, code="no_answer")
    return Result(answer=Answer.LATER, code="error")


def _is_before_sending(error: Exception, connection: Any) -> bool:
    """Whether the error came before anything of the mail was sent over the connection, which is None if none opened."""
    if connection is None:
        return True
    # Elsewhere a `ValueError` may come from reading the service's answer, or from a site's own `post_send` receiver.
    return isinstance(error, ValueError) and service_of(connection) is SMTP


def _smtp_result(code: int, answer: bytes | str) -> Result:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    said = Answer.NEVER if 500 <= code < 600 else Answer.LATER
    return Result(answer=said, code=f"smtp_{code}", text=text[:LONGEST_RESULT], is_certain=400 <= code < 600)


def _api_result(status: int | None) -> Result:
    # Of a 5xx nobody can tell: the service, or something in front of it, broke on the way.
    is_certain = status is not None and 400 <= status < 500
    if status in (401, 403):
        return Result(answer=Answer.NEVER, code="login_refused", is_certain=is_certain)
    if status is None or status == 429 or status >= 500:
        code = "no_answer" if status is None else f"http_{status}"
        return Result(answer=Answer.LATER, code=code, is_certain=is_certain)
    return Result(answer=Answer.NEVER, code=f"http_{status}", is_certain=is_certain)


def _retry_after(error: AnymailAPIError) -> float:
    """What a mail service that is overrun asks for: seconds, or a date (RFC 9110, 10.2.3). An hour at most."""
    said = str(getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", "")).strip()
    if said.isdecimal():
        seconds = float(said)
    else:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0
    return min(max(seconds, 0), LONGEST_WAIT_SECONDS)


def _read_status(
    message: EmailMultiAlternatives, provider: str, *, is_accepted: bool, text: str = ""
) -> Iterator[Result]:
    """What the mail service said of each recipient, in their order; the very same where it said the same."""
    status = getattr(message, "anymail_status", None)
    said = (status.recipients if status is not None else None) or {}
    known: dict[tuple[str | None, str | None], Result] = {}
    for to in message.to:
        recipient = said.get(to)
        key = (recipient.status, recipient.message_id) if recipient is not None else (None, None)
        if key not in known:
            word, message_id = key[0] or ("unknown" if is_accepted else "refused"), str(key[1] or "")
            is_bad = word in ("invalid", "rejected", "failed", "refused")
            said_of_it = Answer.NEVER if is_bad else Answer.ACCEPTED
            known[key] = Result(answer=said_of_it, code=word, text=text, message_id=message_id[:255], provider=provider)
        yield known[key]
