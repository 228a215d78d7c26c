"""A link without an email: for people at the counter, or without an address."""

import sys
from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name
from wagtail.models import Site

from tests.conftest import grant, make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.links import handed_out
from wagtail_member_reset.models import Origin, PasswordReset, ResetEmail, State

from .pages import FETCH, LINK, history, panel_html, panel_words, rows, url, words

OFFER = "Get a link without email"


def ask(client, person, **options):
    return words(client.get(url("hand_out", person), **options).content.decode())


def get(client, person, effect="new_link", **options):
    return client.post(url("hand_out", person), {"effect": effect}, **(options or FETCH)).content.decode()


def test_link_is_shown_and_logged_and_nothing_is_mailed(office_client, member, mailoutbox):
    assert OFFER in panel_words(office_client, member)

    panel = get(office_client, member)

    reset = PasswordReset.objects.get()
    assert resets.link(reset) in panel
    assert (reset.origin, reset.issued_by_id is not None, reset.shown_at is not None) == (Origin.HANDED_OUT, True, True)
    assert history(member) == ["hand_out", "show"]
    assert outbox.drain() is not None
    assert (ResetEmail.objects.count(), mailoutbox) == (0, [])
    said = words(panel)
    assert "A link was made without an email. Nothing was emailed to Mia. The link works until" in said
    assert OFFER not in said
    assert "sent" not in said.split("Personal link")[0]


def test_question_changes_nothing(office_client, member):
    before = rows(), history(member)

    said = ask(office_client, member)

    assert "Get a link for Mia without an email? You are shown a personal link, which works for 1 week." in said
    assert "Nothing is emailed: pass the link on to Mia only." in said
    assert (rows(), history(member)) == before


def test_page_without_the_script_shows_the_link(office_client, member):
    page = office_client.post(url("hand_out", member), {"effect": "new_link"}, secure=False).content.decode()

    assert resets.link(PasswordReset.objects.get()) in page


def test_who_asks_learns_what_becomes_of_the_link_that_is_there(office_client, sent, member, time_machine):
    reset = sent()
    assert "It is still the link of" in ask(office_client, member)
    assert get(office_client, member, "same_link").count(resets.link(reset)) > 0
    assert PasswordReset.objects.count() == 1
    time_machine.move_to(timezone.now() + timedelta(hours=17), tick=False)

    assert "The link of" in ask(office_client, member)
    get(office_client, member, "replaces")

    reset.refresh_from_db()
    assert (reset.state, PasswordReset.objects.live().get().origin) == (State.SUPERSEDED, Origin.HANDED_OUT)


def test_link_that_changed_since_the_question_is_asked_about_again(office_client, sent, member):
    sent()
    before = rows(), history(member)

    panel = words(get(office_client, member, "new_link"))

    assert "Something has changed since you were asked, so nothing was done." in panel
    assert (rows(), history(member)) == before


@pytest.mark.parametrize("case", ["never", "no right to see", "no right to send", "own account", "superuser"])
def test_who_may_not_be_shown_the_link_cannot_get_one(office_client, office, member, settings, case):
    person = member
    if case == "never":
        settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "never"
    elif case == "own account":
        person = office
    elif case == "superuser":
        person = make_person("Sue", is_superuser=True)
    else:
        taken = "view_link_passwordreset" if case == "no right to see" else "send_passwordreset"
        office.groups.get().permissions.remove(*office.groups.get().permissions.filter(codename=taken))
    before = rows()

    answer = office_client.post(url("hand_out", person), {"effect": "new_link"}, **FETCH)

    assert (answer.status_code, LINK.search(answer.content.decode()), rows()) == (403, None, before)
    assert OFFER not in panel_words(office_client, person)
    assert history(person) == ["refuse"]


@pytest.mark.parametrize("effect", ["new_link", "same_link"])
def test_account_that_is_promoted_while_the_link_is_made_gets_none(office_client, sent, member, monkeypatch, effect):
    """An administrator's transaction is committed after the rights were asked, and before the account is locked."""
    if effect == "same_link":
        sent()
    before, lock_first = (rows(), history(member)), handed_out.lock_first

    def promoted_meanwhile(account):
        type(account).objects.filter(pk=account.pk).update(is_superuser=True)
        return lock_first(account)

    monkeypatch.setattr(handed_out, "lock_first", promoted_meanwhile)
    answer = office_client.post(url("hand_out", member), {"effect": effect}, **FETCH).content.decode()

    assert "Something has changed since you were asked, so nothing was done." in words(answer)
    assert (LINK.search(answer), rows(), history(member)) == (None, *before)


