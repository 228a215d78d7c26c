"""What staff's clicks do, by fetch and by page, and what they never do."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import PasswordReset, Reason, ResetEmail, State

from .pages import FETCH, LINK, SENT, edit_url, history, panel_html, rows, url, words

EVERY_VIEW = ["panel", "history", "send", "revoke", "correct", "reveal", "copied"]
ASKED = {
    "send": "GET",
    "revoke": "GET",
    "correct": "GET",
    "panel": "GET",
    "history": "GET",
    "reveal": "POST",
    "copied": "POST",
}


def token_of(reset):
    return resets.link(reset).rstrip("/").rpartition("/")[2]


def call(client, name, person, method="POST", data=None, **options):
    return getattr(client, method.lower())(url(name, person), data or {}, **options)


@pytest.fixture(params=["fetch", "page"])
def way(request):
    """Each answer comes both to the controller's fetch and to a plain request."""
    return FETCH if request.param == "fetch" else {}


# A fetch is answered with the panel, and so with the link.
SHOWN_BY_THE_ANSWER = {True: ["show"], False: []}


# Asking


def test_question_changes_nothing(office_client, member, way):
    before = rows(), history(member)

    answer = call(office_client, "send", member, "GET", **way)

    assert "Send a password reset to Mia?" in words(answer.content.decode())
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("name", ["send", "revoke", "correct"])
def test_question_about_a_live_link_changes_nothing_and_shows_no_link(office_client, sent, member, way, name):
    sent()
    before = rows(), history(member)

    page = call(office_client, name, member, "GET", **way).content.decode()

    assert (rows(), history(member)) == before
    assert LINK.search(page) is None


def test_question_says_what_a_first_send_does(office_client, member):
    page = call(office_client, "send", member, "GET").content.decode()

    assert "An email with a personal link goes to mia@members.example. The link works for 1 week." in words(page)
    assert re.findall(r'name="effect" value="(\w+)"', page) == ["new_link"]


def test_question_says_that_the_link_stays_the_same(office_client, sent, member):
    sent()

    page = call(office_client, "send", member, "GET").content.decode()

    assert "An email with the same link again goes to mia@members.example. The link works until" in words(page)
    assert "If somebody else may have seen it, send a new link instead: the link of" in words(page)
    assert re.findall(r'name="effect" value="(\w+)"', page) == ["same_link", "replaces"]


def test_question_says_that_a_new_link_ends_the_earlier_one(office_client, sent, member, time_machine):
    sent()
    time_machine.move_to(timezone.now() + timedelta(hours=17), tick=False)

    page = call(office_client, "send", member, "GET").content.decode()

    assert "An email with a new link goes to mia@members.example. The link of" in words(page)
    assert re.findall(r'name="effect" value="(\w+)"', page) == ["replaces"]


def test_question_to_an_account_that_cannot_be_sent_one_offers_no_answer_but_back(office_client, way):
    person = make_person("Ivy", is_active=False)

    page = call(office_client, "send", person, "GET", **way).content.decode()

    assert "Ivy’s account is not active, so no reset can be sent." in words(page)
    assert ('name="effect"' in page, "Back" in page) == (False, True)


def test_question_to_cancel_names_the_link(office_client, sent, member, way):
    reset = sent()

    page = call(office_client, "revoke", member, "GET", **way).content.decode()

    assert "Cancel Mia’s link?" in words(page)
    assert "stops working at once. The password stays as it is." in words(page)
    assert re.findall(r'name="reset" value="(\w+)"', page) == [str(reset.pk)]


def test_question_to_cancel_what_has_ended_says_so(office_client, office, sent, member, way):
    resets.revoke(sent(), by=office)

    page = call(office_client, "revoke", member, "GET", **way).content.decode()

    assert "There is no link to cancel: it has ended already." in words(page)
    assert 'name="reset"' not in page


def test_question_as_a_page_is_a_form_and_by_fetch_is_none(office_client, member):
    page = call(office_client, "send", member, "GET").content.decode()
    fragment = call(office_client, "send", member, "GET", **FETCH).content.decode()

    assert ("<html" in page, page.count("csrfmiddlewaretoken")) == (True, 1)
    assert ("<html" in fragment, "<form" in fragment, "csrfmiddlewaretoken" in fragment) == (False, False, False)


# Sending


def test_send_writes_one_mail_and_one_line_of_history(office_client, office, member, mailoutbox, way):
    call(office_client, "send", member, data={"effect": "new_link"}, **way)
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert history(member) == ["send", *SHOWN_BY_THE_ANSWER[bool(way)]]
    assert ModelLogEntry.objects.get(action="wagtail_member_reset.send").user == office
    assert PasswordReset.objects.get().issued_by == office


