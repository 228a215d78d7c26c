"""The preview: everybody who gets an email, everybody left out and why, and the email itself."""

import re
from datetime import time, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name
from wagtail.models import ModelLogEntry, Site

from tests.conftest import grant, make_person
from tests.staff.pages import LINK, start, words
from wagtail_member_reset import audit, bad_addresses, mailings, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind, choose
from wagtail_member_reset.models import BadVerdict, Mailing, PasswordReset, Purpose, ResetEmail
from wagtail_member_reset.outbox import sample
from wagtail_member_reset.staff import mailing_people

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"
TESTED = "wagtail_member_reset.test_mailing"


def draft_of(*people, by=None, **details):
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people)), by=by, **details)


def listed(page):
    """What the list of people has, of the words of a page."""
    start = max(page.find("Who is left out"), page.find("Who gets an email"))
    return page[start : page.find("The email As")] if "The email As" in page else page[start:]


@pytest.fixture
def look(mailing_office, client):
    def get(mailing, **query):
        answer = client.get(f"{MAILINGS}{mailing.pk}/", query)
        assert answer.status_code == 200
        return words(answer.content.decode())

    return get


@pytest.mark.parametrize(
    ("hostname", "said"),
    [("localhost", "Links lead to the placeholder address of a new project"), ("evil.example", "No email with a link")],
)
def test_preview_says_before_anything_is_sent_that_links_lead_nowhere(look, member, settings, hostname, said):
    mailing = draft_of(member)
    assert said not in look(mailing)

    settings.WAGTAIL_MEMBER_RESET_BASE_URL, settings.ALLOWED_HOSTS = None, ["testserver"]
    Site.objects.update(hostname=hostname)

    assert said in look(mailing)


@pytest.mark.parametrize("left_out", [False, True])
def test_everybody_is_listed_once_page_by_page(mailing_office, client, monkeypatch, left_out):
    monkeypatch.setattr(mailing_people, "SHOWN", 2)
    monkeypatch.setattr(choose, "SLICE", 3)
    people = [make_person(f"M{number}", is_active=not left_out or number % 2 == 0) for number in range(10, 18)]
    mailing, found = draft_of(*reversed(people)), []
    url = "?mr_show=left-out" if left_out else "?"

    while url:
        page = client.get(f"{MAILINGS}{mailing.pk}/{url}").content.decode()
        found += re.findall(r"\b(m\d+)@members\.example", listed(words(page)))
        url = next(iter(re.findall(r'href="(\?[^"#]*mr_after[^"#]*)', page)), "").replace("&amp;", "&")

    each = [f"m{number}" for number in range(10, 18) if not left_out or number % 2]
    # Whoever has no name goes by the address, beside it.
    times = 1 + (get_user_display_name(people[0]) == people[0].email)
    assert sorted(found) == sorted(each * times)


def test_left_out_are_listed_with_the_reason_whatever_it_is(look, sent):
    people = {name: make_person(name) for name in ("Bo", "Angry", "Fine", "Linked")}
    people |= {"Ina": make_person("Ina", is_active=False), "Nowhere": make_person("Nowhere", email="")}
    sent(people["Linked"])
    bad_addresses.remember(people["Bo"].email, BadVerdict.HARD_BOUNCE)
    bad_addresses.remember(people["Angry"].email, BadVerdict.COMPLAINT)

    page = listed(look(draft_of(*people.values()), mr_show="left-out"))

    for name, reason in {
        "Ina": "The account is not active",
        "Nowhere": "No email address",
        "Bo": "The address does not exist",
        "Angry": "Marked an email as spam",
        "Linked": "Has a link that works",
    }.items():
        shown = re.escape(get_user_display_name(people[name]))
        assert re.search(rf"{shown}[^–]*(–|example) {reason}", page), name
    assert get_user_display_name(people["Fine"]) not in page


