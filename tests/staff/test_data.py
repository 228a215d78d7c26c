"""What is stored about one person: downloaded and erased by a button, and only by who has the right."""

import json

import pytest
from django.contrib.auth.models import Permission
from wagtail.admin.utils import get_user_display_name

from tests.conftest import grant, make_person
from wagtail_member_reset import do_not_email, resets
from wagtail_member_reset.models import DoNotEmail, DoNotEmailReason, EmailState, PasswordReset, ResetEmail

from .pages import edit_url, history, panel_words, rows, url, words

pytestmark = pytest.mark.django_db
BOTH = ("export_passwordreset", "erase_passwordreset")
DOWNLOAD, ERASE = "Download what is stored about this person", "Erase what is stored about this person"


@pytest.fixture
def keeper(office):
    """The office, with both rights."""
    return grant(office, *BOTH)


@pytest.fixture
def keeper_client(enter, keeper):
    return enter(keeper)


def test_nobody_but_a_superuser_has_the_rights_at_first(office_client, admin_client, member):
    assert DOWNLOAD not in panel_words(office_client, member) and ERASE not in panel_words(office_client, member)
    assert DOWNLOAD in panel_words(admin_client, member) and ERASE in panel_words(admin_client, member)


@pytest.mark.parametrize("right", ["export", "erase"])
def test_each_right_opens_its_own_page_alone(enter, office, member, right):
    client = enter(grant(office, f"{right}_passwordreset"))

    answers = {
        name: client.get(url(page, member)).status_code for name, page in (("export", "data"), ("erase", "erase"))
    }

    assert answers == {"export": 200 if right == "export" else 302, "erase": 200 if right == "erase" else 302}
    assert (DOWNLOAD in panel_words(client, member), ERASE in panel_words(client, member)) == (
        right == "export",
        right == "erase",
    )


def test_file_is_kept_by_no_cache_and_the_log_says_who_has_it(keeper_client, keeper, member, sent):
    sent()

    response = keeper_client.get(url("data", member))

    told = json.loads(response.content)
    assert told["person"]["address"] == "mia@members.example"
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == f'attachment; filename="member-{member.pk}.json"'
    assert "no-store" in response["Cache-Control"]
    assert history(member)[-1] == "export"


def test_page_says_what_goes_and_what_stays_and_changes_nothing(keeper_client, member, sent):
    sent()
    before = rows()

    page = words(keeper_client.get(url("erase", member)).content.decode())

    assert "This cannot be undone. The link that the person has ends at once" in page
    assert "What is erased" in page and "What stays" in page
    assert "The note “Do not email”, so that it still applies" in page  # true of who asked for it, and of who has died
    assert rows() == before


def test_button_erases_and_leads_back_to_the_person(keeper_client, member, sent):
    sent()

    response = keeper_client.post(url("erase", member), follow=True)

    assert response.redirect_chain == [(edit_url(member) + "#tab-settings", 302)]
    assert f"What was stored about {get_user_display_name(member)} was erased." in words(response.content.decode())
    assert not PasswordReset.objects.exists()
    assert history(member)[-2:] == ["revoke", "erase"]


NOTE = "Note “Do not email”, since the person asked not to be emailed"


@pytest.mark.parametrize("posted", [{}, {"do_not_email": "1"}])
def test_do_not_email_is_noted_only_where_it_was_ticked(keeper_client, keeper, member, sent, posted):
    sent()
    page = keeper_client.get(url("erase", member)).content.decode()

    keeper_client.post(url("erase", member), posted)

    assert NOTE in words(page) and "checked" not in page
    found = list(DoNotEmail.objects.values_list("member", "reason", "set_by"))
    assert found == ([(member.pk, "asked_not_to", keeper.pk)] if posted else [])
    assert not PasswordReset.objects.exists()


def test_who_may_not_send_is_not_asked_and_notes_nothing(enter, member):
    only = grant(make_person("Ed", password="x password 1"), "access_admin", "erase_passwordreset")
    client = enter(only)

    page = client.get(url("erase", member)).content.decode()
    client.post(url("erase", member), {"do_not_email": "1"})

    assert NOTE not in words(page)
    assert not DoNotEmail.objects.exists()


