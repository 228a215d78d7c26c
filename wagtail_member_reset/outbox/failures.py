"""What an error of a mail backend means: whose matter it is, and whether the mail may have left."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailUnsupportedFeature
from django.core.exceptions import ImproperlyConfigured

from ..exceptions import SettingError
from ..reports import LONGEST_READ, Cause, Reading, Stage, Whose, read, service_named

LONGEST_RESULT = 500
LONGEST_WAIT_SECONDS = 3600
LONGEST_DATE = 64
SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")
# Raised while a mail is put together, by whatever backend.
WHILE_COMPOSING = (AnymailInvalidAddress, smtplib.SMTPNotSupportedError)


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
    # Whose matter it is, if it failed, and what of ours; and whether the same would be said of every mail.
    whose: Whose = Whose.MEMBER
    cause: Cause = Cause.NONE
    is_sure: bool = False
    # The other side knew whom the mail was for, so it may mean that one alone.
    is_addressed: bool = False


SET_UP = Result(
    answer=Answer.NEVER,
    code="configuration",
    is_certain=True,
    whose=Whose.MEND,
    cause=Cause.CONFIGURATION,
    is_sure=True,
)


def of_set_up(error: Exception) -> Result:
    """What comes of an email that cannot be composed for a fault of this site's own settings or templates."""
    return replace(SET_UP, text=str(error)[:LONGEST_RESULT])


def classify(error: Exception, *, is_open: bool = True) -> Result:
    """
    Which failures may pass by themselves, and which will not; whose matter each is; and of which it is certain that
    no mail left. `is_open` says that the connection had been opened before.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _smtp_result(*next(iter(error.recipients.values()), (550, b"")), Stage.RCPT)
    if isinstance(error, smtplib.SMTPResponseException):
        return _smtp_result(error.smtp_code, error.smtp_error, _stage_of(error, is_open=is_open))
    if isinstance(error, AnymailAPIError):
        service = service_named(str(error.esp_name or ""))
        return replace(_api_result(service.status(error), _said(error)), retry_after=_retry_after(error))
    if _is_about_the_set_up(error, is_open=is_open):
        return SET_UP
    if isinstance(error, (ValueError, smtplib.SMTPNotSupportedError)):  # Anymail's invalid address is a ValueError
        return Result(answer=Answer.NEVER, code="invalid", is_certain=isinstance(error, WHILE_COMPOSING))
    if isinstance(error, (OSError, smtplib.SMTPException)):
        return Result(answer=Answer.LATER, code="no_answer", whose=Whose.LATER)
    return Result(answer=Answer.LATER, code="error")


def _stage_of(error: smtplib.SMTPResponseException, *, is_open: bool) -> Stage:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Stage.LOGIN
    if isinstance(error, (smtplib.SMTPConnectError, smtplib.SMTPHeloError)) or not is_open:
        return Stage.CONNECT
    return Stage.MAIL if isinstance(error, smtplib.SMTPSenderRefused) else Stage.DATA


def _is_about_the_set_up(error: Exception, *, is_open: bool) -> bool:
    if isinstance(error, (ImproperlyConfigured, SettingError, AnymailUnsupportedFeature, ssl.SSLCertVerificationError)):
        return True
    if isinstance(error, ssl.SSLError):
        return error.reason == "WRONG_VERSION_NUMBER"  # TLS from the first byte on, where the server begins without
    # "STARTTLS extension not supported by server", "No suitable authentication method found". Of an open
    # connection, what is not supported is an address beyond ASCII.
    said = str(error)[:LONGEST_RESULT].lower()
    is_ours = not is_open or any(word in said for word in ("auth", "starttls"))
    return is_ours and type(error) in (smtplib.SMTPNotSupportedError, smtplib.SMTPException)


def _smtp_result(code: int, answer: bytes | str, stage: Stage) -> Result:
    text = answer[:LONGEST_READ]
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    said = Result(answer=Answer.LATER, code=f"smtp_{code}", text=text[:LONGEST_RESULT], is_certain=400 <= code < 600)
    if not said.is_certain:
        return said
    reading = read(text, stage=stage, reply=code)
    if reading.cause == Cause.LOGIN_REFUSED and stage == Stage.LOGIN:
        said = replace(said, code="login_refused", text="")
    return replace(_as_read(said, reading), is_addressed=stage in (Stage.RCPT, Stage.DATA))


def _api_result(status: int | None, text: str) -> Result:
    if status is None:
        return Result(answer=Answer.LATER, code="no_answer", whose=Whose.LATER)
    reading = read(text, stage=Stage.API, reply=status)
    code = {Cause.LOGIN_REFUSED: "login_refused", Cause.INVALID: "invalid", Cause.BLOCKED: "rejected"}.get(
        reading.cause, f"http_{status}"
    )
    # Of a 5xx nobody can tell: the service, or something in front of it, broke on the way.
    said = Result(answer=Answer.NEVER, code=code, is_certain=400 <= status < 500, is_addressed=True)
    return _as_read(said, reading)


def _as_read(said: Result, reading: Reading) -> Result:
    """The same with what the answer was understood as."""
    if reading.whose == Whose.MEMBER:
        return replace(said, answer=Answer.LATER if reading.is_for_now else Answer.NEVER)
    answer = Answer.LATER if reading.whose == Whose.LATER else Answer.NEVER
    return replace(said, answer=answer, whose=reading.whose, cause=reading.cause, is_sure=reading.is_sure)


def _said(error: AnymailAPIError) -> str:
    """What a mail service says of a call that failed: the beginning of its answer."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, Mapping):  # boto's
        said = response.get("Error") or {}
        return f"{said.get('Code', '')} {said.get('Message', '')}"[:LONGEST_READ] if isinstance(said, Mapping) else ""
    content = getattr(response, "content", b"") or b""
    return bytes(content[:LONGEST_READ]).decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _retry_after(error: AnymailAPIError) -> float:
    """What a mail service that is overrun asks for: seconds, or a date (RFC 9110, 10.2.3). An hour at most."""
    response: Any = getattr(error, "response", None)
    headers: Any = getattr(response, "headers", None)
    if isinstance(response, Mapping):  # boto's
        metadata = response.get("ResponseMetadata")
        headers = metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None
    if not isinstance(headers, Mapping):
        return 0
    said = str(headers.get("Retry-After") or headers.get("retry-after") or "").strip()[:LONGEST_DATE]
    if SECONDS.fullmatch(said):
        return min(float(said), LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(said)
        # "-0000", and no zone at all, mean UTC (RFC 5322, 3.3).
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() - time.time()
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0
    return min(max(seconds, 0), LONGEST_WAIT_SECONDS)
