"""Nothing that a person reads was written into code or a template: what is, stands outside of all brackets."""

import json
import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from tests import demo
from tests.conftest import make_person
from wagtail_member_reset import models

from . import pseudo

# Of Wagtail's own pages, and of the demo: what Wagtail does not translate, groups, and what is in the table of a test.
NOT_OURS = {"Actions", "Search", "True", "False", "None", "Wagtail", "403 Forbidden"}
DATA = {
    "Harbour Rowing Club",
    "Editors",
    "Moderators",
    "Help desk",
    "Dues",
    "All message recipients were rejected or invalid",
}
DATA |= {"Name", "Email", "Guardian", "Nobody", "Broken", "not an address", "nobody@harbour.example"}
TEXTS = "/admin/snippets/wagtail_member_reset/emailtext/"
WALKED = {
    "/admin/users/edit/N/",
    "/admin/users/new/",
    *[f"{TEXTS}{page}" for page in ("", "add/", "edit/N/", "delete/N/", "history/N/", "unpublish/N/")],
    *[f"{TEXTS}preview/N/{mode}/" for mode in ("html", "dark", "text")],
    *[f"/admin/member-reset-sender/{page}" for page in ("", "new/", "edit/N/", "delete/N/", "history/N/")],
    "/admin/member-reset/N/address/",
    "/admin/member-reset/N/do-not-email/",
    "/admin/member-reset/N/hand-out/",
    "/admin/member-reset/N/history/",
    "/admin/member-reset/N/link/",
    "/admin/member-reset/N/send/",
    "/admin/member-reset/mailings/N/",
    "/admin/member-reset/mailings/N/bounces/",
    "/admin/member-reset/mailings/N/details/",
    "/admin/member-reset/mailings/N/members/",
    "/admin/member-reset/mailings/N/stop/",
    "/admin/member-reset/mailings/new/",
    "/admin/member-reset/needs-help/",
    "/admin/member-reset/needs-help/domains/",
}


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the demo has a database of its own: once is enough")
def test_each_kind_of_page_and_email_of_the_demo_says_nothing_but_messages_and_data(demo_data):
    walked = json.loads(demo.run(demo_data, "-m", "tests.languages.walk"))

    data = sorted({*walked["data"], *DATA, *NOT_OURS} - {""}, key=len, reverse=True)
    known = re.compile(
        "|".join([r"https?://\S+", r"\{\w+\}", *(rf"\b{re.escape(each)}\b" for each in data)]), re.IGNORECASE
    )
    left = {text: where for text, where in walked["left"].items() if pseudo.WORD.search(known.sub("", text))}
    assert left == {}
    assert WALKED - set(walked["noted"]) == set()


def test_text_outside_of_messages_is_found():
    page = '<p title="Seen">⟦All of <b>Mia</b>⟧ and more <input type="submit" value="Go"></p><script>never</script>'

    assert pseudo.Page(page).left == [("p[title]", "Seen"), ("p", "and more"), ("input[value]", "Go")]


OURS = apps.get_app_config("wagtail_member_reset")
# What Wagtail names to staff: in the group editor, in its log and reports, or in a list of its own.
NAMED = [model._meta for model in OURS.get_models() if model._meta.default_permissions or model._meta.permissions]


@pytest.mark.parametrize("named", NAMED, ids=lambda meta: meta.model_name)
def test_names_and_rights_of_what_staff_find_in_wagtail_are_messages(named, monkeypatch):
    pseudo.switch_on(monkeypatch.setattr)

    said = [named.verbose_name, named.verbose_name_plural, OURS.verbose_name]
    assert [str(text) for text in said if not str(text).startswith("⟦")] == []


def test_choices_of_all_rows_are_messages(monkeypatch):
    pseudo.switch_on(monkeypatch.setattr)

    fields = [field for model in OURS.get_models() for field in model._meta.get_fields() if not field.is_relation]
    chosen = {str(field): field.flatchoices for field in fields if field.flatchoices}
    assert len(chosen) > 10
    assert {
        field: labels
        for field, choices in chosen.items()
        if (labels := [str(label) for key, label in choices if key and not str(label).startswith("⟦")])
    } == {}


def test_command_speaks_english_in_one_piece_and_names_the_mailing_for_staff(db, settings, capsys):
    settings.LANGUAGE_CODE = "es"
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish")]
    make_person("Nia", email="")

    call_command("send_member_resets", "--all", "--no-input", "--background")

    said = capsys.readouterr()
    assert "Emails handed over: 0" in said.out
    assert "not mailed: 1: " in said.err and "dirección" not in said.err
    assert "Mailing of" not in models.Mailing.objects.get().name
