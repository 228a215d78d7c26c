"""Runs in the admin: who may, what the pages say, and what a click does."""

import csv
import html
import io
import re
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from tests.conftest import grant, make_person
from tests.staff.pages import words
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, MailingUnmatched, PasswordReset, ResetEmail

pytestmark = pytest.mark.django_db
RUNS = "/admin/member-reset/mailings/"


@pytest.fixture(autouse=True)
def by_hand(settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"


@pytest.fixture
def mailing_office(office, client):
    """The office, with the right to mail many at once."""
    office.groups.get().permissions.add(Permission.objects.get(codename="bulk_send_passwordreset"))
    client.force_login(office)
    return office


def page(client, url, **data):
    response = client.get(url, **data)
    assert response.status_code == 200
    return words(response.content.decode())


def action_url(**parameters):
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])
    query = "&".join(f"{name}={value}" for name, values in parameters.items() for value in values)
    return f"{path}?{query}&next=/admin/users/"


def started(by, **details):
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=by, **details)
    mailings.start(mailing)
    return mailing


def test_form_leads_to_a_preview_and_from_there_to_the_mails(mailing_office, client, mailoutbox):
    make_person("Mia"), make_person("Ole")
    make_person("Nowhere", email="")

    answer = client.post(RUNS, {"kind": "never_signed_in"}, follow=True)
    said = words(answer.content.decode())
    assert "people will get an email" in said
    assert "1 – No email address" in said
    assert "mia@members.example" in said
    assert not PasswordReset.objects.exists()
    mailing = Mailing.objects.get()
    assert mailing.state == MailingState.DRAFT

    answer = client.post(f"{RUNS}{mailing.pk}/start/", follow=True)
    assert "of 4 handled" in words(answer.content.decode()) or "of 3 handled" in words(answer.content.decode())
    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.state == MailingState.FINISHED
    assert {"mia@members.example", "ole@members.example"} <= {mail.to[0] for mail in mailoutbox}
    said = page(client, f"{RUNS}{mailing.pk}/")
    assert "Finished." in said
    assert "Sent to" in said
    assert "Skipped 1 – No email address (1)" in said
    assert "Everybody who has never signed in" in page(client, RUNS)


def test_groups(mailing_office, client):
    board = Group.objects.create(name="Board")
    make_person("Mia").groups.add(board)
    make_person("Ole")

    said = words(client.post(RUNS, {"kind": "groups", "groups": [board.pk]}, follow=True).content.decode())

    assert "1 person will get an email" in said
    assert "Members of Board" in said


def test_file(mailing_office, client):
    make_person("Mia"), make_person("Ole")
    file = SimpleUploadedFile("members.csv", b"\xef\xbb\xbfemail;name\r\nMIA@members.example;M\xfcller\r\n=1+1;x\r\n")

    said = words(client.post(RUNS, {"kind": "file", "file": file}, follow=True).content.decode())

    assert "1 person will get an email" in said
    assert "2 lines of the file name no account." in said
    assert "Line 3: =1+1" in said


def test_lines_that_name_no_account_are_downloaded_and_compute_nothing(mailing_office, client):
    make_person("Mia")
    lines = ["mia@members.example", "=1+1", "+49 30 1", "-2", "@SUM(A1)", "\uff1d1", "Müller", '"a;b"']
    file = SimpleUploadedFile("members.csv", "\n".join(lines).encode())
    client.post(RUNS, {"kind": "file", "file": file})
    mailing = Mailing.objects.get()

    answer = client.get(f"{RUNS}{mailing.pk}/unmatched/")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [
        ["Line", "Text"],
        ["2", "'=1+1"],
        ["3", "'+49 30 1"],
        ["4", "'-2"],
        ["5", "'@SUM(A1)"],
        ["6", "'\uff1d1"],
        ["7", "Müller"],
        ["8", "a;b"],
    ]


def test_thousands_of_lines_without_account_are_all_downloaded_and_few_shown(mailing_office, client):
    make_person("Mia")
    lines = ["mia@members.example", *(f"gone{number}@old.example" for number in range(3000))]
    answer = client.post(RUNS, {"kind": "file", "file": io.BytesIO("\n".join(lines).encode())}, follow=True)

    said, mailing = words(answer.content.decode()), Mailing.objects.get()

    assert "3,000 lines of the file name no account." in said
    assert said.count("@old.example") == 10
    assert client.get(f"{RUNS}{mailing.pk}/unmatched/").content.count(b"@old.example") == 3000


