"""Each block of code in README, CONTRIBUTING and docs does what it says, or at least is what a program takes."""

import argparse
import logging.config
import re
import shlex
import sys
from importlib.util import find_spec
from types import ModuleType

import pytest
import sentry_sdk
from django.core.management import get_commands, load_command_class
from django.template import engines
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver
from django.utils.module_loading import import_string

from tests.conftest import make_person
from wagtail_member_reset import outbox, redact, resets
from wagtail_member_reset.checks.settings import SETTINGS
from wagtail_member_reset.conf import PREFIX, conf
from wagtail_member_reset.models import Origin, PasswordReset, Purpose

from . import blocks

# What is installed beside the suite alone: `.ci/run sites` and `.ci/run engines` run these.
ELSEWHERE = {"allauth", "axes", "django_tasks_db", "django_tasks_rq"}
COMMANDS_ELSEWHERE = {"db_worker", "prune_db_task_results", "rqworker"}
PROGRAMS = {
    "cd",
    "createdb",
    "gunicorn",
    "make",
    "redis-server",
    "source",
    ".ci/run",
    ".ci/tox",
    ".tox/lint/bin/pre-commit",
}


def named(found):
    return [pytest.param(block, id=str(block)) for block in found]


def run(block):
    namespace = {"__name__": "example"}
    exec(compile(block.code, str(block), "exec"), namespace)
    return namespace


def test_each_block_is_of_a_kind_that_is_tried():
    assert {block.language for block in blocks.BLOCKS} <= {"python", "sh", "html", "nginx", "apache", ""}
    # What has no language is a picture of the folders.
    assert [block.page for block in blocks.of("")] == ["CONTRIBUTING.md"]


@pytest.fixture
def modules_of_the_site(monkeypatch):
    """What pages show of a file of the site's own, under the name of that file."""
    for block in blocks.of("python"):
        if found := re.match(r"# (club/members)\.py\n", block.code):
            name = found[1].replace("/", ".")
            module = sys.modules.get(name) or ModuleType(name)
            exec(block.code, module.__dict__)
            monkeypatch.setitem(sys.modules, "club", ModuleType("club"))
            monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def sentry(monkeypatch):
    told = {}
    monkeypatch.setattr(sentry_sdk, "init", lambda **options: told.update(options))
    return told


@pytest.mark.parametrize("block", named(block for block in blocks.of("python") if not block.is_marked))
def test_python_runs_and_its_settings_can_be_used(block, modules_of_the_site, sentry, settings):
    imported = set(re.findall(r"^(?:from|import) (\w+)", block.code, re.MULTILINE))
    if any(name in ELSEWHERE and find_spec(name) is None for name in imported):
        compile(block.code, str(block), "exec")
        return

    found = run(block)

    for name in (name for name in found if name.startswith(PREFIX)):
        assert name.removeprefix(PREFIX) in SETTINGS
        setattr(settings, name, found[name])
        getattr(conf, name.removeprefix(PREFIX))
    for pattern in found.get("urlpatterns", []):
        assert pattern is ... or isinstance(pattern, URLPattern | URLResolver)
        assert not isinstance(pattern, URLResolver) or pattern.url_patterns
    if "EMAIL_BACKEND" in found:
        import_string(found["EMAIL_BACKEND"])
    if "sentry_sdk" in found:
        assert (sentry["before_send"], sentry["before_send_transaction"]) == (redact.without_links,) * 2


def test_logging_of_the_page_has_the_filter():
    [block] = [block for block in blocks.of("python", "docs/how-to/logs") if "LOGGING" in block.code]
    config = run(block)["LOGGING"]

    made = logging.config.DictConfigurator(config).configure_filter(dict(config["filters"]["without_links"]))

    assert isinstance(made, redact.WithoutLinks)
    assert config["handlers"]["file"]["filters"] == ["without_links"]


# The import script.


def test_import_script_welcomes_a_member(db, by_hand, mailoutbox):
    welcome = run(blocks.of("python", "docs/how-to/imports")[0])["welcome"]
    member = make_person("Mia")

    welcome(member)
    outbox.drain()

    assert [email.to for email in mailoutbox] == [["mia@members.example"]]
    reset = PasswordReset.objects.get()
    assert (reset.purpose, reset.origin, member.has_usable_password()) == (Purpose.WELCOME, Origin.IMPORT, False)


def test_each_call_that_the_page_shows_is_one(db, by_hand, mailoutbox, office):
    for_staff = run(blocks.of("python", "docs/how-to/imports")[1])["for_staff"]
    member = make_person("Mia", password="old password 1")

    for_staff(member, office, resets.send(member, by=office))

    member.refresh_from_db()
    assert member.email == "mia@club.example"


# The shell.


def lines(block):
    return [line for line in block.code.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("block", named(blocks.of("sh")))
def test_commands_exist_and_take_their_options(block):
    for line in lines(block):
        words = shlex.split(line.removeprefix("* * * * * "), comments=True)
        if words[:2] == ["python", "manage.py"] or words[0] == "manage.py":
            takes_options(words[words.index("manage.py") + 1 :])
        elif words[:2] == ["pip", "install"]:
            assert any(word.partition("[")[0] == "wagtail-member-reset" for word in words)
        else:
            assert words[0] in PROGRAMS or words[:3] in (["python", "-m", "venv"], ["wagtail", "start", "mysite"])


def takes_options(words):
    name, *options = words
    if name in COMMANDS_ELSEWHERE or name == "runserver":
        return
    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    try:
        command.create_parser("manage.py", name).parse_args(options)
    except (argparse.ArgumentError, SystemExit) as error:
        pytest.fail(f"{name} {options}: {error}")


def test_make_knows_what_pages_tell_people_to_make():
    makefile = (blocks.ROOT / "Makefile").read_text("utf-8")
    known = set(re.findall(r"^(\w+):", makefile, re.MULTILINE))
    told = {name for path in blocks.PAGES for name in re.findall(r"`?\bmake ([a-z]+)\b[`\s]", code_of(path))}

    assert told <= known
    assert {"demo", "test", "docs", "bench", "score"} <= told


def code_of(path):
    """What stands in code on a page."""
    text = path.read_text("utf-8")
    return "\n".join([*re.findall(r"`[^`\n]+`", text), *(block.code for block in blocks.on(path))])


# Templates.


@pytest.mark.parametrize("block", named(block for block in blocks.of("html") if not block.is_marked))
def test_html_is_a_template(block):
    page = engines["django"].from_string(block.code).render({}, RequestFactory().get("/"))

    assert 'href="/account/password-reset/"' in page


# The web server.


def test_web_servers_strip_links_and_nothing_else():
    [nginx], [apache] = blocks.of("nginx"), blocks.of("apache")
    strips = re.compile(re.search(r"~\*(\S+)", nginx.code)[1].replace("(?<", "(?P<"), re.IGNORECASE)
    leaves_out = re.compile(re.search(r'Request_URI "([^"]+)"', apache.code)[1], re.IGNORECASE)

    for before, path in (
        ("/account/r/", "4fhfcnkv3p9f"),
        ("/club/ACCOUNT%2Fr%2f", "4FHF"),
        ("/x?next=/account/r/", "4"),
    ):
        assert strips.match(before + path)["before"] == before
        assert leaves_out.search(before + path)
    for path in ("/account/password-reset/", "/account/", "/"):
        assert not strips.match(path)
        assert not leaves_out.search(path)