def test_send_answers_a_fetch_with_the_new_panel(office_client, member):
    fragment = call(office_client, "send", member, data={"effect": "new_link"}, **FETCH).content.decode()

    assert SENT in words(fragment)
    assert resets.link(PasswordReset.objects.get()) in fragment
    assert "<html" not in fragment
    assert "data-member-reset-focus" in fragment


def test_send_leads_a_plain_request_back_to_the_tab(office_client, member):
    answer = call(office_client, "send", member, data={"effect": "new_link"})

    assert (answer.status_code, answer["Location"]) == (302, edit_url(member) + "#tab-settings")


def test_staff_who_may_send_but_not_change_are_led_to_the_help_desks_page(enter, office, member):
    office.groups.get().permissions.remove(*office.groups.get().permissions.filter(codename__startswith="change_"))

    answer = call(enter(office), "send", member, data={"effect": "new_link"})

    assert (answer.status_code, answer["Location"]) == (302, url("panel", member))


def test_question_leads_staff_who_may_not_change_back_to_where_they_may_be(enter, office, member):
    office.groups.get().permissions.remove(*office.groups.get().permissions.filter(codename__startswith="change_"))

    page = call(enter(office), "send", member, "GET").content.decode()

    assert edit_url(member) not in page
    assert f'href="{url("panel", member)}" data-action="member-reset#load"' in re.sub(r"\s+", " ", page)


def test_send_within_the_window_mails_the_same_link(office_client, sent, member, mailoutbox):
    link = resets.link(sent())

    call(office_client, "send", member, data={"effect": "same_link"})
    outbox.drain()

    assert [link in mail.body for mail in mailoutbox] == [True, True]
    assert history(member) == ["send", "resend"]


def test_replace_within_the_window_ends_the_earlier_link(office_client, sent, member, mailoutbox, way):
    old = sent()
    link = resets.link(old)

    call(office_client, "send", member, data={"effect": "replaces"}, **way)
    outbox.drain()

    old.refresh_from_db()
    assert (old.state, old.reason) == (State.SUPERSEDED, Reason.NEWER_LINK)
    assert [link in mail.body for mail in mailoutbox] == [True, False]
    assert history(member) == ["send", "replace", *SHOWN_BY_THE_ANSWER[bool(way)]]


def test_send_past_the_window_mails_a_new_link_and_ends_the_earlier_one(
    office_client, sent, member, mailoutbox, time_machine
):
    old = sent()
    link = resets.link(old)
    time_machine.move_to(timezone.now() + timedelta(hours=17), tick=False)

    call(office_client, "send", member, data={"effect": "replaces"})
    outbox.drain()

    old.refresh_from_db()
    assert old.state == State.SUPERSEDED
    assert [link in mail.body for mail in mailoutbox] == [True, False]


@pytest.mark.parametrize("answer", ["new_link", "", None, "gift", "x" * 65536])
def test_answer_to_another_question_asks_again_and_changes_nothing(office_client, sent, member, way, answer):
    sent()
    before = rows(), history(member)

    page = call(office_client, "send", member, data={} if answer is None else {"effect": answer}, **way)

    assert "Something has changed since you were asked, so nothing was done." in words(page.content.decode())
    assert re.findall(r'name="effect" value="(\w+)"', page.content.decode()) == ["same_link", "replaces"]
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("answer", ["same_link", "replaces"])
def test_answer_about_a_link_that_is_gone_asks_again(office_client, office, sent, member, way, answer):
    resets.revoke(sent(), by=office)
    before = rows(), history(member)

    page = call(office_client, "send", member, data={"effect": answer}, **way).content.decode()

    assert "Something has changed since you were asked" in words(page)
    assert re.findall(r'name="effect" value="(\w+)"', page) == ["new_link"]
    assert (rows(), history(member)) == before


def test_send_to_an_account_that_was_deactivated_meanwhile_sends_nothing(office_client, member):
    get_user_model()._base_manager.filter(pk=member.pk).update(is_active=False)

    page = call(office_client, "send", member, data={"effect": "new_link"}, **FETCH).content.decode()

    assert "Mia’s account is not active, so no reset can be sent." in words(page)
    assert (PasswordReset.objects.count(), ResetEmail.objects.count(), history(member)) == (0, 0, [])