def test_files_whose_lines_all_name_accounts_have_nothing_to_download(mailing_office, client):
    make_person("Mia")
    client.post(RUNS, {"kind": "file", "file": io.BytesIO(b"mia@members.example")})

    assert client.get(f"{RUNS}{Mailing.objects.get().pk}/unmatched/").status_code == 404


def test_filters_of_the_listing_are_said_as_the_listing_says_them(mailing_office, client):
    board = Group.objects.create(name="Board")
    make_person("Mia").groups.add(board)
    url = action_url(id=["all"], group=[board.pk], q=["mia"], is_superuser=["false"])

    assert "Users in the listing (Search: mia, Administrator: No, Group: Board): 1 chosen." in page(client, url)
    client.post(url)

    assert "Users in the listing (Search: mia, Administrator: No, Group: Board)" in page(client, RUNS)


def test_filters_of_the_listing_are_not_said_to_who_may_not_see_it(mailing_office, client):
    board = Group.objects.create(name="Board")
    client.post(action_url(id=["all"], group=[board.pk]))
    bo = grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset", "send_passwordreset")
    client.force_login(bo)

    said = page(client, f"{RUNS}{Mailing.objects.get().pk}/")

    assert "Users in the listing" in said
    assert "Board" not in said


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "This field is required."),
        ({"kind": "everybody"}, "Select a valid choice."),
        ({"kind": "groups"}, "Choose at least one group."),
        ({"kind": "groups", "groups": ["999"]}, "is not one of the available choices"),
        ({"kind": "file"}, "Choose a file."),
        ({"kind": "file", "file": b"nobody@nowhere.example\n"}, "No line of the file names an account"),
        ({"kind": "file", "file": b"PK\x03\x04\x00\x00binary"}, "The file is no text: save it as CSV."),
        ({"kind": "never_signed_in", "per_hour": "-1"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_chosen_is_said_and_nothing_is_written(mailing_office, client, data, problem):
    if isinstance(data.get("file"), bytes):
        data = {**data, "file": io.BytesIO(data["file"])}

    response = client.post(RUNS, data)

    assert response.status_code == 200
    assert problem in words(response.content.decode())
    assert not Mailing.objects.exists()


def test_bulk_action_takes_who_was_picked(mailing_office, client, mailoutbox):
    mia, _ole = make_person("Mia"), make_person("Ole")

    said = page(client, action_url(id=[mia.pk]))
    assert "1 person will get an email" in said
    assert not Mailing.objects.exists()  # a look writes nothing

    answer = client.post(action_url(id=[mia.pk]))
    assert answer.url == f"{RUNS}{Mailing.objects.get().pk}/"
    outbox.drain()
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_bulk_action_mails_those_with_a_link_that_works_when_told_so(mailing_office, client, mailoutbox):
    mia, ole = make_person("Mia"), make_person("Ole")
    resets.send(mia, by=None)
    outbox.drain()
    both = action_url(id=[mia.pk, ole.pk])
    also, without = (
        "Also mail people who have a link that still works",
        "Leave out people who have a link that still works",
    )

    first = client.get(both).content.decode()
    assert "1 person will get an email" in words(first) and also in first and without not in first
    [other] = re.findall(r'href="([^"]*)">' + also, first)
    second = client.get(html.unescape(other)).content.decode()
    assert "2 people will get an email" in words(second) and without in second
    [back] = re.findall(r'href="([^"]*)">' + without, second)
    assert "1 person will get an email" in page(client, html.unescape(back))
    assert not Mailing.objects.exists()

    [start] = re.findall(r'<form method="post" action="([^"]*send_member_resets[^"]*)"', second)
    client.post(html.unescape(start))
    outbox.drain()
    assert sorted(mail.to for mail in mailoutbox[1:]) == [["mia@members.example"], ["ole@members.example"]]


def test_bulk_action_speaks_of_links_that_work_only_where_there_are_some(mailing_office, client):
    assert "link that still works" not in page(client, action_url(id=[make_person("Mia").pk]))


def test_bulk_action_for_all_takes_what_the_filters_leave(mailing_office, client, mailoutbox):
    board = Group.objects.create(name="Board")
    make_person("Mia").groups.add(board)
    make_person("Max").groups.add(board)
    make_person("Ole")

    said = page(client, action_url(id=["all"], group=[board.pk], q=["mia"]))
    assert "1 person will get an email" in said

    client.post(action_url(id=["all"], group=[board.pk], q=["mia"]))
    outbox.drain()
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


@pytest.mark.parametrize("filters", [{"group": ["999"]}, {"is_superuser": ["perhaps"]}, {"last_login_from": ["soon"]}])
def test_filter_that_means_nothing_means_nobody(mailing_office, client, filters):
    make_person("Mia")

    said = page(client, action_url(id=["all"], **filters))

    # Django reads an unknown choice of a yes-or-no filter as no filter, as the listing itself does.
    assert "Nobody will get an email" in said or filters.get("is_superuser")


def test_all_of_many_is_a_small_page(mailing_office, client, django_assert_max_num_queries):
    for number in range(60):
        make_person(f"Member{number}")

    with django_assert_max_num_queries(30):
        response = client.get(action_url(id=["all"]))

    assert "60 people" in words(response.content.decode()) or "61 people" in words(response.content.decode())
    assert len(response.content) < 200_000


@pytest.mark.parametrize("keys", [["me"], ["0"], ["99999999999999999999999999"], ["-1"]])
def test_keys_that_nobody_has_change_nothing(mailing_office, client, keys):
    response = client.get(action_url(id=keys))

    assert response.status_code in (200, 404)
    if response.status_code == 200:
        assert "Nobody will get an email" in words(response.content.decode())


def test_people_of_higher_rank_are_out_of_reach(mailing_office, client, admin, mailoutbox):
    make_person("Mia")

    said = page(client, action_url(id=["all"]))
    assert "1 – The account may not be reset" in said

    client.post(action_url(id=["all"]))
    outbox.drain()
    assert "ana@members.example" not in {mail.to[0] for mail in mailoutbox}


def test_staff_of_lower_rank_reach_members_alone(client, office, mailoutbox):
    junior = grant(make_person("Jo"), "access_admin", "send_passwordreset", "bulk_send_passwordreset")
    make_person("Mia")
    client.force_login(junior)

    client.post(RUNS, {"kind": "never_signed_in"})
    client.post(f"{RUNS}{Mailing.objects.get().pk}/start/")
    outbox.drain()

    assert "mia@members.example" in {mail.to[0] for mail in mailoutbox}
    assert "otto@members.example" not in {mail.to[0] for mail in mailoutbox}


def test_a_second_click_on_start_says_so_and_mails_nobody_twice(mailing_office, client, mailoutbox):
    make_person("Mia")
    client.post(RUNS, {"kind": "never_signed_in"})
    mailing = Mailing.objects.get()

    client.post(f"{RUNS}{mailing.pk}/start/")
    answer = client.post(f"{RUNS}{mailing.pk}/start/", follow=True)
    outbox.drain()

    assert "This mailing was already started. Nobody is mailed twice." in words(answer.content.decode())
    assert len({mail.to[0] for mail in mailoutbox}) == len(mailoutbox)


def test_pause_go_on_and_stop(mailing_office, client, mailoutbox):
    make_person("Mia")
    mailing = started(mailing_office)

    for verb, state in (("pause", "paused"), ("go-on", "running"), ("pause", "paused"), ("stop", "stopped")):
        client.post(f"{RUNS}{mailing.pk}/{verb}/")
        mailing.refresh_from_db()
        assert mailing.state == state
    answer = client.post(f"{RUNS}{mailing.pk}/go-on/", follow=True)

    assert "by now the mailing is in another state" in words(answer.content.decode())
    outbox.drain()
    assert not mailoutbox


def test_failed_ones_are_tried_again(mailing_office, client, mailoutbox):
    make_person("Mia")
    mailing = started(mailing_office)
    outbox.drain()
    mailoutbox.clear()
    ResetEmail.objects.update(state=EmailState.FAILED)
    Mailing.objects.update(failed=2, handed_over=0)

    assert "Try the failed ones again" in page(client, f"{RUNS}{mailing.pk}/")
    client.post(f"{RUNS}{mailing.pk}/retry/")
    outbox.drain()

    assert "mia@members.example" in {mail.to[0] for mail in mailoutbox}


def test_members_of_a_mailing_by_state(mailing_office, client):
    make_person("Mia")
    make_person("Nowhere", email="")
    mailing = started(mailing_office)
    outbox.drain()

    assert "mia@members.example" in page(client, f"{RUNS}{mailing.pk}/members/")
    skipped = page(client, f"{RUNS}{mailing.pk}/members/?state=skipped")
    assert "Not sent: No email address" in skipped
    assert "mia@members.example" not in skipped


def test_list_says_who_is_counted_and_not_listed(mailing_office, client, admin):
    make_person("Mia")
    mailing = started(mailing_office)

    assert "Whose turn has not come is not listed yet." in page(client, f"{RUNS}{mailing.pk}/members/?state=waiting")
    client.post(f"{RUNS}{mailing.pk}/stop/")

    said = page(client, f"{RUNS}{mailing.pk}/members/?state=skipped")
    assert "those whose turn had not come when the mailing was stopped are counted, but not listed" in said
    assert "Whose turn has not come" not in said


def test_members_of_a_mailing_are_leafed_through_at_one_cost(mailing_office, client, django_assert_num_queries):
    for number in range(60):
        make_person(f"Member{number}")
    mailing = started(mailing_office)
    outbox.drain()

    first = client.get(f"{RUNS}{mailing.pk}/members/").content.decode()
    after = re.search(r"after=(\d+)", first)[1]
    second = client.get(f"{RUNS}{mailing.pk}/members/?after={after}").content.decode()

    assert first.count('class="title"') == 50
    assert second.count('class="title"') == mailing.emails.count() - 50
    for junk in ("x", "-1", "9" * 30, "²"):
        assert client.get(f"{RUNS}{mailing.pk}/members/?after={junk}&state={junk}").status_code == 200


def test_fetch_gets_what_changes_alone(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)

    answer = client.get(f"{RUNS}{mailing.pk}/", headers={"x-requested-with": "XMLHttpRequest"}).content.decode()

    assert "<html" not in answer
    assert "handled" in words(answer)


def test_page_of_a_mailing_costs_the_same_for_many(mailing_office, client, django_assert_max_num_queries):
    for number in range(30):
        make_person(f"Member{number}")
    mailing = started(mailing_office)
    outbox.drain()

    with django_assert_max_num_queries(12):
        client.get(f"{RUNS}{mailing.pk}/", headers={"x-requested-with": "XMLHttpRequest"})


@pytest.mark.parametrize("role", ["anonymous", "member", "sender", "office"])
def test_who_may_not_mail_many_at_once_gets_nowhere(role, client, office, member):
    mia = make_person("Ole")
    mailing = started(None)
    if role == "sender":
        client.force_login(grant(make_person("Sam"), "access_admin", "send_passwordreset"))
    elif role != "anonymous":
        client.force_login({"member": member, "office": office}[role])
    before = list(Mailing.objects.values())

    MailingUnmatched.objects.create(mailing=mailing, lines=[[1, "ida@members.example"]], count=1)
    looks = [RUNS, *(f"{RUNS}{mailing.pk}/{end}" for end in ("", "members/", "unmatched/", "stop/"))]
    looks += [action_url(id=[mia.pk]), action_url(id=["all"])]
    posts = [f"{RUNS}{mailing.pk}/{verb}/" for verb in ("start", "pause", "go-on", "stop", "retry", "again")]
    posts += [RUNS, action_url(id=[mia.pk]), action_url(id=["all"])]
    for answer in [client.get(url) for url in looks] + [client.post(url, {"kind": "never_signed_in"}) for url in posts]:
        assert answer.status_code in (302, 403)
        assert "ida@members.example" not in answer.content.decode()
        if answer.status_code == 302:
            assert not answer.url.startswith(RUNS)

    assert list(Mailing.objects.values()) == before
    assert not ResetEmail.objects.exists()


def test_right_to_mail_many_alone_is_not_enough(client):
    client.force_login(grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset"))

    assert client.get(RUNS).status_code in (302, 403)


def test_listing_is_for_who_may_see_it(client):
    """Who mails many without the right to see accounts chooses by group or file, not by the listing."""
    person = grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset", "send_passwordreset")
    client.force_login(person)

    assert client.get(action_url(id=["all"])).status_code in (302, 403)
    assert client.get(RUNS).status_code == 200


@pytest.mark.parametrize("verb", ["start", "pause", "go-on", "retry", "again"])
def test_who_had_to_sign_in_again_after_a_click_comes_back_to_the_mailing_unchanged(mailing_office, client, verb):
    make_person("Mia")
    mailing = started(None)
    client.logout()
    click = f"{RUNS}{mailing.pk}/{verb}/"
    assert client.post(click).url == f"/admin/login/?next={click}"
    client.force_login(mailing_office)

    assert client.get(click).url == f"{RUNS}{mailing.pk}/"
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_stopping_is_asked_first(mailing_office, client):
    make_person("Mia")
    mailing = started(None)

    said = page(client, f"{RUNS}{mailing.pk}/stop/")

    assert "Stop sending for good?" in said
    assert "This cannot be undone." in said
    assert "Pause instead" in said
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_stopping_what_has_ended_is_not_asked(mailing_office, client):
    mailing = started(None)
    mailings.stop(mailing, by=mailing_office)

    assert client.get(f"{RUNS}{mailing.pk}/stop/")["Location"] == f"{RUNS}{mailing.pk}/"


def test_posts_need_the_csrf_token(mailing_office):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mailing_office)
    make_person("Mia")
    mailing = started(None)

    verbs = [f"{RUNS}{mailing.pk}/{verb}/" for verb in ("start", "pause", "go-on", "stop", "retry", "again")]
    for url in [RUNS, action_url(id=["all"]), *verbs]:
        assert strict.post(url, {"kind": "never_signed_in"}).status_code == 403
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_mailings_that_are_none_are_not_found(mailing_office, client):
    for url in ("77/", "77/members/", "77/stop/", "77/unmatched/", "99999999999999999999/"):
        assert client.get(RUNS + url).status_code == 404


def test_menu_item_is_for_who_may(mailing_office, client):
    assert "Password resets to many" in client.get("/admin/").content.decode()


def test_menu_item_is_gone_where_the_site_has_no_passwords(mailing_office, client, settings):
    settings.WAGTAILUSERS_PASSWORD_ENABLED = False

    assert "Password resets to many" not in client.get("/admin/").content.decode()


def test_menu_item_is_for_nobody_else(office, client):
    client.force_login(office)

    assert "Password resets to many" not in client.get("/admin/").content.decode()


@pytest.mark.skipif(not hasattr(get_user_model(), "get_full_name"), reason="this model's accounts go by their address")
def test_nothing_that_people_typed_is_markup(mailing_office, client):
    evil = '"><img src=x onerror=alert(1)>{{ 7|add:7 }}{% now "Y" %}'
    group = Group.objects.create(name=evil)
    mia = make_person("Mia", first_name=evil, last_name=evil, email="mia@members.example")
    mia.groups.add(group)
    mailing_office.first_name = evil
    mailing_office.save()
    names = SimpleUploadedFile("a.csv", f"email\nmia@members.example\n{evil}\n".encode())

    pages = [client.get(action_url(id=[mia.pk])), client.get(action_url(id=["all"], q=[quote(evil)]))]
    pages += [client.post(RUNS, {"kind": "file", "file": names}, follow=True)]
    pages += [client.post(RUNS, {"kind": "groups", "groups": [group.pk]}, follow=True)]
    mailing = Mailing.objects.latest("pk")
    pages += [client.post(f"{RUNS}{mailing.pk}/start/", follow=True)]
    outbox.drain()
    pages += [client.get(f"{RUNS}{mailing.pk}/members/"), client.get(RUNS)]

    for number, answer in enumerate(pages):
        said = answer.content.decode()
        assert "<img src=x" not in said
        assert ("&lt;img src=x onerror=alert(1)&gt;{{ 7|add:7 }}{% now" in said) == (answer.status_code == 200), number


def test_send_again_leads_to_a_preview_of_those_who_have_not_signed_in(mailing_office, client, mailoutbox):
    came_in, _still_out = make_person("Came"), make_person("Out")
    mailing = started(mailing_office, per_hour=600)
    outbox.drain()
    get_user_model().objects.filter(pk=came_in.pk).update(last_login=timezone.now())
    mailoutbox.clear()

    answer = client.post(f"{RUNS}{mailing.pk}/again/", follow=True)

    said = words(answer.content.decode())
    draft = Mailing.objects.exclude(pk=mailing.pk).get()
    assert "1 person will get an email" in said
    assert f"Those of mailing {mailing.pk} who have not got in yet" in said
    assert (draft.state, draft.again, draft.per_hour, draft.created_by) == (
        MailingState.DRAFT,
        True,
        600,
        mailing_office,
    )
    assert mailoutbox == []


def test_latest_mailings_are_listed_by_the_number_that_their_pages_have(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)

    assert f'<a href="{RUNS}{mailing.pk}/">Mailing {mailing.pk} · ' in client.get(RUNS).content.decode()


def test_send_again_is_offered_once_the_mailing_has_ended(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)
    before = page(client, f"{RUNS}{mailing.pk}/")

    outbox.drain()

    assert "Send again to those who have not got in yet" not in before
    assert "Send again to those who have not got in yet" in page(client, f"{RUNS}{mailing.pk}/")


def test_send_again_is_for_who_may_mail_many(office, client):
    make_person("Mia")
    mailing = started(office)
    outbox.drain()
    client.force_login(office)

    answer = client.post(f"{RUNS}{mailing.pk}/again/")

    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"
    assert Mailing.objects.count() == 1


def test_page_says_what_the_mail_service_reported(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)
    outbox.drain()
    Mailing.objects.filter(pk=mailing.pk).update(delivered=1234, bounced=5)

    said = page(client, f"{RUNS}{mailing.pk}/")

    assert "Delivered 1,234" in said
    assert "Came back 5" in said