def test_people_are_found_by_name_address_and_username(look):
    mia, ole = make_person("Mia"), make_person("Ole")
    mailing = draft_of(mia, ole)

    for typed in ("Mia", "mia@members.example", mia.get_username(), "Sample, Mia"):
        page = listed(look(mailing, mr_find=typed))
        assert "mia@members.example" in page and "ole@members.example" not in page
    assert "Nobody was found." in look(mailing, mr_find="Nobody")


@pytest.mark.parametrize("may_view", [True, False])
def test_whom_the_reader_may_not_mail_is_left_out_or_unheard_of(look, office, admin, may_view):
    mailing, name = draft_of(admin, make_person("Mia")), get_user_display_name(admin)
    if not may_view:
        office.groups.get().permissions.remove(*Permission.objects.filter(codename="view_passwordreset"))

    for query in ({}, {"mr_find": "Ana"}):
        assert name not in listed(look(mailing, **query))
    for query in ({"mr_show": "left-out"}, {"mr_find": "Ana", "mr_show": "left-out"}):
        page = look(mailing, **query)
        assert (name in listed(page)) is may_view
        assert (admin.email in page) is may_view


def test_each_count_of_those_left_out_leads_to_the_list_of_who(mailing_office, client, sent):
    people = {name: make_person(name) for name in ("Bo", "Fine", "Linked")}
    people |= {"Ina": make_person("Ina", is_active=False), "Gone": make_person("Gone")}
    sent(people["Linked"])
    bad_addresses.remember(people["Bo"].email, BadVerdict.HARD_BOUNCE)
    mailing, found = draft_of(*people.values()), {}
    people["Gone"].delete()

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    for url, reason in re.findall(r'<a href="([^"]*mr_reason=(\w+)[^"]*)">1</a>', page):
        shown = words(client.get(f"{MAILINGS}{mailing.pk}/{url.replace('&amp;', '&')}").content.decode())
        found[reason] = set(re.findall(r"\b(\w+)@members\.example", listed(shown)))

    assert found == {"no_such_address": {"bo"}, "live_link": {"linked"}, "inactive": {"ina"}}


@pytest.mark.parametrize(
    "junk", ["x", "-1.5", "0.", "0.x", "9999999.1", "0." + "9" * 90, "\x00", "0.\x00", "1.1.1", "٣.1"]
)
def test_place_that_is_none_shows_a_page_all_the_same(look, junk):
    mailing = draft_of(make_person("Mia"))

    for show in (junk, "left-out"):
        assert look(mailing, mr_after=junk, mr_show=show, mr_reason=junk, mr_find=junk)


def test_listing_action_has_the_same_lists_and_keeps_who_was_picked(mailing_office, client):
    mia, ole = make_person("Mia"), make_person("Ole")
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])

    page = client.get(f"{path}?id={mia.pk}&id={ole.pk}&next=/admin/users/&mr_find=Mia").content.decode()

    assert page.count('<input type="hidden" name="id"') == 2
    said = words(page)
    assert "mia@members.example" in listed(said) and "ole@members.example" not in listed(said)
    assert "2 people will get an email" in said


def test_preview_costs_the_same_queries_for_many(mailing_office, client, django_assert_num_queries):
    few = draft_of(*[make_person(f"A{number}") for number in range(2)])
    many = draft_of(*[make_person(f"B{number}") for number in range(40)])
    client.get(f"{MAILINGS}{few.pk}/")

    with CaptureQueriesContext(connection) as asked:
        client.get(f"{MAILINGS}{few.pk}/")
    with django_assert_num_queries(len(asked)):
        client.get(f"{MAILINGS}{many.pk}/")


def test_email_is_shown_as_the_member_would_get_it_and_makes_no_link(mailing_office, client):
    mailing = draft_of(make_person("Mia"))

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()

    assert "Hello Mia," in page
    assert "/r/example-only" in page
    assert '<iframe class="member-reset__frame" sandbox srcdoc="&lt;!doctype html&gt;' in page
    assert LINK.search(page) is None and LINK.search(page.replace("&quot;", '"')) is None
    assert not PasswordReset.objects.exists() and not ResetEmail.objects.exists()


