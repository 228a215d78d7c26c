"""What only the tables can tell: asked with `migrate` and `check --database default` alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections, router
from django.db.models import Exists, OuterRef
from django.utils import timezone
from wagtail.models import Site

from .. import accounts, links
from ..conf import PREFIX, conf
from ..exceptions import SettingError
from ..models import EmailState, MailingChunk, PasswordReset, ResetEmail
from .common import asked_of_tables, error_of, nowhere, plain_http

OVERDUE = timedelta(minutes=10)


@register(Tags.database)
def check_database(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Asks the tables, so it runs with `migrate` and `check --database default` alone."""
    if not databases:
        return []
    nothing: list[CheckMessage] = []
    return [
        *asked_of_tables(lambda: [*_address_of_links()], otherwise=nothing),
        *asked_of_tables(lambda: [*_overdue_mails()], otherwise=nothing),
        *_unchecked_rows(databases),
        *_read_elsewhere(databases),
    ]


def _unchecked_rows(databases: Any) -> Iterator[CheckMessage]:
    alias = router.db_for_write(PasswordReset)
    if alias in databases and not connections[alias].features.supports_table_check_constraints:
        yield Warning(
            "This database ignores CHECK constraints, which keep a link from standing half ended.",
            hint="Use MySQL 8.0.16, MariaDB 10.2, PostgreSQL or SQLite, or newer ones of these.",
            id="wagtail_member_reset.W013",
        )


def _read_elsewhere(databases: Any) -> Iterator[CheckMessage]:
    """A replica may not have yet what the next step goes by."""
    for model in (get_user_model(), *apps.get_app_config("wagtail_member_reset").get_models()):
        written, read = router.db_for_write(model), router.db_for_read(model)
        if written in databases and read != written:
            yield Warning(
                f'{model._meta.label} is written to the database "{written}" and read from "{read}".',
                hint="What was just written is read again: let db_for_read of your DATABASE_ROUTERS name the same "
                "database for the user model and for wagtail_member_reset.",
                id="wagtail_member_reset.W014",
            )
            return


def _address_of_links() -> Iterator[CheckMessage]:
    site = Site.objects.filter(is_default_site=True).first()
    try:
        if conf.BASE_URL:
            return
        problem = links.problem_of_location(site)
        if problem == links.LocationProblem.PLACEHOLDER:
            hint = f'Set the hostname of the Wagtail site (Settings, Sites) or {PREFIX}BASE_URL = "https://…".'
            yield nowhere(site.root_url if site else links.base_url(site), hint)
        elif problem != links.LocationProblem.HOST:  # which is told with those of other sites
            # The record of a site behind TLS often keeps port 80, which makes its links begin with http.
            yield from plain_http(links.base_url(site))
    except SettingError as error:
        yield error_of(error, "E023")
        return
    yield from _refused_hosts()
    yield from _staff_who_change_sites()


def _refused_hosts() -> Iterator[CheckMessage]:
    refused = [site.hostname for site in Site.objects.order_by("pk") if links.has_refused_host(site)]
    named = ", ".join(host for host in refused if not links.leads_nowhere(host))
    if named and settings.ALLOWED_HOSTS:
        yield Warning(
            f"Wagtail sites have hosts that ALLOWED_HOSTS does not allow, so no links to them are mailed: {named}.",
            hint=f'Set {PREFIX}BASE_URL = "https://…", correct the hostname (Settings, Sites), or add it to '
            "ALLOWED_HOSTS.",
            id="wagtail_member_reset.W031",
        )


def _staff_who_change_sites() -> Iterator[CheckMessage]:
    """Who changes the hostname of a site changes where links lead, to any host that ALLOWED_HOSTS allows."""
    holders = get_user_model()._base_manager.filter(accounts.may_change_sites(), ~accounts.is_superuser())
    if holders.exists():
        yield Warning(
            "Staff who are not superusers may change Wagtail sites, and with them where the links to members lead.",
            hint=f'Set {PREFIX}BASE_URL = "https://…": what a setting names is not for staff to change.',
            id="wagtail_member_reset.W030",
        )


def _overdue_mails() -> Iterator[CheckMessage]:
    limit, minutes = timezone.now() - OVERDUE, OVERDUE.total_seconds() / 60
    hint = (
        "Run deliver_member_resets from cron or with --loop, or start the workers of TASKS. "
        "Under uWSGI, the thread needs enable-threads = true."
    )
    # Those of a mailing may wait for its hours.
    queued = ResetEmail.objects.filter(state=EmailState.QUEUED, next_attempt_at__lt=limit)
    if waiting := queued.exclude(mailing__turn_at__gt=timezone.now()).count():
        message = f"Password reset emails that have been due for more than {minutes:.0f} minutes: {waiting}."
        yield Warning(message, hint=hint, id="wagtail_member_reset.W005")
    # A long mailing has chunks that wait; but somebody is at it.
    at_work = ResetEmail.objects.unsent().filter(mailing=OuterRef("mailing"), lease_until__gt=timezone.now())
    left = MailingChunk.objects.due().filter(~Exists(at_work), due_at__lt=limit)
    if mailings := left.order_by().values("mailing").distinct().count():
        message = f"Mailings at which nobody has been for more than {minutes:.0f} minutes: {mailings}."
        yield Warning(message, hint=hint, id="wagtail_member_reset.W005")
