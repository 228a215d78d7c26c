"""The tables of the reference have what there is, and the figures are those of the commands' output."""

import re
import warnings
from importlib import import_module

import pytest
from anymail import urls as anymail_urls
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, load_command_class

from tests.settings import ROOT
from wagtail_member_reset.checks.settings import SETTINGS
from wagtail_member_reset.conf import PREFIX
from wagtail_member_reset.models import PasswordReset
from wagtail_member_reset.reports import services

DOCS = ROOT / "docs"
COMMANDS = (
    "deliver_member_resets",
    "purge_member_resets",
    "send_member_resets",
    "export_member_resets",
    "erase_member_resets",
)


def page(name):
    return (DOCS / f"{name}.md").read_text("utf-8")


def rows(text):
    """The cells of each line of a table."""
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def test_each_setting_has_a_section_and_no_other():
    named = re.findall(rf"^### `{PREFIX}(\w+)`$", page("reference/settings"), re.MULTILINE)

    assert sorted(named) == sorted(SETTINGS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_and_each_option_of_its_own_is_named(name):
    section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", page("reference/commands"), re.MULTILINE | re.DOTALL)[1]
    parser = load_command_class("wagtail_member_reset", name).create_parser("manage.py", name)
    djangos = BaseCommand().create_parser("manage.py", name)._actions
    own = {action.option_strings[-1] for action in parser._actions if action.option_strings}
    own -= {option for action in djangos for option in action.option_strings}

    assert own <= set(re.findall(r"--[a-z][\w-]+", section))
    assert set(re.findall(r"--[a-z][\w-]+", section)) <= own


def test_each_permission_is_named_as_the_group_editor_names_it():
    first = {cells[0] for cells in rows(page("reference/permissions"))}

    assert {words for _name, words in PasswordReset._meta.permissions} <= first


# Mail services.


def services_of(heading):
    table = page("how-to/mail-services").partition(heading)[2].partition("\n\n## ")[0]
    return {cells[0]: cells[1:] for cells in rows(table) if cells[0] in services.SERVICES}


def test_each_service_is_named_with_the_backend_that_sends_over_it():
    found = services_of("## Send through the service")

    assert set(found) == {service.name for service in services.ANYMAILS}
    for name, (backend, _needs) in found.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = import_module(f"anymail.backends.{backend.strip('`')}")
        assert module.EmailBackend.esp_name == name


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
def test_what_a_backend_needs_is_what_the_page_says(settings):
    for name, (module, needs) in services_of("## Send through the service").items():
        keys = re.findall(r"`([A-Z_]+)`", needs)
        backend = import_module(f"anymail.backends.{module.strip('`')}").EmailBackend
        if name == "Amazon SES":  # boto3 looks for it
            continue
        settings.ANYMAIL = dict.fromkeys(keys, "https://words.example")
        backend()
        for key in keys:
            settings.ANYMAIL = dict.fromkeys(set(keys) - {key}, "https://words.example")
            with pytest.raises(ImproperlyConfigured):
                backend()


def test_each_service_that_reports_is_named_with_the_address_that_it_calls():
    found = services_of("## Have the service report")
    addresses = {str(each.pattern) for each in anymail_urls.urlpatterns}

    assert set(found) == {service.name for service in services.ANYMAILS if service.webhook}
    for address, _known_by, _reports in found.values():
        assert re.match(r"`([\w/]+)`", address)[1] in addresses
    assert f"{len(found)} mail services" in (ROOT / "README.md").read_text("utf-8")


# Figures.


def test_figures_of_the_score_are_those_of_its_output():
    output = (DOCS / "score.txt").read_text("utf-8")
    table = page("explanation/figures").partition("## How it holds up")[2].partition("**Time**")[0]
    measured = re.findall(r"([\d.]+) \(([\d.]+)–([\d.]+)\)", table)
    races = re.findall(r"(\d+) of (50|500) ", table)

    assert len(measured) == 12
    assert all(f"AUC {value} ({least} to {most})" in output for value, least, most in measured)
    for lost, rounds in races:
        assert re.search(rf"n = {rounds} rounds of 16 threads\n +{lost} rounds without exactly one winner", output)


def test_readme_quotes_the_figures_of_the_page():
    readme = (ROOT / "README.md").read_text("utf-8")
    figures = page("explanation/figures")
    [ours, djangos] = re.search(r"AUC ([\d.]+), .*?([\d.]+)\)\.", readme, re.DOTALL).groups()

    assert f"stranger (0.5 is guessing) | {ours} (0.486–0.512) | {djangos} " in figures
    assert "0.486–0.512" in readme
    assert "500 races" in readme
    assert "| 0 of 500 | 33 of 50 |" in figures
    assert "33 of\n50" in readme


def test_page_says_what_the_bench_says():
    output = (DOCS / "bench.txt").read_text("utf-8").splitlines()[-1]

    assert (
        re.match(r"(\d+) goals: (\d+) met, 1 NOT met, 1 inconclusive", output).groups()
        == re.search(r"Of (\d+) goals, that run met (\d+)", page("explanation/figures")).groups()
    )
