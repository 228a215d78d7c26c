"""The column "Password" of Wagtail's user listing, its filter, and the menu of a row."""

import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name

from tests.conftest import make_person
from wagtail_member_reset import resets
from wagtail_member_reset.models import EmailState, PasswordReset, Reason, ResetEmail

pytestmark = pytest.mark.django_db


def listed(client, **query):
    response = client.get(reverse("wagtailusers_users:index"), query)
    return {person.pk: person.member_reset_status for person in response.context["object_list"]}, response


def test_says_who_has_signed_in_and_to_whom_a_link_was_sent(client, office, member, sent):
    new, back = make_person("Ben"), make_person("Cleo", last_login=timezone.now())
    sent(member)
    client.force_login(office)

    statuses, response = listed(client)
    found, _response = listed(client, member_reset_status="never")

    assert [statuses[each.pk] for each in (member, new, back)] == ["sent", "never", "in"]
    assert set(found) == {new.pk}
    assert "Link sent" in response.content.decode()
    assert reverse("wagtail_member_reset_admin:send", args=[member.pk]) in response.content.decode()


def test_nothing_is_said_of_people_beyond_the_readers_reach(client, office, admin):
    rights = office.groups.get().permissions
    rights.remove(*rights.filter(codename="view_passwordreset"))
    client.force_login(office)

    statuses, response = listed(client)
    found, _response = listed(client, member_reset_status="never")

    assert (statuses[admin.pk], admin.pk in found) == ("", False)
    assert reverse("wagtail_member_reset_admin:send", args=[admin.pk]) not in response.content.decode()


def test_rows_cost_no_query(client, office, member):
    client.force_login(office)
    listed(client)
    with CaptureQueriesContext(connection) as few:
        listed(client)
    for number in range(10):
        make_person(f"Person{number}")

    with CaptureQueriesContext(connection) as many:
        listed(client)

    assert len(many) == len(few)


def test_column_tells_a_password_that_was_set_from_a_sign_in_and_an_email_that_failed_from_one_that_was_sent(
    admin_client, sent, member, imported_member
):
    resets.redeem(resets.open(resets.link(sent()).rpartition("/r/")[2]), password="a new password 9")
    sent(imported_member)
    ResetEmail.objects.filter(member=imported_member).update(state=EmailState.FAILED)

    statuses, _response = listed(admin_client)

    assert (statuses[member.pk], statuses[imported_member.pk]) == ("set", "failed")


def action_url():
    model = get_user_model()._meta
    return reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])


def test_bulk_action_is_offered_to_who_may_use_it(client, mailing_office):
    said = listed(client)[1].content.decode()

    assert re.search(rf'<a[^>]*href="{action_url()}(\?[^"]*)?"[^>]*>\s*Send password resets\s*</a>', said)


def test_bulk_action_is_offered_to_nobody_else_and_the_others_stay(office_client, admin_client):
    without, complete = listed(office_client)[1].content.decode(), listed(admin_client)[1].content.decode()

    assert action_url() not in without and action_url() in complete
    assert [page.count("data-bulk-action-button") for page in (without, complete)] == [3, 4]
    assert len(re.findall(r"<li\b", without)) == without.count("</li>")


def test_listing_costs_one_query_more_at_most(office_client, settings, member):
    costs = []
    for has_passwords in (True, False):
        settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = has_passwords
        listed_once = office_client.get(reverse("wagtailusers_users:index"))
        with CaptureQueriesContext(connection) as queries:
            office_client.get(reverse("wagtailusers_users:index"))
        costs.append(len(queries))
        assert listed_once.status_code == 200

    assert costs[0] - costs[1] <= 1


def all_in_listing(action, **query):
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, action])
    return f"{path}?{urlencode({'id': 'all', **query})}"


@pytest.mark.parametrize("action", ["delete", "assign_role", "set_active_state"])
def test_wagtails_bulk_actions_take_only_whom_the_filter_lists(admin_client, action):
    people = make_person("Quin", last_login=timezone.now()), make_person("Pia")

    page = admin_client.get(all_in_listing(action, member_reset_status="in")).content.decode()

    assert [get_user_display_name(each) in page for each in people] == [True, False]


def test_deleting_all_that_are_filtered_deletes_nobody_else(admin_client):
    kept = make_person("Pia")
    gone = make_person("Quin", last_login=timezone.now())

    admin_client.post(all_in_listing("delete", member_reset_status="in"))

    accounts = get_user_model().objects
    assert (accounts.filter(pk=kept.pk).exists(), accounts.filter(pk=gone.pk).exists()) == (True, False)


def test_a_role_is_assigned_to_all_that_are_filtered_alone(admin_client):
    role = Group.objects.create(name="Newcomers")
    new = make_person("Pia")
    for name, others in (("Ria", {}), ("Piano", {"last_login": timezone.now()})):
        make_person(name, **others)

    admin_client.post(all_in_listing("assign_role", member_reset_status="never", q="pia"), {"role": role.pk})

    assert set(role.user_set.all()) == {new}


def test_a_filter_that_nobody_knows_means_nobody(admin_client):
    kept = make_person("Pia")

    answer = admin_client.post(all_in_listing("delete", member_reset_status="nonsense"))

    assert answer.status_code == 404
    assert get_user_model().objects.filter(pk=kept.pk).exists()


def test_wagtails_bulk_actions_without_the_filter_are_as_they_were(admin_client):
    role = Group.objects.create(name="Newcomers")
    people = [make_person("Pia"), make_person("Quin", last_login=timezone.now())]

    admin_client.post(all_in_listing("assign_role"), {"role": role.pk})

    assert set(role.user_set.all()) >= set(people)


def test_link_that_has_ended_is_not_said_to_be_just_sent(client, office, sent):
    people = {name: make_person(name) for name in ("Ed", "Cal", "Mo", "Ray", "Una", "Liv")}
    links = {name: sent(person) for name, person in people.items()}
    PasswordReset.objects.filter(pk=links["Ed"].pk).update(expires_at=timezone.now())
    resets.revoke(links["Cal"], by=office)
    resets.revoke(links["Mo"], by=office)
    PasswordReset.objects.filter(pk=links["Mo"].pk).update(reason=Reason.ADDRESS_CHANGED)
    ResetEmail.objects.filter(reset=links["Ray"]).update(state=EmailState.FAILED, outcome="not_sent")
    ResetEmail.objects.filter(reset=links["Una"]).update(state=EmailState.SKIPPED)
    client.force_login(office)
    expected = {
        "Ed": ("expired", "Link expired"),
        "Cal": ("cancelled", "Link cancelled"),
        "Mo": ("ended", "Link ended"),
        "Ray": ("refused", "Refused"),
        "Una": ("unsent", "Not sent"),
        "Liv": ("sent", "Link sent"),
    }

    statuses, response = listed(client)
    found = {name: listed(client, member_reset_status=status)[0] for name, (status, _words) in expected.items()}

    assert {name: statuses[person.pk] for name, person in people.items()} == {
        name: status for name, (status, _words) in expected.items()
    }
    assert {name: set(each) for name, each in found.items()} == {name: {people[name].pk} for name in people}
    assert [words for _status, words in expected.values() if words not in response.content.decode()] == []
