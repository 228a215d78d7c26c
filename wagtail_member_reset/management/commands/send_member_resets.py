from __future__ import annotations

import json
import re
import sys
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import translation
from wagtail.models import Site

from ... import languages, links, mailings
from ...exceptions import ChoiceError, SiteNotOffered
from ...mailing import MOST_PER_HOUR, Choice, Kind, Preview, Source, file_choice, in_groups, read_file, with_ids
from ...models import Mailing, MailingState, Origin
from ..base import WorkingCommand
from ..members_file import described, opened
from ..stopping import stopping
from ..trouble import raise_if_unmigrated, said_of

UNITS = {"s": 3600, "second": 3600, "min": 60, "minute": 60, "h": 1, "hour": 1}
PAUSE_SECONDS = 0.5
# In a log, one line in so many seconds.
LINE_SECONDS = 10
# The database may be away for some minutes.
MOST_FAILURES = 60
NOT_IN = "never signed in, and no password set by a link"
# Exit codes: 0, all were handed over or skipped for a reason that is said; 1, nothing was done; 2, wrong arguments.
SOME_LEFT = 3
PAUSED = 130


def rate(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})/([a-z]+)", text)
    if not match or match[2] not in UNITS or not 0 < int(match[1]) * UNITS[match[2]] <= MOST_PER_HOUR:
        raise ArgumentTypeError(f"{text} is no rate: write a number per second, minute or hour, as in 2000/hour.")
    return int(match[1]) * UNITS[match[2]]


