"""What was read of a file, kept while its mailing is a draft: staff may choose another column, or mail more."""

from __future__ import annotations

from django.utils import timezone

from ..models import Mailing, MailingColumn, MailingFile, MailingState, MailingUnmatched
from .choose import Choice, Kind, plain_keys
from .files import ColumnRead, FileReading, Nobody


def file_choice(column: ColumnRead, *, each: bool = False, admins: bool = False) -> Choice:
    """Those whom a file names, if this column says so."""
    keys = column.chosen(each=each, admins=admins)
    return Choice(kind=Kind.FILE, ids=keys, column=column.number, each=each, admins=admins)


def keep_file(mailing: Mailing, reading: FileReading) -> None:
    """Part of a transaction."""
    file = MailingFile.objects.create(
        mailing=mailing,
        is_list=reading.is_list,
        is_encoding_known=reading.is_encoding_known,
        notes=[(line, note.value) for line, note in reading.notes],
    )
    for column in reading.columns:
        read = {name: getattr(column, name) for name in ColumnRead.__dataclass_fields__}
        read |= {name: plain_keys(read[name]) for name in ("ids", "held", "unclear_ids", "unclear_held")}
        read["unclear"] = [(each.line, each.text, plain_keys(each.ids)) for each in column.unclear]
        MailingColumn.objects.create(file=file, **read)
    _keep_unmatched(mailing, reading.columns[0].unmatched, reading.columns[0].unmatched_count)


def choose_in_file(mailing: Mailing, *, column: int, each: bool, admins: bool) -> bool:
    """
    Say of a draft which column says who is meant, and who is mailed beyond the plain ones. Part of a transaction.

    False where the file has no such column, or somebody has started the mailing.
    """
    kept = MailingColumn.objects.filter(file=mailing.pk, number=column).first()
    if kept is None:
        return False
    read = ColumnRead(**{name: getattr(kept, name) for name in ColumnRead.__dataclass_fields__})
    choice = file_choice(read, each=each, admins=admins).as_json()
    draft = Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT)
    if not draft.update(choice=choice, changed_at=timezone.now()):
        return False
    mailing.choice = choice
    _keep_unmatched(mailing, read.unmatched, read.unmatched_count)
    return True


def forget_file(mailing: Mailing) -> None:
    MailingFile.objects.filter(mailing=mailing.pk).delete()


def _keep_unmatched(mailing: Mailing, lines: list[tuple[int, str, str]], count: int) -> None:
    MailingUnmatched.objects.filter(mailing=mailing.pk).delete()
    if count:
        is_partial = any(reason == Nobody.NOT_IN_REACH for _line, _text, reason in lines)
        MailingUnmatched.objects.create(mailing=mailing, lines=lines, count=count, is_partial=is_partial)
