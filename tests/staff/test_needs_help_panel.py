"""The panel on the home of the admin: what it counts, for whom, and what it costs."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import grant, make_person
from wagtail_member_reset.models import Need, NeedsHelp, Shelf
from wagtail_member_reset.staff.needs_help_panel import counts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    yield
    cache.clear()


def listed(person, need=Need.NO_SUCH_ADDRESS, **fields):
    return NeedsHelp.objects.create(member=person, reason=need, happened_at=timezone.now(), **fields)


def panel(client):
    """What the home says of each reason: the words by the address that they lead to."""
    said = client.get(reverse("wagtailadmin_home")).content.decode()
    url = re.escape(reverse("wagtail_member_reset_admin:needs_help"))
    return dict(re.findall(rf'href="{url}\?reason=(\d+)">([^<]*)</a>', said))


@pytest.fixture
def junior(enter):
    return enter(grant(make_person("Juno"), "access_admin", "send_passwordreset"))


def test_each_loud_reason_is_a_link_with_its_number(office_client, member):
    listed(member)
    listed(make_person("Nora"))
    listed(make_person("Fay"), Need.FAILED)
    listed(make_person("Quentin"), Need.EXPIRED)
    listed(make_person("Lea"), Need.FAILED, shelf=Shelf.LATER)
    listed(make_person("Dora"), Need.REFUSED, shelf=Shelf.DONE)

    assert panel(office_client) == {"10": "No such address: 2", "50": "Failed: 1"}


def test_nobody_who_needs_help_means_no_panel(office_client, member):
    listed(member, Need.NO_PASSWORD)

    assert "member-reset-panel-needs-help" not in office_client.get(reverse("wagtailadmin_home")).content.decode()


def test_panel_is_for_nobody_without_the_right(enter, member):
    listed(member)
    client = enter(grant(make_person("Eddy"), "access_admin"))

    assert panel(client) == {}
    assert "member-reset-panel-needs-help" not in client.get(reverse("wagtailadmin_home")).content.decode()


def test_sites_without_passwords_have_no_panel(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False
    listed(member)

    assert panel(office_client) == {}


@pytest.mark.parametrize("first", ["far", "near"])
def test_who_is_beyond_reach_is_not_counted_whoever_looked_before(admin_client, junior, member, admin, office, first):
    listed(member)
    listed(admin)
    listed(office)
    (admin_client if first == "far" else junior).get(reverse("wagtailadmin_home"))

    assert panel(junior) == {"10": "No such address: 1"}
    assert panel(admin_client) == {"10": "No such address: 3"}


def test_who_may_manage_users_and_who_may_enter_the_admin_share_no_number(member, office, enter):
    listed(member)
    listed(grant(make_person("Uma"), f"change_{type(office)._meta.model_name}"))
    rights = office.groups.get().permissions
    rights.remove(*rights.filter(codename="view_passwordreset"))
    junior = grant(make_person("Juno"), "access_admin", "send_passwordreset")

    assert [panel(enter(person)) for person in (office, junior)] == [
        {"10": "No such address: 2"},
        {"10": "No such address: 1"},
    ]


def test_number_is_kept_for_a_minute(office_client, member):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        listed(member)
        seen = [panel(office_client)]
        listed(make_person("Nora"))
        seen.append(panel(office_client))
        clock.shift(timedelta(seconds=61))
        seen.append(panel(office_client))

    assert [each["10"][-1] for each in seen] == ["1", "1", "2"]


@pytest.mark.parametrize("rights", [["view_passwordreset"], ["send_passwordreset"]])
def test_counting_takes_two_queries_at_most_and_none_again(rights, member):
    listed(member)
    reader = grant(make_person("Rita"), "access_admin", *rights)
    reader.has_perm("wagtailadmin.access_admin")  # which Wagtail has asked before

    with CaptureQueriesContext(connection) as queries:
        counts(reader)
    with CaptureQueriesContext(connection) as again:
        counts(reader)

    assert (len(queries) <= 2, len(again)) == (True, 0)
