"""
Long files, read outside of the request: kept in pieces, read by whichever worker comes first, and forgotten.

A reading of 64 MB takes seconds, and a worker of a web server should not be held for that.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import BinaryIO, cast

from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import get_language, gettext, gettext_noop, override

from .. import db
from ..accounts import hidden_from
from ..exceptions import ChoiceError
from ..models import Mailing, MailingState, MailingUpload, MailingUploadPiece
from .files import UNKNOWN_ENCODING, FileReading, read_file
from .kept_file import file_choice, keep_file

logger = logging.getLogger("wagtail_member_reset")

# Less than this is read within the request: half a second, or 20,000 lines of a usual table.
LONG = 2 * 1024 * 1024
# MariaDB takes 16 MB in a statement, MySQL may be set to 1 MB, and escaping may double a piece.
PIECE = 256 * 1024
# How long a worker has. It takes a tenth of that.
LEASE = timedelta(minutes=10)
MOST_ATTEMPTS = 3
UNREADABLE = gettext_noop("The file could not be read. Try a smaller one, or ask your administrator.")


def keep_upload(mailing: Mailing, file: BinaryIO) -> None:
    """Part of a transaction."""
    upload = MailingUpload.objects.create(mailing=mailing, language=get_language() or "")
    file.seek(0)
    for number, data in enumerate(iter(partial(file.read, PIECE), b"")):
        MailingUploadPiece.objects.create(upload=upload, number=number, data=data)


def read_uploads(*, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Read the files that wait, one after another. Safe to run beside itself: each file is claimed by one worker."""
    while not is_stopping() and (upload := MailingUpload.objects.due().first()) is not None:
        key = get_random_string(32)
        claim = {"lease": key, "lease_until": timezone.now() + LEASE, "attempts": F("attempts") + 1}
        if db.retried(partial(MailingUpload.objects.due().filter(pk=upload.pk).order_by().update, **claim)):
            with override(upload.language or None):
                _read(upload, key)


def next_upload() -> datetime | None:
    """When a file wants to be read; None where none waits."""
    waiting = MailingUpload.objects.filter(problem="")
    if waiting.filter(lease_until=None).exists():
        return timezone.now()
    first: datetime | None = waiting.aggregate(first=Min("lease_until"))["first"]
    return first


def problems_of(reading: FileReading) -> list[str]:
    """Why nobody can be mailed by a file that was read; empty where somebody can."""
    if reading.names_anybody:
        return []
    if reading.is_partial:
        said = [gettext("No line in the file matches an account that you may see, by email address or username.")]
    else:
        said = [gettext("No line in the file matches an account by email address or username.")]
    return said if reading.is_encoding_known else [*said, str(UNKNOWN_ENCODING)]


def _read(upload: MailingUpload, key: str) -> None:
    mine = MailingUpload.objects.filter(pk=upload.pk, lease=key)
    if upload.attempts >= MOST_ATTEMPTS:
        _give_up(mine, gettext(UNREADABLE))
        return
    try:
        with tempfile.TemporaryFile() as copy:
            for data in _pieces(upload):
                copy.write(data)
            brought_by = Mailing.objects.select_related("created_by").get(pk=upload.pk).created_by
            hidden = hidden_from(brought_by) if brought_by is not None else None
            reading = read_file(cast(BinaryIO, copy), hidden=hidden)
    except ChoiceError as error:
        _give_up(mine, str(error))
        return
    except Exception as error:
        if not db.answers():
            raise  # whoever comes when the lease is over tries again
        if not mine.exists():
            return  # somebody has deleted the draft meanwhile
        # What an error says may quote a line of the file.
        logger.error("mailing=%s: its file could not be read: %s", upload.pk, type(error).__name__)
        _give_up(mine, gettext(UNREADABLE))
        return
    if problems := problems_of(reading):
        _give_up(mine, " ".join(problems))
    else:
        db.retried(partial(_keep, upload, key, reading))


def _pieces(upload: MailingUpload) -> Iterator[bytes]:
    """One query each: some databases would send all of them at once."""
    for number in range(upload.pieces.count()):
        yield bytes(upload.pieces.values_list("data", flat=True).get(number=number))


def _keep(upload: MailingUpload, key: str, reading: FileReading) -> None:
    """Part of a transaction. What a worker read whose lease was over, or whose draft is gone, is dropped."""
    mine = MailingUpload.objects.filter(pk=upload.pk, lease=key)
    if not mine.update(lease_until=timezone.now()):
        return
    choice = file_choice(reading.columns[0]).as_json()
    if not Mailing.objects.filter(pk=upload.pk, state=MailingState.DRAFT).update(choice=choice):
        transaction.set_rollback(True, using=db.alias())
        return
    keep_file(Mailing.objects.get(pk=upload.pk), reading)
    mine.delete()


def _give_up(mine: QuerySet[MailingUpload], problem: str) -> None:
    def write() -> None:
        if mine.update(problem=problem, lease_until=None):
            MailingUploadPiece.objects.filter(upload__in=list(mine)).delete()

    db.retried(write)