def test_note_that_is_there_stays_as_it_is(keeper_client, keeper, member):
    do_not_email.note(member, reason=DoNotEmailReason.POST_ONLY, by=None)

    page = keeper_client.get(url("erase", member)).content.decode()
    keeper_client.post(url("erase", member), {"do_not_email": "1"})

    assert NOTE not in words(page)
    assert list(DoNotEmail.objects.values_list("reason", flat=True)) == ["post_only"]


def test_refused_erasure_notes_nothing(keeper_client, keeper, member, by_hand):
    resets.send(member, by=keeper)
    email = ResetEmail.objects.get()
    ResetEmail.objects.update(state=EmailState.SENDING, lease="w", lease_until=email.created_at.replace(year=2999))

    keeper_client.post(url("erase", member), {"do_not_email": "1"})

    assert not DoNotEmail.objects.exists()


def test_erasure_while_an_email_is_being_sent_is_refused_with_what_to_do(keeper_client, keeper, member, by_hand):
    resets.send(member, by=keeper)
    email = ResetEmail.objects.get()
    ResetEmail.objects.update(state=EmailState.SENDING, lease="w", lease_until=email.created_at.replace(year=2999))
    before = rows()

    response = keeper_client.post(url("erase", member))

    assert "Nothing was erased: try again in a minute." in words(response.content.decode())
    assert rows() == before
    assert "erase" not in history(member)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("view", ["data", "erase"])
def test_person_of_higher_rank_is_out_of_reach(keeper_client, keeper, admin, view, method):
    resets.send(admin, by=None)
    before = rows()

    response = getattr(keeper_client, method)(url(view, admin))

    assert response.status_code in ((302, 405) if view == "data" else (302,))
    assert b"admin" not in response.content.lower() or response.status_code == 405
    assert rows() == before
    assert {"export", "erase"}.isdisjoint(history(admin))


@pytest.mark.parametrize("view", ["data", "erase", "panel", "history", "do_not_email"])
def test_account_that_was_deactivated_keeps_its_rank(enter, office, db, view):
    clerk = grant(make_person("Cleo"), "access_admin", "send_passwordreset", *BOTH)
    resets.send(office, by=None)
    type(office).objects.filter(pk=office.pk).update(is_active=False)
    client = enter(clerk)
    before = rows()

    assert client.get(url(view, office)).status_code == 302
    assert client.post(url(view, office), {"reason": "asked"}).status_code in (302, 405)
    assert rows() == before


@pytest.mark.parametrize("view", ["data", "erase"])
def test_changed_key_in_the_address_reaches_nobody_else(enter, member, view):
    other = make_person("Nele", password="x password 1")
    neighbour = grant(make_person("Nils", password="x password 1"), "access_admin", "view_passwordreset")
    resets.send(other, by=None)
    client = enter(neighbour)
    before = rows()

    answers = [client.post(url(view, person)).status_code for person in (other, member)]
    answers += [client.get(url(view, person)).status_code for person in (other, member)]

    assert set(answers) <= {302, 403, 405}
    assert rows() == before


def test_refused_erasure_is_logged(office_client, member):
    office_client.post(url("erase", member))

    assert history(member) == ["refuse"]


def test_nobody_gets_the_rights_by_migration():
    names = ["export_passwordreset", "erase_passwordreset"]

    assert Permission.objects.filter(codename__in=names).count() == 2
    assert not Permission.objects.filter(codename__in=names, group__isnull=False).exists()


def test_who_may_erase_and_no_more_comes_back_to_the_start_page(enter, member):
    only = grant(make_person("Ed", password="x password 1"), "access_admin", "erase_passwordreset")

    response = enter(only).post(url("erase", member))

    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_post_without_a_token_of_the_form_is_refused(enter, keeper, member):
    resets.send(member, by=keeper)

    assert enter(keeper, enforce_csrf_checks=True).post(url("erase", member)).status_code == 403
    assert PasswordReset.objects.exists()