def test_address_in_the_request_is_not_looked_at(office_client, member, mailoutbox):
    call(office_client, "send", member, data={"effect": "new_link", "email": "evil@x.example", "to": "evil@x.example"})
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_host_of_the_request_is_not_in_the_link(office_client, member):
    call(office_client, "send", member, data={"effect": "new_link"}, headers={"host": "evil.example"})

    page = panel_html(office_client, member)
    assert LINK.search(page)[0].startswith("https://club.example/")


# Cancelling


def test_cancel_ends_the_link_that_was_asked_about(office_client, sent, member, way):
    reset = sent()

    call(office_client, "revoke", member, data={"reset": reset.pk}, **way)

    reset.refresh_from_db()
    assert (reset.state, reset.reason, reset.nonce) == (State.REVOKED, Reason.STAFF, None)
    assert history(member) == ["send", "revoke"]


def test_cancel_leaves_a_newer_link_alone(office_client, office, sent, member, way):
    old = sent()
    resets.rotate(member, by=office)
    panel_html(office_client, member)
    before = rows(), history(member)

    call(office_client, "revoke", member, data={"reset": old.pk}, **way)

    assert (rows(), history(member)) == before


def test_cancel_of_another_members_link_changes_nothing(office_client, sent, member, way):
    other = make_person("Nils", password="other password 1")
    sent()
    theirs = sent(other)
    panel_html(office_client, member)
    before = rows(), history(other)

    call(office_client, "revoke", member, data={"reset": theirs.pk}, **way)

    assert (rows(), history(other)) == before


def test_second_cancel_changes_nothing(office_client, sent, member):
    reset = sent()
    call(office_client, "revoke", member, data={"reset": reset.pk})
    before = rows(), history(member)

    answer = call(office_client, "revoke", member, data={"reset": reset.pk})

    assert answer.status_code == 302
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("asked", ["", "0", "-1", "None", "9" * 65536, "x" * 65536])
def test_cancel_of_no_link_changes_nothing(office_client, sent, member, way, asked):
    sent()
    panel_html(office_client, member)
    before = rows(), history(member)

    answer = call(office_client, "revoke", member, data={"reset": asked}, **way)

    assert answer.status_code in (200, 302)
    assert (rows(), history(member)) == before


def test_look_ends_the_link_of_an_account_that_can_no_longer_be_reset(office_client, sent, member, settings):
    reset = sent()
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False

    page = panel_html(office_client, member)

    reset.refresh_from_db()
    assert (reset.state, reset.reason) == (State.REVOKED, Reason.NOT_ALLOWED)
    assert ("Send again" in page, "Cancel link" in page, LINK.search(page)) == (False, False, None)


# Showing and copying


