"""People and helpers for the whole suite. What only one folder needs stands in that folder."""

import itertools
import os
from math import inf
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.signals import root_urlconf_changed, setting_changed
from django.urls import set_urlconf
from hypothesis import settings as hypothesis

from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.outbox import send, send_many

from . import demo
from .languages import catalogues
from .template_database import copy_instead_of_migrating

# How long an example takes is the machine's affair.
hypothesis.register_profile("suite", deadline=None)
hypothesis.load_profile("suite")
_numbers = itertools.count(1)


HERE = Path(__file__).parent
# What services report and servers answer, what stands in files, long input, how the package is built, score and bench.
SAME_EVERYWHERE = [
    *(HERE / name for name in ("bench", "checks", "docs", "score")),
    *(HERE / "mailing" / "files" / f"test_{name}.py" for name in ("cells", "columns", "formats", "kinds")),
    *(HERE / "reports" / f"test_{name}.py" for name in ("answers", "blame", "subtypes", "verdict")),
    *(HERE / f"test_{name}.py" for name in ("conf", "long_input", "moments", "packaging", "redact", "tokens", "tools")),
    HERE / "languages" / "test_catalogues.py",
    HERE / "outbox" / "test_refusals.py",
]
# Begun first, so that none of them is left to run alone at the end. None empties the suite's database: pytest-django
# runs those that do after all that need its rows.
LONGEST = [
    HERE / name
    for name in (
        "newcomer",
        "race/test_storm.py",
        "test_example_site.py",
        "any_site/test_leave.py",
        "languages/test_hard_coded.py",
    )
]


def pytest_addoption(parser):
    parser.addoption("--one-of-each", choices=("first", "last"), help="of a test with parameters, run one case")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker("slow")
        if any(item.path.is_relative_to(path) for path in SAME_EVERYWHERE):
            item.add_marker("same_everywhere")
    yield
    # Of what the marks have left, or a test would be lost whose first case is a slow one.
    if which := config.getoption("one_of_each"):
        cases = {}
        for item in items:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
        kept = {id(found[0 if which == "first" else -1]) for found in cases.values()}
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
        items[:] = [item for item in items if id(item) in kept]
    items.sort(key=lambda item: not any(item.path.is_relative_to(path) for path in LONGEST))


@pytest.fixture(autouse=True, scope="session")
def quick_flush():
    """
    After each test that commits, Django empties every table: on PostgreSQL by a TRUNCATE of all, which makes two files
    for each anew. Nearly all of them are empty, so that the rest is deleted.
    """
    patch = pytest.MonkeyPatch()
    if connection.vendor == "postgresql":
        patch.setattr(type(connection.ops), "sql_flush", delete_rows)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def what_the_database_can_do(django_db_setup, django_db_blocker):
    """Django's checks of models ask for it once, and tests of checks may not ask a database."""
    with django_db_blocker.unblock():
        return connection.features.supports_json_field


@pytest.fixture(autouse=True, scope="session")
def urls_are_read_once():
    """
    When ROOT_URLCONF changes, Django forgets all addresses. They are kept by their URLconf, so nothing is wrong without
    that, and to read those of Wagtail's admin again takes a tenth of a second.
    """

    def use(*, setting, **_details):
        if setting == "ROOT_URLCONF":
            set_urlconf(None)

    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(use)
    yield
    setting_changed.disconnect(use)
    setting_changed.connect(root_urlconf_changed)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    patch = pytest.MonkeyPatch()
    copy_instead_of_migrating(patch)
    yield
    patch.undo()


@pytest.fixture
def nothing_each_second(monkeypatch, time_machine):
    """
    What a worker does by the clock is left out, and a minute begins, so that a slow machine makes no more statements.
    """
    time_machine.move_to("2026-11-23T12:00:00Z", tick=True)
    monkeypatch.setattr(mailings, "LOOKED_SECONDS", inf)
    for name in ("WRITTEN_SECONDS", "LOOKED_SECONDS", "SINGLES_SECONDS"):
        monkeypatch.setattr(send_many, name, inf)
    for name in ("LOOKED_SECONDS", "FILES_SECONDS"):
        monkeypatch.setattr(send, name, inf)


@pytest.fixture(scope="module")
def demo_data(tmp_path_factory):
    """A folder of a module's own with the demo's data."""
    base, folder = tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("demo")
    demo.seed_once(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base, folder)
    return folder


def delete_rows(operations, style, tables, *, reset_sequences=False, allow_cascade=False):
    names = sorted(map(operations.quote_name, tables))
    asked = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names)
    with operations.connection.cursor() as cursor:
        cursor.execute(asked)
        return [f"DELETE FROM {name}" for (name,) in cursor.fetchall()]


def make_person(name, **fields):
    """An account of whatever user model the run has. Without `password`, it has none that is usable."""
    model = get_user_model()
    fields = {"email": f"{name.lower()}@members.example", "first_name": name, "last_name": "Sample", **fields}
    if model.USERNAME_FIELD != "email":
        fields.setdefault("username", f"{name.lower()}{next(_numbers)}")
    password = fields.pop("password", None)
    person = model(**fields)
    person.set_password(password)
    person.save()
    return person


def use_backend(settings, path, **options):
    """Set the site's mail backend, in the way that this run's Django has."""
    if hasattr(settings, "MAILERS"):
        if path.endswith(".smtp.EmailBackend"):
            options = {"host": "localhost", **options}
        settings.MAILERS = {"default": {"BACKEND": path, "OPTIONS": options}}
        return
    settings.EMAIL_BACKEND = path
    for name, value in options.items():
        setattr(settings, f"EMAIL_{name.upper()}", value)


def grant(person, *codenames):
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return person


@pytest.fixture
def languages_of_site(settings):
    """`languages_of_site("en", "pl")`: those of LANGUAGES."""

    def has(*codes):
        settings.LANGUAGES = [(code, code) for code in codes]

    return has


@pytest.fixture
def own_catalogue(settings, tmp_path):
    """`own_catalogue("pl")`: the site has our messages in that language, each in brackets."""

    def has(language, translate=lambda message: f"⟦{message}⟧"):
        catalogues.write(tmp_path, language, translate)
        settings.LOCALE_PATHS = [tmp_path]

    return has


@pytest.fixture
def by_hand(settings):
    """Nothing is sent but by who asks for it."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"


@pytest.fixture
def one_connection(by_hand, settings):
    """The same, one email after another."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1


@pytest.fixture
def member(db):
    return make_person("Mia", password="old password 1")


@pytest.fixture
def imported_member(db):
    """As an import leaves them: no usable password."""
    return make_person("Ida")


@pytest.fixture
def admin(db):
    return make_person("Ana", password="admin password 1", is_superuser=True, is_staff=True)


@pytest.fixture
def office(db):
    """The office account: may manage users and resets, is no superuser."""
    model = get_user_model()._meta.model_name
    person = make_person("Otto", password="office password 1")
    group = Group.objects.create(name="Office")
    wanted = [f"{action}_{model}" for action in ("add", "change", "view", "delete")]
    wanted += ["access_admin", "send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
    group.permissions.add(*Permission.objects.filter(codename__in=wanted))
    person.groups.add(group)
    return person


@pytest.fixture
def sent(member, office, mailoutbox):
    """A reset that went out: `sent()` sends, drains the outbox, and gives the reset."""

    def send(person=None, *, by=office, **details):
        reset = resets.send(person or member, by=by, **details)
        outbox.drain()
        reset.refresh_from_db()
        return reset

    return send
