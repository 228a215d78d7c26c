"""Handing one mail to whatever mail backend the site has, and saying what came of it."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, repeat
from typing import Any

from anymail.backends.base import AnymailBaseBackend
from anymail.exceptions import (
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives

from .. import senders
from ..conf import conf
from ..reports import (
    CANCELLED,
    SITE_QUEUE,
    SMTP,
    MailService,
    Whose,
    name_of,
    service_of,
)
from ..texts import Content
from .failures import LONGEST_RESULT, Answer, Result, classify
from .message import EXTRAS, build

logger = logging.getLogger("wagtail_member_reset")

# A mail server that says nothing would hold every later mail back for ever.
TIMEOUT_SECONDS = 30
# Every choice of extras, those that leave out fewest first.
CHOICES = [frozenset(kept) for size in range(len(EXTRAS), -1, -1) for kept in combinations(EXTRAS, size)]
ALL, NONE = CHOICES[0], CHOICES[-1]
# What a backend turned out to take, so that the next mail goes without a detour.
_taken: dict[type, frozenset[str]] = {}


class Mailer:
    """
    One connection to the site's mail backend, kept open over the mails of a mailing.

    A failed mail closes the connection, since what is left of it is not to be trusted.
    """

    def __init__(self) -> None:
        self._connection: Any = None
        self._unopened: Any = None
        self._server = ""

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
            self._server = _server_of(connection)
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
        result = classify(error, is_open=self._connection is not None)
        if _is_before_sending(error, self._connection):
            result = replace(result, is_certain=True)
        self.close()
        # The error's text may quote the mail, which holds the link: log its kind alone.
        where = self._server or "no connection"
        logger.warning("%s not sent: %s %s (%s)", what, result.code, type(error).__name__, where)
        return result

    def _send(self, content: Content, to: str, public_id: str) -> Result:
        (content.sender or senders.default()).check()
        connection, kind = self.connection, type(self.connection)
        made = ((extras, build(content, to=to, public_id=public_id, extras=extras)) for extras in _choices(connection))
        if (sent := send_first_taken(connection, made)) is None:
            raise ImproperlyConfigured(f"{kind.__module__} does not take our mails.")
        _taken[kind], [result] = sent
        return result


def _server_of(connection: Any) -> str:
    """What a connection leads to, for who looks for its setting: host and port, or the mail service."""
    # Django 6.1 warns where it looks for an attribute that it has deprecated.
    own = getattr(connection, "__dict__", {})
    return f"{own['host']}:{own.get('port')}" if own.get("host") else name_of(connection)


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
        try:
            sent = connection.send_messages([message])
        except AnymailUnsupportedFeature:
            continue  # raised while the message is put together: nothing was sent yet
        except AnymailRecipientsRefused as error:
            # What was said of each recipient stands on the message.
            return extras, _read_status(message, name_of(connection), refusal=str(error)[:LONGEST_RESULT])
        if service_of(connection).queues or sent == 0 or isinstance(sent, list):
            return extras, repeat(_unsent(connection), len(message.to))
        return extras, _read_status(message, name_of(connection))
    return None


def _unsent(connection: Any) -> Result:
    """What it means that a backend gives back no number of emails that have left, and raises nothing."""
    name, is_queue = name_of(connection), service_of(connection).queues
    own = vars(connection)  # where Django 6.1 looks for an attribute that it has deprecated, it warns
    if not is_queue and (own.get("fail_silently") or own.get("_fail_silently")):  # for whatever reason
        return Result(answer=Answer.LATER, code="no_answer", whose=Whose.LATER)
    if isinstance(connection, AnymailBaseBackend):  # a receiver of Anymail's `pre_send` has cancelled it
        return Result(answer=Answer.NEVER, code=CANCELLED, provider=name, is_certain=True)
    # Queues have sent nothing yet, or name the tasks that they have begun; and what fails, raises.
    return Result(answer=Answer.ACCEPTED, code=SITE_QUEUE, provider=name)


def choices(service: MailService) -> list[frozenset[str]]:
    """Which extras to try with the service: what it is known to take, and then whatever leaves out fewest."""
    return sorted(CHOICES, key=lambda extras: extras != ALL - service.refuses)


def new_connection() -> Any:
    """The site's mailer for us, from `MAILERS` or the older settings as Django itself decides."""
    mailers, alias = getattr(mail, "mailers", None), conf.MAILER  # the former from Django 6.1 on
    connection: Any = mail.get_connection() if mailers is None else mailers[alias]
    if getattr(connection, "timeout", TIMEOUT_SECONDS) is None:
        connection.timeout = TIMEOUT_SECONDS
    return connection


def _is_before_sending(error: Exception, connection: Any) -> bool:
    """Whether the error came before anything of the mail was sent over the connection, which is None if none opened."""
    if connection is None:
        return True
    # Elsewhere a `ValueError` may come from reading the service's answer, or from a site's own `post_send` receiver.
    return isinstance(error, ValueError) and service_of(connection) is SMTP


def _read_status(message: EmailMultiAlternatives, provider: str, *, refusal: str | None = None) -> Iterator[Result]:
    """What the mail service said of each recipient, in their order; the very same where it said the same."""
    text = refusal or ""
    status = getattr(message, "anymail_status", None)
    said = (status.recipients if status is not None else None) or {}
    known: dict[tuple[str | None, str | None], Result] = {}
    for to in message.to:
        recipient = said.get(to)
        key = (recipient.status, recipient.message_id) if recipient is not None else (None, None)
        if key not in known:
            word, message_id = key[0] or ("unknown" if refusal is None else "refused"), str(key[1] or "")
            is_bad = word in ("invalid", "rejected", "failed", "refused")
            said_of_it = Answer.NEVER if is_bad else Answer.ACCEPTED
            known[key] = Result(answer=said_of_it, code=word, text=text, message_id=message_id[:255], provider=provider)
        yield known[key]
