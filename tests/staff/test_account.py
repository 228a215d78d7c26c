"""Account details and "Do not email" on the Settings tab."""

import pytest
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import audit, do_not_email
from wagtail_member_reset.accounts import do_not_email_of
from wagtail_member_reset.models import DoNotEmailReason, ResetEmail

from .pages import edit_url, words

pytestmark = pytest.mark.django_db
FETCH = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}


def url(name, member):
    return reverse(f"wagtail_member_reset_admin:{name}", args=[member.pk])


def test_reason_is_noted_shown_and_taken_back(client, office, member):
    client.force_login(office)

    asked = client.get(url("do_not_email", member), **FETCH)
    shown = client.post(url("do_not_email", member), {"reason": "deceased"}, **FETCH).content.decode()
    client.post(url("do_not_email", member), {"reason": "lift"}, **FETCH)

    assert b'value="post_only"' in asked.content
    assert "Deceased" in shown and "Mailings and reminders leave this person out." in shown
    assert do_not_email_of(member) is None


def test_who_may_not_send_may_not_note_it(client, office, admin):
    client.force_login(office)

    response = client.post(url("do_not_email", admin), {"reason": "deceased"}, **FETCH)

    assert (response.status_code, do_not_email_of(admin)) == (403, None)


def test_single_send_asks_first(client, office, member, by_hand):
    do_not_email.note(member, reason=DoNotEmailReason.POST_ONLY, by=office)
    client.force_login(office)

    asked = client.post(url("send", member), {"effect": "new_link"}, **FETCH)
    before = ResetEmail.objects.count()
    client.post(url("send", member) + "?asked=1", {"effect": "new_link"}, **FETCH)

    assert b"By post only" in asked.content
    assert (before, ResetEmail.objects.count()) == (0, 1)


def test_others_with_the_address_are_named_only_to_who_may_see_them(client, office, member):
    if member._meta.get_field("email").unique:
        pytest.skip("addresses are unique")
    make_person("Ben", email=member.email)
    make_person("Root", email=member.email, is_superuser=True)
    office.groups.get().permissions.remove(*office.groups.get().permissions.filter(codename="view_passwordreset"))
    client.force_login(office)

    shown = client.get(url("panel", member), **FETCH).content.decode()

    assert "Ben" in shown and "Root" not in shown


def test_tab_shows_account_details_as_soon_as_it_is_opened(office_client, member):
    page = words(office_client.get(edit_url(member)).content.decode())

    assert "Sign-in name " + member.get_username() in page
    assert "Emails from the office Allowed" in page
    assert "Email it Send password reset" in page


def test_correcting_the_address_of_somebody_who_is_not_to_be_emailed_says_so(client, office, member):
    do_not_email.note(member, reason=DoNotEmailReason.POST_ONLY, by=office)
    client.force_login(office)

    asked = words(client.get(url("correct", member), **FETCH).content.decode())

    assert f"Do not email is noted for {member.first_name} since" in asked


def test_reason_stands_beside_the_address_and_in_the_history(client, office, admin, member):
    client.force_login(office)
    assert "Do not email:" not in words(client.get(url("panel", member), **FETCH).content.decode())

    shown = words(client.post(url("do_not_email", member), {"reason": "post_only"}, **FETCH).content.decode())

    assert f"{member.email} · Change address Do not email: By post only" in shown
    client.force_login(admin)
    history = words(client.get(f"/admin/users/history/{member.pk}/").content.decode())
    assert "Noted that this person is not to be emailed: By post only" in history


def test_entry_from_before_the_reason_was_logged_is_shown_without(admin, member):
    audit.record(member, "do_not_email", by=admin, origin=None)

    entry = ModelLogEntry.objects.get(action="wagtail_member_reset.do_not_email")

    assert entry.message == "Noted that this person is not to be emailed"


def test_link_made_without_an_address_is_not_contradicted(client, office):
    nora = make_person("Nora", email="")
    client.force_login(office)
    before = words(client.get(url("panel", nora), **FETCH).content.decode())

    shown = words(client.post(url("hand_out", nora), {"effect": "new_link"}, **FETCH).content.decode())

    assert "No email address is stored for this person. Add an address" in before
    assert "No reset can be sent without an email address. Add one on the Account tab" in before
    assert "A link was made without an email." in shown and "No reset can be sent" not in shown
