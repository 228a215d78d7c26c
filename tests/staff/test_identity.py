"""The question how staff checked who is asking: off, optional or required."""

import pytest
from wagtail.models import ModelLogEntry

from wagtail_member_reset import resets

from .pages import FETCH, LINK, history, panel_html, panel_words, rows, url, words

FIELD = "member-reset-identity"
QUESTION = "How did you check that this is Mia?"
ASKED = {
    "reveal": {},
    "hand_out": {"effect": "same_link"},
    "correct": {"member-reset-email": "mia@new.example"},
}


@pytest.fixture
def required(settings):
    settings.WAGTAIL_MEMBER_RESET_IDENTITY_CHECK = "required"


@pytest.mark.parametrize("name", ASKED)
def test_required_answer_stands_before_what_it_is_asked_for(office_client, sent, member, required, name):
    sent()
    assert QUESTION in words(office_client.get(url(name, member), **FETCH).content.decode())
    before = rows(), history(member)

    panel = office_client.post(url(name, member), {**ASKED[name], FIELD: " \u200b "}, **FETCH).content.decode()

    assert "Say how you checked it, in a few words. Nothing was done." in words(panel)
    assert (rows(), history(member), LINK.search(panel)) == (*before, None)


@pytest.mark.parametrize("name", ASKED)
def test_answer_is_logged_before_what_it_was_asked_for(office_client, office, sent, member, required, name):
    sent()

    office_client.post(url(name, member), {**ASKED[name], FIELD: "passport\nshown"}, **FETCH)

    entry = ModelLogEntry.objects.get(action="wagtail_member_reset.check")
    assert (entry.user, entry.data, entry.message) == (
        office,
        {"answer": "passport shown"},
        "Identity checked: passport shown",
    )
    assert history(member)[1] == "check"
    assert len(history(member)) > 2


def test_link_waits_for_the_question_and_not_in_the_page(office_client, sent, member, required):
    sent()

    panel = panel_html(office_client, member)

    assert (LINK.search(panel), "Show link" in panel, history(member)) == (None, True, ["send"])
    assert LINK.search(office_client.post(url("reveal", member), {FIELD: "called back"}, **FETCH).content.decode())


def test_claim_to_have_copied_it_brings_no_link_before_the_question(office_client, sent, member, required):
    reset = sent()
    before = rows(), history(member)

    office_client.post(url("copied", member), {"reset": reset.pk}, **FETCH)
    panel = office_client.get(url("panel", member), {"seen": "x", "shown": reset.pk}, **FETCH).content.decode()

    assert (LINK.search(panel), rows(), history(member)) == (None, *before)


@pytest.mark.parametrize("name", ["hand_out", "correct"])
def test_answer_to_what_is_then_refused_fills_no_log(office_client, sent, member, required, settings, name):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "1/d", "person": "1/d"}
    sent()
    if name == "hand_out":
        office_client.post(url(name, member), {"effect": "new_link", FIELD: "passport"}, **FETCH)
    before = history(member).count("check")

    for number in range(5):
        asked = {"effect": "new_link", "member-reset-email": f"mia{number}@new.example", FIELD: "passport"}
        office_client.post(url(name, member), asked, **FETCH)

    assert history(member).count("check") == before


def test_answer_is_bounded_and_holds_no_link(office_client, sent, member, required):
    reset = sent()
    office_client.post(url("reveal", member), {FIELD: f"{resets.link(reset)} " + "x" * 5000}, **FETCH)

    answer = ModelLogEntry.objects.get(action="wagtail_member_reset.check").data["answer"]
    assert (LINK.search(answer), len(answer) <= 150, reset.selector in answer) == (None, True, False)


def test_optional_answer_may_be_left_out(office_client, sent, member, settings):
    settings.WAGTAIL_MEMBER_RESET_IDENTITY_CHECK = "optional"
    sent()
    assert "(optional)" in words(office_client.get(url("reveal", member)).content.decode())

    assert LINK.search(office_client.post(url("reveal", member), {}, **FETCH).content.decode())

    assert history(member) == ["send", "show"]


def test_nothing_is_asked_by_default(office_client, sent, member):
    sent()

    assert LINK.search(panel_html(office_client, member))
    assert QUESTION not in words(office_client.get(url("correct", member), **FETCH).content.decode())
    assert "Show link" not in panel_words(office_client, member)