def test_name_in_the_email_that_is_shown_is_no_markup(mailing_office, client):
    mailing = draft_of(make_person("Eve", first_name="<b>Eve</b>"))

    assert "<b>Eve</b>" not in client.get(f"{MAILINGS}{mailing.pk}/").content.decode()


def test_template_that_is_broken_is_said_before_anything_is_sent(mailing_office, client, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(sample, "_compose", broken)
    mailing = draft_of(make_person("Mia"))

    assert "The email cannot be made" in words(client.get(f"{MAILINGS}{mailing.pk}/").content.decode())
    answer = client.post(f"{MAILINGS}{mailing.pk}/test/", follow=True)
    assert "No test was sent: the email cannot be made." in words(answer.content.decode())


def test_test_goes_to_who_asks_alone_and_says_that_it_is_one(mailing_office, client, mailoutbox):
    mailing = draft_of(make_person("Mia"))
    evil = {"to": "eve@evil.example", "email": "eve@evil.example"}

    answer = client.post(f"{MAILINGS}{mailing.pk}/test/", evil, follow=True)

    [mail] = mailoutbox
    assert (mail.to, mail.cc, mail.bcc) == ([mailing_office.email], [], [])
    assert mail.subject.startswith("Test: ")
    assert "/r/example-only" in mail.body and LINK.search(mail.body) is None
    assert "Mia" not in mail.body
    assert f"A test is on its way to {mailing_office.email}." in words(answer.content.decode())
    assert not PasswordReset.objects.exists() and not ResetEmail.objects.exists()
    entry = ModelLogEntry.objects.get(action=TESTED)
    assert (entry.user, entry.object_id) == (mailing_office, str(mailing_office.pk))


def test_link_of_a_test_opens_nothing(mailing_office, client, mailoutbox):
    mailing = draft_of(make_person("Mia"))
    client.post(f"{MAILINGS}{mailing.pk}/test/")

    [link] = re.findall(r"https?://[^/]+(/\S*example-only\S*)", mailoutbox[0].body)
    client.logout()
    answer = client.get(link, follow=True)

    assert "new_password1" not in answer.content.decode()
    assert not PasswordReset.objects.exists()


def test_tests_are_limited(mailing_office, client, mailoutbox):
    mailing = draft_of(make_person("Mia"))

    for _each in range(sample.MOST_TESTS + 2):
        answer = client.post(f"{MAILINGS}{mailing.pk}/test/", follow=True)

    assert len(mailoutbox) == sample.MOST_TESTS
    assert "you have sent yourself many within the last hour" in words(answer.content.decode())


def test_no_test_goes_to_an_own_address_that_is_new(mailing_office, client, mailoutbox):
    audit.note_address_changed(mailing_office, by=mailing_office)

    answer = client.post(f"{MAILINGS}{draft_of(make_person('Mia')).pk}/test/", follow=True)

    assert "your address was changed within the last 24 hours" in words(answer.content.decode())
    assert mailoutbox == []


def test_refused_test_is_said(mailing_office, client, mailoutbox, monkeypatch):
    def refuse(self, messages):
        raise OSError("no")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    mailing = draft_of(make_person("Mia"))

    answer = client.post(f"{MAILINGS}{mailing.pk}/test/", follow=True)

    assert "The mail server did not accept the test." in words(answer.content.decode())
    assert mailoutbox == []


def test_no_test_leaves_without_an_address_a_recipient_a_draft_or_by_a_look(mailing_office, client, mailoutbox):
    started, nobody = draft_of(make_person("Mia")), draft_of(make_person("Ina", is_active=False))
    good = draft_of(make_person("Ole"))
    mailings.start(started)

    client.post(f"{MAILINGS}{started.pk}/test/")
    answer = client.post(f"{MAILINGS}{nobody.pk}/test/", follow=True)
    assert "nobody would get an email" in words(answer.content.decode())
    client.get(f"{MAILINGS}{good.pk}/test/")
    assert client.post(f"{MAILINGS}{good.pk + 99}/test/").status_code == 404
    if get_user_model().USERNAME_FIELD != "email":
        get_user_model().objects.filter(pk=mailing_office.pk).update(email="")
        answer = client.post(f"{MAILINGS}{good.pk}/test/", follow=True)
        assert "your own account has no email address" in words(answer.content.decode())

    assert mailoutbox == []


def test_who_may_not_send_mailings_sends_no_test(office, client, mailoutbox):
    mailing = draft_of(make_person("Mia"))
    client.force_login(office)

    client.post(f"{MAILINGS}{mailing.pk}/test/")

    assert mailoutbox == []
    assert not ModelLogEntry.objects.filter(action=TESTED).exists()


def test_of_those_with_access_to_the_admin_only_who_gets_an_email_is_counted(sent):
    people = [make_person(name) for name in ("Bo", "Moved", "Fine", "Linked")]
    for person in people:
        grant(person, "access_admin")
    bo, moved, _fine, linked = people
    sent(moved), sent(linked)
    get_user_model().objects.filter(pk=moved.pk).update(email="elsewhere@members.example")
    bad_addresses.remember(bo.email, BadVerdict.HARD_BOUNCE)

    found = mailings.preview(mailings.drafted(Choice(kind=Kind.FILE, ids=tuple(each.pk for each in people)), by=None))

    assert (found.emails, found.staff) == (2, 2)


def test_samples_are_the_first_by_their_keys_whatever_has_become_of_their_links(sent):
    people = [make_person(f"Moved{number}") for number in range(11)]
    people.append(make_person("Last", pk=2**20))  # which a set has first
    for person in people:
        sent(person)
        get_user_model().objects.filter(pk=person.pk).update(email=f"new-{person.email}")

    samples = mailings.preview(draft_of(*reversed(people))).samples

    sent_to = get_user_model().objects.filter(email__startswith="new-")
    assert [each.pk for each in samples] == [each.pk for each in sent_to.order_by("pk")[:5]]


def test_page_says_of_those_counted_and_not_listed_only_that_they_were_deleted(look, admin, office):
    gone, sentence = make_person("Gone"), "Accounts that were deleted are counted and not listed."
    mailing, without = draft_of(admin, gone, make_person("Mia")), draft_of(admin, make_person("Ole"))
    gone.delete()

    page, other = (look(each, mr_show="left-out") for each in (mailing, without))
    assert sentence in page and sentence not in other
    assert get_user_display_name(admin) in page and "that you may not reset" not in page
    office.groups.get().permissions.remove(*Permission.objects.filter(codename="view_passwordreset"))
    assert sentence not in look(mailing, mr_show="left-out")


CHANGES = {
    "again": {"again": True},
    "included": {"included": {"domains": ["corp.example"]}},
    "paragraph": {"paragraph": "Dear all"},
    "times": {"starts_at": timezone.now() + timedelta(days=1), "hours_from": time(9), "hours_to": time(17)},
    "pace": {"per_hour": 5},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_preview_that_is_out_of_date_sends_nothing_and_is_shown_anew(mailing_office, client, change):
    mailing = draft_of(make_person("Mia"))
    preview = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    seen = {"seen": re.search(r'name="seen" value="(\w+)"', preview)[1]}
    mailings.change(mailing, **change)

    answer = client.post(f"{MAILINGS}{mailing.pk}/start/", seen, follow=True)

    said = words(answer.content.decode())
    assert "Nothing was sent: this mailing has changed since you opened the page." in said
    assert "1 person will get an email" in said
    mailing.refresh_from_db()
    assert mailing.state == "draft"
    start(client, mailing)
    mailing.refresh_from_db()
    assert mailing.state == "running"


def test_what_is_changed_in_the_moment_of_the_start_comes_too_late(mailing_office):
    mailing = draft_of(make_person("Mia"))
    Mailing.objects.update(again=True, included={"domains": ["corp.example"]}, paragraph="Dear all")

    mailings.start(mailing)

    assert (mailing.again, mailing.included, mailing.paragraph) == (False, {}, "")


def test_preview_says_how_long_its_draft_is_kept(look, client):
    assert "This draft is kept for 14 days after the last change." in look(draft_of(make_person("Mia")))


@pytest.mark.parametrize("age", [timedelta(minutes=1), timedelta(days=2)], ids=["same link", "new link"])
@pytest.mark.parametrize("has_signed_in_since", [True, False])
def test_preview_shows_the_email_that_is_sent_to_who_has_a_welcome(
    imported_member, mailing_office, mailoutbox, time_machine, age, has_signed_in_since
):
    time_machine.move_to("2026-11-23 12:00:00+00:00", tick=False)
    resets.send(imported_member, by=mailing_office, purpose=Purpose.WELCOME)
    outbox.drain()
    time_machine.shift(age)
    if has_signed_in_since:
        get_user_model().objects.filter(pk=imported_member.pk).update(last_login=timezone.now())
    imported_member.refresh_from_db()
    mailing, before = draft_of(imported_member, again=True), len(mailoutbox)

    shown = sample.sample_of(mailing, imported_member).subject
    mailings.start(mailing)
    outbox.drain()

    assert [mail.subject for mail in mailoutbox[before:]] == [shown]


def test_who_has_access_to_the_admin_is_marked_in_the_list(mailing_office, client, admin):
    grant(make_person("Edna"), "access_admin"), make_person("Mia")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=admin)
    client.force_login(admin)

    page = listed(words(client.get(f"{MAILINGS}{mailing.pk}/").content.decode()))

    people = page.replace("@members.example", "@members.example|").split("|")
    marked = [each for each in people if "Access to this admin" in each]
    assert [address for address in ("edna@", "mia@") for each in marked if address in each] == ["edna@"]


def test_accounts_that_may_not_be_reset_come_with_whom_to_ask(look, admin):
    advice = "The reason is either more rights than yours or this site’s own rule. Ask your administrator."

    assert f"The account may not be reset – {advice}" in look(draft_of(admin, make_person("Mia")))
    assert advice not in look(draft_of(make_person("Ole")))


def test_page_of_a_mailing_shows_its_email_folded_and_without_a_link_that_works(mailing_office, client, mailoutbox):
    # Who was passed over is no sample of what was sent.
    passed_over = make_person("Ina", is_active=False)
    mailing = draft_of(passed_over, make_person("Mia"), by=mailing_office, paragraph="Soup on Saturday.")
    mailings.start(mailing)
    outbox.drain()
    written = mailoutbox[0].subject

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()

    folded = page[page.index("<summary>Show the email</summary>") :]
    assert (
        get_user_display_name(passed_over) not in folded
        and written in folded
        and "Soup on Saturday." in folded
        and "/account/r/example-only" in folded
    )
    assert LINK.search(page) is None and "Send a test to me" not in page


def test_email_on_the_page_is_of_somebody_whom_the_reader_may_look_at(mailing_office, client, admin):
    mailing = draft_of(admin, by=admin)
    mailings.start(mailing)
    outbox.drain()
    mailing_office.groups.get().permissions.remove(*Permission.objects.filter(codename="view_passwordreset"))

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()

    assert "Show the email" not in page and get_user_display_name(admin) not in page.split("Started")[0]


def test_link_of_a_test_says_that_it_was_one_and_looks_nobody_up(client, django_assert_num_queries):
    for token in ("example-only", "example-only/", "EXAMPLE-ONLY."):
        with django_assert_num_queries(0):
            answer = client.get(f"/account/r/{token}")
        said = words(client.get(answer["Location"]).content.decode())
        assert "This link is from a test email" in said and "damaged" not in said

    client.get("/account/r/example-only1")
    assert "This link is damaged" in words(client.get("/account/password-reset/set/").content.decode())
