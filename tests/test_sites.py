"""The visitor's site: asked for seldom, and never known wrongly for long."""

import threading

import pytest
from django.db import connection, connections, transaction
from django.test import RequestFactory
from wagtail.models import Site

from wagtail_member_reset import resets, sites
from wagtail_member_reset.models import ResetRequest

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def nothing_remembered():
    sites.forget()
    yield
    sites.forget()


@pytest.fixture
def site():
    return Site.objects.get()


def visit(host="club.example", **more):
    return sites.of_request(RequestFactory().get("/", headers={"host": host}, **more))


def renamed(site):
    """As another process does it: nobody here is told."""
    Site.objects.filter(pk=site.pk).update(site_name="New name")


def test_many_visitors_cost_one_query(site, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert [visit() for _ in range(20)] == [site] * 20


def test_change_in_this_process_counts_at_once(site):
    visit()
    site.site_name = "New name"

    site.save()

    assert visit().site_name == "New name"


def test_change_counts_once_it_is_committed_and_not_before(site):
    site.site_name = "New name"
    elsewhere = []

    def look():
        elsewhere.append(visit().site_name)
        connections.close_all()

    with transaction.atomic():
        site.save()
        other = threading.Thread(target=look, daemon=True)
        other.start()
        other.join()

    assert (elsewhere, visit().site_name) == ([""], "New name")


def test_change_in_another_process_counts_after_five_seconds(site, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    visit()
    renamed(site)
    seen = []
    for passed in (4.9, 0.2):
        now[0] += passed
        seen.append(visit().site_name)

    assert seen == ["", "New name"]


def test_answer_that_was_on_its_way_when_the_site_changed_is_not_kept(site, monkeypatch):
    find = Site.find_for_request

    def overtaken(request):
        found = find(request)
        renamed(site)
        sites.forget()
        return found

    monkeypatch.setattr(Site, "find_for_request", staticmethod(overtaken))
    visit()
    monkeypatch.undo()

    assert visit().site_name == "New name"


def test_each_host_and_port_has_its_own_answer(site):
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)
    high = Site.objects.create(hostname="other.example", port=8443, root_page=site.root_page)

    for _ in range(2):
        answers = [visit(), visit("other.example"), visit("other.example:8443", SERVER_PORT="8443")]
        assert [*answers, visit("strange.example")] == [site, other, high, site]


@pytest.mark.slow
def test_strange_hosts_fill_no_memory(site):
    for number in range(10 * sites.MOST_HOSTS):
        visit(f"host{number}.example")

    assert len(sites._held) <= sites.MOST_HOSTS


def test_what_a_transaction_sees_is_kept_for_nobody(site):
    with transaction.atomic():
        renamed(site)
        within = visit().site_name
        transaction.set_rollback(True)

    assert (within, visit().site_name) == ("New name", "")


def test_no_site_is_an_answer_too(site, django_assert_num_queries):
    Site.objects.all().delete()

    with django_assert_num_queries(1):
        assert [visit(), visit()] == [None, None]


def test_request_for_a_site_that_went_meanwhile_is_written_all_the_same(site):
    remembered = visit()
    with connection.cursor() as cursor:  # without signals, as another process
        cursor.execute(f"DELETE FROM {Site._meta.db_table}")

    resets.request("mia@members.example", network="192.0.2.7", site=remembered, language="en")

    assert list(ResetRequest.objects.values_list("address", "site")) == [("mia@members.example", None)]
