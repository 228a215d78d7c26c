"""Each check names what is wrong and the way out, and is silent where all is well."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from types import ModuleType

import pytest
from django.apps import apps
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.models import Permission
from django.core.checks import registry, run_checks
from django.core.mail.backends.base import BaseEmailBackend
from django.db import OperationalError, ProgrammingError, connection, router
from django.urls import get_script_prefix, include, path, re_path, set_script_prefix
from django.utils import timezone
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.models import Site

from tests.conftest import grant, use_backend
from tests.urls import urlpatterns
from wagtail_member_reset import mailings, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, PasswordReset, ResetEmail, ResetRequest

PREFIX = "WAGTAIL_MEMBER_RESET_"
WRONG = [
    ("LINK_LIFETIME", timedelta(0), "E001"),
    ("LINK_LIFETIME", timedelta(days=-1), "E001"),
    ("LINK_LIFETIME", 7, "E001"),
    ("LINK_LIFETIME", None, "E001"),
    ("STATUS_WINDOW", timedelta(0), "E002"),
    ("STATUS_WINDOW", "16 hours", "E002"),
    ("BASE_URL", "club.example", "E003"),
    ("BASE_URL", "https://club.example/?account", "E003"),
    ("BASE_URL", "ftp://club.example", "E003"),
    ("BASE_URL", "", "E003"),
    ("BASE_URL", 5, "E003"),
    ("WELCOME_ON_CREATE", "yes", "E004"),
    ("WELCOME_ON_CREATE", None, "E004"),
    ("SETTINGS_TAB", 1, "E005"),
    ("LINK_DISPLAY", "shown", "E006"),
    ("LINK_DISPLAY", None, "E006"),
    ("MAY_RESET", "no.such.thing", "E007"),
    ("MEMBER_LANGUAGE", "no.such.thing", "E028"),
    ("MEMBER_LANGUAGE", "tests.test_checks.WRONG", "E028"),
    ("MEMBER_LANGUAGE", "", "E028"),
    ("MAY_RESET", "tests.test_checks.WRONG", "E007"),
    ("MAY_RESET", len, "E007"),
    ("MAY_RESET", "", "E007"),
    ("DELIVERY", "pigeon", "E008"),
    ("DELIVERY", ["thread"], "E008"),
    ("CSP", "default-src 'self'", "E009"),
    ("CSP", {"style-src": "'self'; script-src *"}, "E009"),
    ("CSP", {"style-src": None}, "E009"),
    ("TRUSTED_PROXIES", -1, "E010"),
    ("TRUSTED_PROXIES", True, "E010"),
    ("TRUSTED_PROXIES", "1", "E010"),
    ("REQUEST_LIMITS", {"ip": "20 per hour"}, "E011"),
    ("REQUEST_LIMITS", {"ip": 20}, "E011"),
    ("REQUEST_LIMITS", {"nobody": "20/h"}, "E011"),
    ("REQUEST_LIMITS", "20/h", "E011"),
    ("RETENTION", timedelta(0), "E012"),
    ("RETENTION", 30, "E012"),
    ("SUPPORT_CONTACT", "", "E013"),
    ("SUPPORT_CONTACT", "office@club.example\nBcc: x@y.example", "E013"),
    ("SUPPORT_CONTACT", 5, "E013"),
    ("STAFF_LIMITS", {"ip": "20/d"}, "E014"),
    ("STAFF_LIMITS", {"person": "20 a day"}, "E014"),
    ("MAILING_CONNECTIONS", 0, "E015"),
    ("MAILING_CONNECTIONS", 51, "E015"),
    ("MAILING_CONNECTIONS", True, "E015"),
    ("MAILING_CONNECTIONS", "4", "E015"),
    ("REMINDER", 2, "E016"),
    ("WELCOME_LIFETIME", timedelta(0), "E019"),
    ("WELCOME_LIFETIME", "a month", "E019"),
    ("FROM_DOMAINS", "club.example", "E026"),
    ("FROM_DOMAINS", ["office@club.example"], "E026"),
    ("FROM_DOMAINS", ["*.club.example"], "E026"),
    ("FROM_DOMAINS", [5], "E026"),
    ("MAILER", "unknown", "E027"),
    ("MAILER", 5, "E027"),
    ("PASSWORDS_ENABLED", "no", "E017"),
    ("PASSWORDS_ENABLED", None, "E017"),
    ("IDENTITY_CHECK", True, "E018"),
    ("REMINDER", timedelta(0), "E016"),
    ("REMINDER", timedelta(days=7), "E016"),
]
RIGHT = [
    ("LINK_LIFETIME", timedelta(days=30)),
    ("MAILING_CONNECTIONS", 50),
    ("REMINDER", None),
    ("REMINDER", timedelta(days=6, hours=23)),
    ("STATUS_WINDOW", timedelta(minutes=5)),
    ("WELCOME_LIFETIME", timedelta(days=30)),
    ("FROM_DOMAINS", []),
    ("FROM_DOMAINS", ("club.example", "münchen.example", "mail.club.example")),
    ("MAILER", None),
    ("WELCOME_LIFETIME", None),
    ("BASE_URL", "https://club.example/"),
    ("BASE_URL", "http://localhost:8000"),
    ("WELCOME_ON_CREATE", False),
    ("LINK_DISPLAY", "never"),
    ("MAY_RESET", "tests.staff.test_panel.nobody"),
    ("DELIVERY", "thread"),
    ("CSP", None),
    ("CSP", {"style-src": "'self' https://cdn.example.com"}),
    ("TRUSTED_PROXIES", 2),
    ("REQUEST_LIMITS", {"address": "3/d"}),
    ("RETENTION", timedelta(days=365)),
    ("SUPPORT_CONTACT", "https://club.example/help"),
]


def ours(**options):
    found = [check for check in run_checks(**options) if check.id.startswith("wagtail_member_reset.")]
    assert all(check.hint and check.hint[0].isupper() and check.hint.rstrip().endswith((".", "…")) for check in found)
    return found


def deployed():
    """The same before deployment, but for the reset page of Wagtail's that the suite's site serves."""
    return [check for check in ours(include_deployment_checks=True) if check.id != "wagtail_member_reset.W003"]


def ids(found):
    return [check.id.partition(".")[2] for check in found]


@pytest.fixture
def lack(monkeypatch):
    """Has the database refuse what reads a table, which it lacks, or a column of which; gives what it refused."""
    inspect = type(connection.introspection)
    names, columns = inspect.table_names, inspect.get_table_description

    @contextmanager
    def without(table, lacks):
        refused = []

        def refuse(execute, sql, params, many, context):
            if f"FROM {connection.ops.quote_name(table)}" in sql and not sql.startswith("SELECT *"):
                refused.append(sql)
                raise ProgrammingError(table)
            return execute(sql, params, many, context)

        def left(self, cursor=None, include_views=False):
            return [name for name in names(self, cursor, include_views) if (name, lacks) != (table, "table")]

        def left_of(self, cursor, name):
            found = columns(self, cursor, name)
            return found[1:] if (name, lacks) == (table, "column") else found

        with monkeypatch.context() as patch, connection.execute_wrapper(refuse):
            patch.setattr(inspect, "table_names", left)
            patch.setattr(inspect, "get_table_description", left_of)
            yield refused

    return without


def in_database():
    return ours(tags=["database"], databases=["default"])


# Settings


def test_site_without_settings_of_ours_passes(settings):
    for name in list(settings._wrapped.__dict__):
        if name.startswith(PREFIX):
            delattr(settings, name)

    assert ours() == []


@pytest.mark.parametrize(("name", "value", "number"), WRONG)
def test_setting_that_cannot_be_used_is_named_with_the_way_out(settings, name, value, number):
    setattr(settings, PREFIX + name, value)

    (error,) = [check for check in ours() if check.id.endswith(number)]

    assert error.is_serious()
    assert error.msg.startswith(f"{PREFIX}{name} is ")
    assert error.msg.endswith(".")
    assert ": set" not in error.msg
    assert re.match(r"(Set|Write) [^:]*", error.hint)


def test_message_quotes_the_whole_value(settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"nobody": "20/h"}

    (error,) = ours()

    assert error.msg == "WAGTAIL_MEMBER_RESET_REQUEST_LIMITS is {'nobody': '20/h'}."
    assert error.hint == 'Set a dict with some of "ip", "address", "all".'


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_setting_that_can_be_used_is_passed_over(settings, name, value):
    setattr(settings, PREFIX + name, value)

    assert ours() == []


@pytest.mark.django_db
def test_all_that_is_wrong_is_said_at_once(settings):
    for name, value, _number in WRONG:
        setattr(settings, PREFIX + name, value)

    assert sorted(set(ids(ours()))) == [f"E{number:03}" for number in (*range(1, 20), 26, 27, 28)]
    assert ids(in_database()) == ["E023"]


def test_window_longer_than_the_lifetime_is_pointed_out(settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=8)

    assert ids(ours()) == ["W002"]


def test_window_longer_than_a_welcome_lives_is_pointed_out(settings):
    settings.WAGTAIL_MEMBER_RESET_WELCOME_LIFETIME = timedelta(hours=8)

    [found] = ours()
    assert (ids([found]), "WELCOME_LIFETIME, 8:00:00" in found.msg) == (["W002"], True)


def test_reminder_goes_by_how_long_a_welcome_lives(settings):
    settings.WAGTAIL_MEMBER_RESET_WELCOME_LIFETIME = timedelta(days=30)
    settings.WAGTAIL_MEMBER_RESET_REMINDER = timedelta(days=10)

    assert ours() == []
    settings.WAGTAIL_MEMBER_RESET_WELCOME_LIFETIME = timedelta(days=9)
    assert ids(ours()) == ["E016"]


def test_window_as_long_as_the_lifetime_is_fine(settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=16)

    assert ours() == []


def test_delivery_by_tasks_needs_a_backend_with_workers(settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"

    assert ids(ours()) == ["E021"]


# What stands in the way of the tab and of the pages


def test_viewset_that_was_set_after_us_is_pointed_out(monkeypatch):
    monkeypatch.setattr(apps.get_app_config("wagtailusers"), "user_viewset", "wagtail.users.views.users.UserViewSet")

    assert ids(ours()) == ["W001"]


def test_viewset_that_was_set_after_us_is_fine_with_our_mixin(monkeypatch):
    monkeypatch.setattr(apps.get_app_config("wagtailusers"), "user_viewset", "tests.custom.viewsets.ByHandUserViewSet")

    assert ours() == []


def test_viewset_of_a_site_that_wants_no_tab_is_fine(monkeypatch, settings):
    settings.WAGTAIL_MEMBER_RESET_SETTINGS_TAB = False
    monkeypatch.setattr(apps.get_app_config("wagtailusers"), "user_viewset", "wagtail.users.views.users.UserViewSet")

    assert ours() == []


def test_viewset_that_does_not_exist_is_for_wagtail_to_say(monkeypatch):
    monkeypatch.setattr(apps.get_app_config("wagtailusers"), "user_viewset", "no.such.Viewset")

    assert ours() == []


def test_pages_without_an_address_are_an_error(settings):
    settings.ROOT_URLCONF = (path("admin/", include(wagtailadmin_urls)),)

    found = ours()

    assert ids(found) == ["E020"]
    assert 'path("account/", include("wagtail_member_reset.urls"))' in found[0].hint


@pytest.fixture
def served_at(settings):
    """Where the site is served, as Django has it after its start."""

    def serve(path):
        settings.FORCE_SCRIPT_NAME = path
        set_script_prefix(path)

    before = get_script_prefix()
    yield serve
    set_script_prefix(before)


@pytest.mark.parametrize("prefix", ["/", "/members/"])
@pytest.mark.parametrize(
    "above", [path("", include(wagtail_urls)), re_path(r"^account/.*$", RedirectView.as_view(url="/"))]
)
def test_pages_in_whose_place_something_else_answers_are_pointed_out(settings, served_at, above, prefix):
    served_at(prefix)
    settings.ROOT_URLCONF = (above, *urlpatterns)

    (warning,) = ours()

    assert ids([warning]) == ["W033"]
    assert f"{prefix}account/password-reset/set/" in warning.msg
    assert "above wagtail_urls" in warning.hint


def test_pages_that_have_a_namespace_of_the_sites_own_are_in_their_place(settings):
    routes = path("account/", include("wagtail_member_reset.urls", namespace="members"))
    settings.ROOT_URLCONF = (path("admin/", include(wagtailadmin_urls)), routes, path("", include(wagtail_urls)))

    assert ours() == []


def test_pages_in_the_addresses_of_several_languages_are_in_their_place(settings):
    pages = i18n_patterns(path("account/", include("wagtail_member_reset.urls")), path("", include(wagtail_urls)))
    settings.ROOT_URLCONF = (path("admin/", include(wagtailadmin_urls)), *pages)

    assert ours() == []


# What the tables say


@pytest.mark.django_db
class TestDatabase:
    def test_site_with_an_address_and_nothing_waiting_passes(self):
        assert in_database() == []

    @pytest.mark.parametrize("hostname", ["localhost", "127.0.0.1", "example.com", "club.localhost"])
    def test_placeholder_of_a_new_project_is_pointed_out(self, settings, hostname):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname=hostname)

        found = in_database()

        assert ids(found) == ["W004"]
        assert f"http://{hostname}" in found[0].msg

    @pytest.mark.parametrize(("hostname", "port"), [("localhost", 8000), ("club.localhost", 80)])
    def test_host_that_a_developer_named_is_fine_while_debugging(self, settings, hostname, port):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.DEBUG = True
        Site.objects.update(hostname=hostname, port=port)

        assert in_database() == []

    def test_record_of_a_new_project_is_pointed_out_while_debugging_too(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.DEBUG = True
        Site.objects.update(hostname="localhost", port=80)

        assert ids(in_database()) == ["W004"]

    def test_hostname_of_the_site_is_enough(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname="club.example", port=443)

        assert in_database() == []

    def test_site_whose_record_keeps_port_80_is_pointed_out(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.WAGTAILADMIN_BASE_URL = "https://admin.example"
        Site.objects.update(hostname="club.example")

        (warning,) = in_database()
        settings.DEBUG = True

        assert ids([warning]) == ["W009"]
        assert "begin with http://club.example" in warning.msg
        assert in_database() == []

    @pytest.mark.parametrize("hostname", ["evil.example", "club.example.evil.example", "club.example/evil"])
    def test_site_whose_host_django_does_not_allow_is_pointed_out(self, settings, hostname):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.ALLOWED_HOSTS = ["club.example"]
        Site.objects.update(hostname=hostname, port=443)

        (warning,) = in_database()

        assert ids([warning]) == ["W031"]
        assert hostname in warning.msg
        assert warning.hint.startswith("Set WAGTAIL_MEMBER_RESET_BASE_URL")

    def test_every_site_is_looked_at(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.ALLOWED_HOSTS = [".club.example"]
        Site.objects.update(hostname="www.club.example", port=443)
        Site.objects.create(hostname="evil.example", port=443, root_page=Site.objects.get().root_page)

        assert ids(in_database()) == ["W031"]

    def test_placeholder_that_django_does_not_allow_either_is_told_once(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.ALLOWED_HOSTS = ["club.example"]
        Site.objects.update(hostname="localhost")

        assert ids(in_database()) == ["W004"]

    def test_build_that_knows_no_hosts_yet_is_told_nothing(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.ALLOWED_HOSTS = []
        Site.objects.update(hostname="club.example", port=443)

        assert in_database() == []

    @pytest.mark.parametrize("permission", ["add_site", "change_site"])
    def test_staff_who_change_sites_are_a_reason_to_set_the_address(self, settings, office, permission):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname="club.example", port=443)
        before = in_database()
        office.groups.get().permissions.add(Permission.objects.get(codename=permission))

        found = in_database()
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"

        assert (before, ids(found), in_database()) == ([], ["W030"], [])

    def test_superusers_may_change_sites(self, settings, admin):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname="club.example", port=443)
        grant(admin, "change_site")

        assert in_database() == []

    def test_links_of_the_admins_address_are_looked_at_where_no_site_has_one(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.WAGTAILADMIN_BASE_URL = "http://club.example"
        Site.objects.all().delete()

        assert ids(in_database()) == ["W009"]

    def test_database_that_ignores_check_constraints_is_pointed_out(self, monkeypatch):
        # Of the class, where MySQL's is a property.
        monkeypatch.setattr(type(connection.features), "supports_table_check_constraints", False)

        assert ids(in_database()) == ["W013"]

    def test_replica_that_is_read_from_is_pointed_out(self, monkeypatch):
        def db_for_read(model, **hints):
            return "replica" if model is PasswordReset else "default"

        monkeypatch.setattr(router, "db_for_read", db_for_read)

        assert ids(in_database()) == ["W014"]

    def test_site_without_any_address_is_an_error(self, settings):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        settings.WAGTAILADMIN_BASE_URL = None
        Site.objects.all().delete()

        found = in_database()

        assert ids(found) == ["E023"]
        assert found[0].is_serious()
        assert found[0].hint.startswith("Set WAGTAIL_MEMBER_RESET_BASE_URL")

    def test_mails_that_nobody_carries_are_pointed_out(self, member):
        resets.send(member, by=None)
        ResetEmail.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=11))

        found = in_database()

        assert ids(found) == ["W005"]
        assert found[0].msg == "Password reset emails that have been due for more than 10 minutes: 1."
        assert "deliver_member_resets" in found[0].hint

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"next_attempt_at": timedelta(minutes=-9)},
            {"next_attempt_at": timedelta(minutes=-11), "state": EmailState.HANDED_OVER},
            {"next_attempt_at": timedelta(minutes=-11), "state": EmailState.FAILED},
        ],
    )
    def test_mails_that_are_well_are_passed_over(self, member, changes):
        resets.send(member, by=None)
        if changes:
            ResetEmail.objects.update(**{**changes, "next_attempt_at": timezone.now() + changes["next_attempt_at"]})

        assert in_database() == []

    def test_mailing_at_which_nobody_is_has_its_way_out(self, member):
        mailing = mailings.draft(Choice(kind=Kind.ALL), by=None)
        mailings.start(mailing)
        mailing.chunks.update(due_at=timezone.now() - timedelta(minutes=11))

        found = in_database()

        assert ids(found) == ["W005"]
        assert found[0].msg == "Mailings at which nobody has been for more than 10 minutes: 1."

    @pytest.mark.parametrize("changes", [{"state": "paused"}, {"held_until": timedelta(minutes=5)}, {}])
    def test_mailings_that_are_well_are_passed_over(self, member, changes):
        mailing = mailings.draft(Choice(kind=Kind.ALL), by=None)
        mailings.start(mailing)
        mailing.chunks.update(due_at=timezone.now() - timedelta(minutes=11))
        if "held_until" in changes:
            changes = {"held_until": timezone.now() + changes["held_until"]}
        if changes:
            Mailing.objects.update(**changes)
        else:  # a worker has another chunk of it in hand
            email = resets.send(member, by=None).emails.get()
            lease = {"state": EmailState.SENDING, "lease": "x", "lease_until": timezone.now() + timedelta(minutes=5)}
            ResetEmail.objects.filter(pk=email.pk).update(mailing=mailing, **lease)

        assert in_database() == []

    def test_tables_are_asked_only_when_the_database_is_checked(self, settings, django_assert_num_queries):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None

        with django_assert_num_queries(0):
            assert ours() == []

    @pytest.mark.parametrize("table", [ResetEmail._meta.db_table, Site._meta.db_table, ResetRequest._meta.db_table])
    @pytest.mark.parametrize("lacks", ["table", "column"])
    def test_tables_and_columns_that_are_not_there_yet_are_no_fault(self, settings, lack, table, lacks):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname="club.example", port=443)

        with lack(table, lacks) as refused:
            assert in_database() == []
            assert refused

    def test_what_needs_no_table_is_pointed_out_before_the_tables_are_there(self, lack, monkeypatch):
        monkeypatch.setattr(type(connection.features), "supports_table_check_constraints", False)

        with lack(ResetEmail._meta.db_table, "table"):
            assert ids(in_database()) == ["W013"]

    def test_what_other_tables_tell_is_told_while_one_is_missing(self, settings, lack):
        settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
        Site.objects.update(hostname="localhost")

        with lack(ResetEmail._meta.db_table, "table"):
            assert ids(in_database()) == ["W004"]

    @pytest.mark.parametrize("name", ["check_database", "check_what_arrives"])
    def test_database_that_answers_nothing_is_not_hidden(self, name):
        def down(execute, sql, params, many, context):
            raise OperationalError("server closed the connection")

        [check] = [check for check in registry.registry.registered_checks if check.__name__ == name]
        with connection.execute_wrapper(down), pytest.raises(OperationalError, match="closed the connection"):
            check(None, databases=["default"])

    @pytest.mark.parametrize("table", [ResetEmail._meta.db_table, ResetRequest._meta.db_table])
    def test_table_that_may_not_be_read_is_not_hidden(self, lack, table):
        with lack(table, "right to read"), pytest.raises(ProgrammingError, match=table):
            in_database()


# What is read once, when Django starts


@pytest.mark.slow
@pytest.mark.parametrize(("arrangement", "found"), [("tasks", []), ("wrong-tab", ["E005"])])
def test_start_is_survived_and_checked(settings, arrangement, found):
    command = [sys.executable, "-m", "tests.custom.probe", "--checks", arrangement]

    probe = subprocess.run(command, check=False, cwd=settings.ROOT, capture_output=True, text=True, timeout=60)

    assert (probe.returncode, probe.stderr[-2000:]) == (0, "")
    assert json.loads(probe.stdout) == found


# The mail backend and its service


POSTMARK = "anymail.backends.postmark.EmailBackend"


@pytest.mark.parametrize("name", ["console", "dummy", "filebased"])
def test_backend_for_development_is_named_where_the_site_is_live(settings, name):
    use_backend(settings, f"django.core.mail.backends.{name}.EmailBackend")

    (warning,) = ours()
    settings.DEBUG = True

    assert ids([warning]) == ["W006"]
    assert f"django.core.mail.backends.{name}.EmailBackend" in warning.msg
    assert ours() == []


def test_backend_of_djangos_own_tests_is_passed_over(settings):
    use_backend(settings, "django.core.mail.backends.locmem.EmailBackend")

    assert ours() == []


@pytest.mark.parametrize(
    "sender",
    [
        "Club: Members <office@club.example>",
        "a@club.example, b@club.example",
        "",
        "office@club.example\nBcc: eve@x.example",
    ],
)
def test_sender_that_is_not_one_mailbox_is_an_error(settings, sender):
    settings.DEFAULT_FROM_EMAIL = sender

    (error,) = ours()

    assert (ids([error]), error.level) == (["E025"], 40)
    assert repr(sender) in error.msg


@pytest.mark.parametrize("sender", ['"Club: Members" <office@club.example>', "Club e.V. <office@club.example>"])
def test_sender_that_is_one_mailbox_passes(settings, sender):
    settings.DEFAULT_FROM_EMAIL = sender

    assert ours() == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("post_office", "django-post-office"),
        ("mailer.backend", "django-mailer"),
        ("djcelery_email", "django-celery-email"),
    ],
)
def test_queue_of_the_sites_own_is_named_since_it_stores_links(settings, monkeypatch, module, name):
    found = ModuleType(module)
    found.EmailBackend = type("EmailBackend", (BaseEmailBackend,), {"__module__": module})
    monkeypatch.setitem(sys.modules, module.partition(".")[0], found)
    monkeypatch.setitem(sys.modules, module, found)
    use_backend(settings, f"{module}.EmailBackend")

    (warning,) = ours()

    assert (ids([warning]), name in warning.msg) == (["W015"], True)


def test_smtp_passes_with_a_timeout_or_without(settings):
    """Without one, ours holds."""
    use_backend(settings, "django.core.mail.backends.smtp.EmailBackend", timeout=None)

    assert ours() == []


@pytest.mark.parametrize("service", ["amazon_ses", "brevo", "mailtrap", "postal", "resend", "scaleway"])
def test_click_tracking_that_only_the_service_can_switch_off_is_named_with_the_place(settings, service):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    use_backend(settings, f"anymail.backends.{service}.EmailBackend")

    (warning,) = ours()

    assert ids([warning]) == ["W008"]
    assert "click tracking is off in" in warning.hint


def test_service_that_could_report_and_has_no_address_is_mentioned(settings):
    use_backend(settings, POSTMARK)

    (info,) = ours()

    assert ids([info]) == ["I001"]
    assert not info.is_serious()
    assert 'include("anymail.urls")' in info.hint


def test_service_that_reports_passes(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    use_backend(settings, POSTMARK)

    assert ours() == []


def test_webhook_open_to_anybody_is_an_error_before_deployment(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    settings.ANYMAIL = {}
    use_backend(settings, POSTMARK)
    everyday = ours()

    (error,) = deployed()

    assert everyday == []
    assert (ids([error]), error.is_serious()) == (["E024"], True)
    assert "/anymail/postmark/tracking/" in error.msg
    assert "WEBHOOK_SECRET" in error.hint


@pytest.mark.parametrize("way", ["ANYMAIL", "ANYMAIL_WEBHOOK_SECRET"])
def test_webhook_with_a_secret_passes(settings, way):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:password"} if way == "ANYMAIL" else {}
    if way != "ANYMAIL":
        settings.ANYMAIL_WEBHOOK_SECRET = "user:password"
    use_backend(settings, POSTMARK)

    assert deployed() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("USE_X_FORWARDED_HOST", True), ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"))],
)
def test_proxy_whose_visitors_all_look_alike_is_named(settings, name, value):
    setattr(settings, name, value)

    (warning,) = ours()
    settings.WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES = 1

    assert ids([warning]) == ["W011"]
    assert "WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES" in warning.hint
    assert ours() == []


@pytest.mark.parametrize(
    ("networks", "found"),
    [
        (["127.0.0.1"] * 20, ["W019"]),
        (["unknown"] * 10 + ["172.18.0.3"] * 10, ["W019"]),
        (["127.0.0.1"] * 19, []),
        (["127.0.0.1"] * 20 + ["192.0.2.7"], []),
    ],
)
def test_requests_that_all_come_from_private_addresses_are_named(member, networks, found):
    for number, network in enumerate(networks):
        resets.request(f"person{number}@members.example", network=network, site=None, language="en")

    assert [each for each in ids(in_database()) if each == "W019"] == found


def test_site_that_takes_any_password_is_told_before_deployment(settings):
    settings.AUTH_PASSWORD_VALIDATORS = []

    assert ids(deployed()) == ["W012"]
    assert ours() == []


def test_links_over_plain_http_are_named_where_the_site_is_live(settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = "http://club.example"

    (warning,) = ours()
    settings.DEBUG = True

    assert ids([warning]) == ["W009"]
    assert 'WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"' in warning.hint
    assert ours() == []


@pytest.mark.parametrize(
    "base",
    ["http://localhost:8000", "https://localhost", "http://127.0.0.1", "http://0.0.0.0:8000", "https://example.com"],
)
def test_developers_address_in_the_setting_is_named_before_deployment_alone(settings, base):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = base

    (warning,) = deployed()

    assert ids([warning]) == ["W004"]
    assert f"lead to {base}," in warning.msg
    assert ours() == []


@pytest.mark.parametrize("sender", ["webmaster@localhost", "Club <office@example.com>"])
def test_sender_whose_host_is_nobodys_is_named_before_deployment_alone(settings, sender):
    settings.DEFAULT_FROM_EMAIL = sender

    (warning,) = deployed()

    assert ids([warning]) == ["W034"]
    assert sender in warning.msg
    assert ours() == []


def test_no_check_of_the_mail_opens_a_connection(settings):
    use_backend(settings, "tests.test_checks.Unopenable")

    assert ours() == []


class Unopenable:
    def __init__(self, *args, **kwargs):
        raise AssertionError("a check made a connection")