class Command(WorkingCommand):
    help = (
        "Send many members a link to set their password: a welcome to those who have not got in yet. Returns when "
        "the emails are handed over. Exit code 0: done; 1: nothing was done; 3: some failed or wait for another "
        "attempt; 130: interrupted, go on with --resume."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--never-signed-in", action="store_true", help=f"Everybody who has not got in yet: {NOT_IN}.")
        whom.add_argument("--group", action="append", metavar="NAME", help="The members of a group; may be repeated.")
        whom.add_argument("--csv", metavar="FILE", help="Whom a CSV file names, by address or username; - reads stdin.")
        parser.add_argument("--column", metavar="NAME", help="The column that says who, by its name or number.")
        parser.add_argument("--email-each", action="store_true", help="Mail all accounts that share a line's address.")
        parser.add_argument(
            "--include-admins", action="store_true", help="Mail superusers and people who may manage users, too."
        )
        whom.add_argument("--ids", metavar="3,5,8", help="The accounts with these primary keys.")
        whom.add_argument("--all", action="store_true", help="Every account.")
        whom.add_argument("--resume", type=int, metavar="ID", help="Go on with a mailing that was interrupted.")
        parser.add_argument("--name", default="", help="What staff call the mailing, as in 'Renewal 2027'.")
        parser.add_argument(
            "--site", metavar="HOST", help="The Wagtail site that links and emails are for, by hostname."
        )
        parser.add_argument("--again", action="store_true", help="Also mail those who have a link that works.")
        parser.add_argument("--rate", type=rate, metavar="2000/hour", help="No more than this.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")
        parser.add_argument("--background", action="store_true", help="Leave the sending to the site's own workers.")
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="Do not ask.")
        parser.add_argument("--json", action="store_true", help="End with one line of JSON.")

    # As Django's own commands, it speaks English: the reasons that it quotes, too.
    @translation.override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        if not options["csv"] and (options["column"] or options["email_each"] or options["include_admins"]):
            raise CommandError("--column, --email-each and --include-admins are about a file: add --csv FILE.")
        changes = ("dry_run", "again", "rate", "site")
        if options["resume"] is not None and any(options[name] for name in changes):
            raise CommandError(
                "--resume goes on with a mailing as it is: leave out --dry-run, --again, --rate and --site."
            )
        mailing = self.earlier(options["resume"]) if options["resume"] is not None else self.drafted(options)
        if mailing is None:
            return
        if mailing.state == MailingState.DRAFT:
            self.start(mailing, options)
        elif mailing.state == MailingState.PAUSED:
            mailings.go_on(mailing, wake=options["background"])
        elif mailing.state == MailingState.RUNNING and options["background"]:
            mailings.wake_on_commit(mailing)
        self.say(f"Mailing {mailing.pk}: {mailing.chosen:,} chosen.")
        if not options["background"]:
            self.send(mailing)
        self.conclude(mailing, options)

    def start(self, mailing: Mailing, options: dict[str, Any]) -> None:
        try:
            mailings.start(mailing, wake=options["background"])
        except ChoiceError as error:
            raise CommandError(str(error)) from error

    def drafted(self, options: dict[str, Any]) -> Mailing | None:
        choice = self.choice(options)
        about = {
            "again": options["again"],
            "per_hour": options["rate"],
            "site": self.site(options["site"]),
            "origin": Origin.IMPORT,
        }
        with translation.override(languages.spoken()):  # staff read its name
            mailing = mailings.drafted(choice, by=None, name=options["name"], **about)
        preview = self.preview(mailing)
        if choice.kind == Kind.NEVER_SIGNED_IN:
            self.say(f"Everybody who has not got in yet: {NOT_IN}.")
        self.say(f"Chosen: {preview.chosen:,}. Emails: {preview.emails:,}.")
        for reason, number in preview.skips.items():
            self.say(f"  not mailed: {number:,}: {reason.label}")
        if preview.staff:
            self.say(f"  of the emails: {preview.staff:,} to people with access to the admin")
        if preview.is_rule_open:
            self.say("  The site's own rule is asked when each one's turn comes, and may pass over more.")
        if options["dry_run"]:
            skips = {reason.value: number for reason, number in preview.skips.items()}
            counts = {"chosen": preview.chosen, "sent": 0, "failed": 0, "skipped": skips, "mailing": None}
            self.finish({**counts, "would_send": preview.emails}, options, "Nothing was sent.")
            return None
        if options["interactive"] and not self.is_confirmed(preview.emails):
            raise CommandError("Nothing was sent.")
        mailing.save()
        return mailing

    def site(self, host: str | None) -> Site | None:
        try:
            return links.site_called(host) if host else None
        except SiteNotOffered as error:
            raise CommandError(
                f"There is no one Wagtail site {host} to which links may lead: name its hostname (with its port where "
                "several have it), and see that ALLOWED_HOSTS has it."
            ) from error

    def preview(self, mailing: Mailing) -> Preview:
        try:
            return mailings.preview(mailing)
        except ChoiceError as error:
            raise CommandError(str(error)) from error

    def choice(self, options: dict[str, Any]) -> Choice:
        try:
            if options["group"]:
                return in_groups(options["group"])
            if options["ids"] is not None:
                return with_ids(filter(None, re.split(r"[,\s]+", options["ids"])), source=Source.COMMAND)
            if options["csv"]:
                return self.choice_of_file(options)
        except ChoiceError as error:
            raise CommandError(str(error)) from error
        return Choice(kind=Kind.ALL if options["all"] else Kind.NEVER_SIGNED_IN)

    def choice_of_file(self, options: dict[str, Any]) -> Choice:
        with opened(options["csv"]) as file:
            reading = read_file(file, column=options["column"] or "")
        column = reading.columns[0]
        for line in described(reading):
            self.say(line)
        if not column.names_anybody and reading.names_anybody:
            raise CommandError("The column that says who names nobody, and others do: choose by --column.")
        each, admins = options["email_each"], options["include_admins"]
        if column.unclear_count and not each:
            self.say("  They get no email: add --email-each to mail each account.")
        if column.held and not admins:
            self.say(
                f"Held back: {len(column.held):,}, superusers and people who may manage users: add --include-admins."
            )
        return file_choice(column, each=each, admins=admins)

    def earlier(self, pk: int) -> Mailing:
        mailing = Mailing.objects.filter(pk=pk).first()
        if mailing is None:
            raise CommandError(f"There is no mailing {pk}.")
        return mailing

    def is_confirmed(self, emails: int) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to be asked: add --no-input.")
        return input(f"Send {emails:,} emails? [y/N] ").strip().lower() in ("y", "yes")

    def send(self, mailing: Mailing) -> None:
        shown_at, failures = 0.0, 0
        with stopping() as stopped:
            while True:
                try:
                    for has_sent in mailings.work(mailing, is_stopping=stopped.is_set):
                        failures = 0
                        if time.monotonic() - shown_at > (PAUSE_SECONDS if self.is_terminal() else LINE_SECONDS):
                            self.show(mailing)
                            shown_at = time.monotonic()
                        if not has_sent:
                            stopped.wait(PAUSE_SECONDS)
                    break
                except (InterfaceError, OperationalError) as error:
                    raise_if_unmigrated(error)
                    # It may be restarting; the rows are where they were.
                    failures += 1
                    if failures == MOST_FAILURES:
                        raise
                    close_old_connections()
                    self.say(f"{said_of(error)}; trying again.")
                    if stopped.wait(10 * PAUSE_SECONDS):
                        break
            if stopped.is_set():
                mailings.pause(mailing)
        self.show(mailing, end="\n")

    def show(self, mailing: Mailing, end: str = "") -> None:
        share = mailing.handled / mailing.chosen if mailing.chosen else 1
        said = f"{mailing.handled:,} of {mailing.chosen:,} ({share:.0%})"
        if self.is_terminal():
            self.stderr.write(f"\r[{'#' * int(share * 40):40}] {said} ", ending=end)
        else:
            self.say(said)

    def conclude(self, mailing: Mailing, options: dict[str, Any]) -> None:
        progress = mailings.progress(mailing)
        counts = {
            "chosen": mailing.chosen,
            "sent": mailing.handed_over,
            "failed": mailing.failed,
            "skipped": {reason.value: number for reason, number in progress.skips.items()},
            "mailing": mailing.pk,
            "waiting": mailing.waiting,
        }
        said = f"Emails handed over: {mailing.handed_over:,}. Failed: {mailing.failed:,}. Skipped: {mailing.skipped:,}."
        if mailing.state == MailingState.PAUSED:
            said += f" Paused: go on with --resume {mailing.pk}."
        elif mailing.waiting:
            said += f" Waiting: {mailing.waiting:,}; the site's workers go on with them."
        self.finish(counts, options, said)
        if mailing.state == MailingState.PAUSED:
            sys.exit(PAUSED)
        if not options["background"] and (mailing.failed or mailing.waiting):
            sys.exit(SOME_LEFT)

    def finish(self, counts: dict[str, Any], options: dict[str, Any], said: str) -> None:
        self.stdout.write(json.dumps(counts) if options["json"] else said)

    def say(self, line: str) -> None:
        """Beside the result, which alone goes to the standard output."""
        self.stderr.write(line, str)  # as it is: a note is no error

    def is_terminal(self) -> bool:
        return bool(getattr(self.stderr, "isatty", bool)())