def test_who_changed_the_address_gets_no_link_for_a_day(enter, member):
    helper = grant(make_person("Hal"), "access_admin", "send_passwordreset", "view_link_passwordreset")
    client = enter(helper)
    assert OFFER in panel_words(client, member)
    resets.note_address_changed(member, by=helper)
    before = rows()

    answer = client.post(url("hand_out", member), {"effect": "new_link"}, **FETCH)

    assert (answer.status_code, rows()) == (403, before)
    assert OFFER not in panel_words(client, member)


def test_member_without_an_address_gets_in_and_no_email_is_promised(office_client, db, mailoutbox):
    person = make_person("Nia", email="")
    assert "Or get a link without email." in panel_words(office_client, person)
    get(office_client, person)
    token = resets.link(PasswordReset.objects.get()).rstrip("/").rpartition("/")[2]

    resets.redeem(resets.open(token), password="a password of their own 1")
    outbox.drain()

    person.refresh_from_db()
    assert person.check_password("a password of their own 1")
    assert (ResetEmail.objects.count(), mailoutbox) == (0, [])
    assert "Nia has set a password with the last link." in panel_words(office_client, person)


def test_link_ends_when_the_account_gets_an_address(office_client, db):
    person = make_person("Nia", email="")
    get(office_client, person)
    person.email = "nia@members.example"
    person.save()

    said = panel_words(office_client, person)

    assert "The last link ended because the email address was changed." in said
    assert PasswordReset.objects.get().state == State.REVOKED


def test_inactive_account_gets_none(office_client, db):
    person = make_person("Ivy", is_active=False)
    before = rows()

    panel = words(get(office_client, person))

    assert "Ivy’s account is not active, so no reset can be sent." in panel
    assert (rows(), OFFER in panel) == (before, False)


def test_limits_of_staff_hold_for_links_too(office_client, office, member, settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "1/d", "person": "2/d"}
    get(office_client, member)
    before = rows()

    assert "No link was made: staff have made as many links for Mia" in words(get(office_client, member, "replaces"))

    assert rows() == before
    get(office_client, make_person("Ida"))
    assert "No link was made: you have made as many links" in words(get(office_client, make_person("Ike")))


def test_no_link_is_made_where_it_would_lead_nowhere(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    settings.ALLOWED_HOSTS = ["testserver"]
    Site.objects.update(hostname="elsewhere.example")
    before = rows(), history(member)

    panel = words(get(office_client, member))

    assert "No link was made, since this site does not know where links lead." in panel
    assert (rows(), history(member), OFFER in panel) == (*before, False)


def test_link_that_is_mailed_later_is_told_as_both(office_client, office, member, mailoutbox):
    get(office_client, member)
    handed_out = resets.link(PasswordReset.objects.get())

    office_client.post(url("send", member), {"effect": "same_link"}, **FETCH)
    outbox.drain()

    assert handed_out in mailoutbox[0].body
    assert "Reset password email sent." in panel_words(office_client, member)
    told = words(office_client.get(url("history", member), **FETCH).content.decode())
    assert f"Link made by {get_user_display_name(office)}, without an email" in told
    assert f"Sent by email by {get_user_display_name(office)}" in told


def test_handed_out_link_is_what_the_tab_tells_of_after_an_earlier_email(office_client, sent, member):
    reset = sent()
    resets.revoke(reset, by=None)

    get(office_client, member)

    status = resets.status(member)
    assert (status.reset.origin, status.email, status.verdict) == (Origin.HANDED_OUT, None, None)
    assert "A link was made without an email." in panel_words(office_client, member)


def test_message_to_copy_has_the_link(office_client, member):
    panel = get(office_client, member)

    text = panel.partition("<textarea")[2].partition("</textarea>")[0]
    assert resets.link(PasswordReset.objects.get()) in text


def test_qr_code_stands_beside_the_link(office_client, member):
    panel = get(office_client, member)

    assert "QR code of Mia’s link" in panel
    picture = panel.partition('class="member-reset__qr"')[2].partition("</svg>")[0]
    assert (" d=" in picture, "http" in picture) == (True, False)


def test_without_segno_there_is_no_qr_code_and_no_error(office_client, member, monkeypatch):
    monkeypatch.setitem(sys.modules, "segno", None)

    panel = get(office_client, member)

    assert (LINK.search(panel) is not None, "QR code" in panel) == (True, False)


def test_panel_that_polls_keeps_the_link_that_was_got(enter, office, member, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    client = enter(office)

    assert LINK.search(get(client, member))
    assert LINK.search(panel_html(client, member)) is None