@pytest.fixture
def hidden_link(sent, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    return sent()


def test_hidden_link_is_on_no_page_before_it_is_asked_for(office_client, hidden_link, member):
    pages = [
        office_client.get(edit_url(member)),
        call(office_client, "panel", member, "GET", **FETCH),
        call(office_client, "send", member, "GET"),
        call(office_client, "revoke", member, "GET"),
        call(office_client, "send", member, data={"effect": "same_link"}, **FETCH),
    ]

    assert [LINK.search(page.content.decode()) for page in pages] == [None] * 5
    assert "Show link" in pages[0].content.decode()
    assert PasswordReset.objects.get().shown_at is None


def test_hidden_link_is_shown_on_request_and_that_is_logged(office_client, office, hidden_link, member, way):
    page = call(office_client, "reveal", member, **way).content.decode()

    assert resets.link(hidden_link) in page
    assert history(member) == ["send", "show"]
    assert ModelLogEntry.objects.get(action="wagtail_member_reset.show").user == office
    assert PasswordReset.objects.get().shown_at is not None


def test_shown_link_is_hidden_again_on_the_next_page(office_client, hidden_link, member):
    call(office_client, "reveal", member)

    assert LINK.search(office_client.get(edit_url(member)).content.decode()) is None


@pytest.mark.parametrize("atomic", [False, True])
def test_link_that_cannot_be_logged_is_not_shown(enter, office, hidden_link, member, monkeypatch, atomic):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", atomic)
    client = enter(office, raise_request_exception=False)

    def refuse(**kwargs):
        raise RuntimeError("the log is full")

    pre_save.connect(refuse, sender=ModelLogEntry)
    try:
        answer = call(client, "reveal", member, **FETCH)
    finally:
        pre_save.disconnect(refuse, sender=ModelLogEntry)

    assert answer.status_code == 500
    assert LINK.search(answer.content.decode()) is None
    assert PasswordReset.objects.get().shown_at is None


def test_nothing_is_logged_as_shown_when_there_is_nothing_to_show(office_client, hidden_link, member, time_machine):
    time_machine.move_to(timezone.now() + timedelta(hours=17), tick=False)

    page = call(office_client, "reveal", member).content.decode()

    assert LINK.search(page) is None
    assert history(member) == ["send"]


def test_nothing_is_logged_as_shown_for_a_link_that_ended(office_client, office, hidden_link, member):
    resets.revoke(hidden_link, by=office)

    call(office_client, "reveal", member)

    assert history(member) == ["send", "revoke"]


def test_link_that_is_never_shown_is_nowhere(enter, office, admin, sent, member, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "never"
    sent()

    for person in (office, admin):
        client = enter(person)
        pages = [client.get(edit_url(member)), call(client, "panel", member, "GET", **FETCH)]
        pages += [call(client, "send", member, data={"effect": "same_link"}, **FETCH)]
        assert [LINK.search(page.content.decode()) for page in pages] == [None] * 3
        assert "Show link" not in pages[0].content.decode()
        assert SENT in pages[0].content.decode()
        assert call(client, "reveal", member, **FETCH).status_code == 403
        assert call(client, "copied", member, **FETCH).status_code == 403


def test_copy_is_noted_once_for_each_viewer_and_link(office_client, sent, member, way):
    reset = sent()

    first = call(office_client, "copied", member, data={"reset": reset.pk}, **way)
    copied_at = PasswordReset.objects.get().copied_at
    for _click in range(3):
        call(office_client, "copied", member, data={"reset": reset.pk}, **way)

    assert (first.status_code, first.content) == (204, b"")
    assert copied_at is not None
    assert PasswordReset.objects.get().copied_at == copied_at
    assert history(member) == ["send", "show", "copy"]


@pytest.mark.parametrize("asked", ["", "0", "nonsense", "9" * 65536])
def test_copy_of_no_link_is_not_noted(office_client, sent, member, asked):
    sent()
    before = rows(), history(member)

    answer = call(office_client, "copied", member, data={"reset": asked})

    assert answer.status_code == 204
    assert (rows(), history(member)) == before


def test_copying_and_looking_change_no_link(office_client, sent, member):
    reset = sent()
    link = resets.link(reset)

    panel_html(office_client, member)
    call(office_client, "copied", member, data={"reset": reset.pk})
    call(office_client, "reveal", member)

    after = PasswordReset.objects.get()
    assert resets.link(after) == link
    assert (after.issued_at, after.expires_at) == (reset.issued_at, reset.expires_at)


# The panel by itself


def test_panel_leads_a_plain_request_to_the_tab(office_client, member):
    answer = call(office_client, "panel", member, "GET")

    assert (answer.status_code, answer["Location"]) == (302, edit_url(member) + "#tab-settings")


# Doors


@pytest.mark.parametrize("name", ["reveal", "copied"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_a_post_shows_or_notes(office_client, sent, member, name, method):
    sent()
    before = rows(), history(member)

    answer = call(office_client, name, member, method)

    # Who had to sign in again after the click comes with a GET, and is led to the panel.
    is_led_on = name == "reveal" and method in ("GET", "HEAD")
    assert answer.status_code == (302 if is_led_on else 405)
    assert (rows(), history(member)) == before


@pytest.mark.parametrize(
    ("name", "method"),
    [("panel", "POST"), ("history", "POST"), ("send", "PUT"), ("revoke", "DELETE"), ("correct", "PUT")],
)
def test_other_methods_are_refused(office_client, sent, member, name, method):
    sent()
    before = rows(), history(member)

    assert call(office_client, name, member, method).status_code == 405
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("name", ["send", "revoke", "correct"])
def test_head_changes_nothing(office_client, sent, member, name):
    sent()
    before = rows(), history(member)

    assert call(office_client, name, member, "HEAD").status_code == 200
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("name", ["send", "revoke", "correct", "reveal", "copied"])
def test_post_without_the_csrf_token_is_refused(enter, office, sent, member, name, way):
    reset = sent()
    client = enter(office, enforce_csrf_checks=True)
    before = rows(), history(member)

    answer = call(client, name, member, data={"effect": "replaces", "reset": reset.pk}, **way)

    assert answer.status_code == 403
    assert (rows(), history(member)) == before


def test_token_of_the_confirmation_page_is_accepted(enter, office, member):
    client = enter(office, enforce_csrf_checks=True)
    page = call(client, "send", member, "GET").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]

    call(client, "send", member, data={"effect": "new_link", "csrfmiddlewaretoken": token})

    assert history(member) == ["send"]


def test_token_of_the_edit_form_is_accepted_in_the_header(enter, office, member):
    client = enter(office, enforce_csrf_checks=True)
    page = client.get(edit_url(member)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]

    headers = {**FETCH["headers"], "x-csrftoken": token}
    answer = call(client, "send", member, data={"effect": "new_link"}, headers=headers)

    assert (answer.status_code, history(member)) == (200, ["send", "show"])


@pytest.mark.parametrize("name", EVERY_VIEW)
def test_visitor_is_led_to_the_login(client, sent, member, name):
    sent()
    before = rows(), history(member)

    answers = [call(client, name, member, method) for method in ("GET", "POST")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert all(answer["Location"].startswith(reverse("wagtailadmin_login")) for answer in answers)
    assert [call(client, name, member, method, **FETCH).status_code for method in ("GET", "POST")] == [403, 403]
    assert (rows(), history(member)) == before


ODD_IDS = [
    "0",
    "-1",
    "999999999",
    "9" * 30,
    "9" * 5000,
    "1.5",
    "1e3",
    "abc",
    "%00",
    "_2F",
    "None",
    "%F0%9F%98%80",
    "0193b0a2-7f3c-7a11-8f00-6d1f0e5f2a77",
    "0193b0a2-7f3c-7a11-8f00-6d1f0e5f2a7",
    "' OR 1=1 --",
    "..",
]


@pytest.mark.parametrize("name", EVERY_VIEW)
def test_id_that_is_nobodys_is_not_found(office_client, member, name):
    pattern = url(name, member).replace(f"/{member.pk}/", "/{}/")

    for pk in ODD_IDS:
        for method in ("get", "post"):
            answer = getattr(office_client, method)(pattern.format(pk), {"effect": "new_link"}, **FETCH)
            is_allowed = name in ("send", "revoke", "correct", "reveal") or ASKED[name] == method.upper()
            assert (pk, answer.status_code) == (pk, 404 if is_allowed else 405)


# What may hold a link is kept nowhere


@pytest.mark.parametrize(("name", "method"), [*ASKED.items(), ("send", "POST"), ("revoke", "POST")])
def test_no_answer_is_kept_or_framed(office_client, sent, member, name, method, way):
    reset = sent()

    answer = call(office_client, name, member, method, data={"effect": "same_link", "reset": reset.pk}, **way)

    assert {"no-store", "no-cache", "private"} <= set(answer["Cache-Control"].replace(" ", "").split(","))
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_edit_page_is_not_kept_or_framed(office_client, sent, member):
    sent()

    answer = office_client.get(edit_url(member))

    assert {"no-store", "no-cache", "private"} <= set(answer["Cache-Control"].replace(" ", "").split(","))
    assert answer["X-Frame-Options"] in ("DENY", "SAMEORIGIN")


@pytest.mark.slow
def test_token_is_in_no_session_cookie_log_or_statement(office_client, office, member, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = set()

    with CaptureQueriesContext(connection) as queries:
        for effect in ("new_link", "same_link", "replaces"):
            call(office_client, "send", member, data={"effect": effect})
            outbox.drain()
            tokens.add(token_of(PasswordReset.objects.get(active_for=member)))
            office_client.get(edit_url(member))
            call(office_client, "reveal", member)
            call(office_client, "copied", member, data={"reset": PasswordReset.objects.get(active_for=member).pk})
        call(office_client, "revoke", member, data={"reset": PasswordReset.objects.get(active_for=member).pk})

    kept = [caplog.text, str(office_client.cookies), str(dict(office_client.session))]
    kept += [str(list(ModelLogEntry.objects.values())), str(rows())]
    kept += [query["sql"] for query in queries]
    secrets = [token[12:38] for token in tokens]
    assert len(tokens) == 2
    assert [secret for secret in secrets if any(secret in text for text in kept)] == []


# With a transaction around each request


@pytest.fixture
def atomic_requests(monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


def test_refusal_stays_in_the_log_although_the_request_fails(enter, office, admin, atomic_requests):
    answer = call(enter(office), "send", admin, data={"effect": "new_link"}, **FETCH)

    assert (answer.status_code, history(admin), PasswordReset.objects.count()) == (403, ["refuse"], 0)


def test_send_works_within_a_transaction_per_request(office_client, member, mailoutbox, atomic_requests):
    call(office_client, "send", member, data={"effect": "new_link"})
    outbox.drain()

    assert (history(member), len(mailoutbox)) == (["send"], 1)


def test_link_that_nobody_saw_is_not_noted_as_shown(office_client, member):
    call(office_client, "send", member, data={"effect": "new_link"})

    assert PasswordReset.objects.get().shown_at is None
