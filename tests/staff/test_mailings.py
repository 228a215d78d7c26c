"""Mailings in the admin: who may, what the pages say, and what a click does."""

import csv
import html
import io
import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name
from wagtail.admin.views.generic import IndexView

from tests.conftest import grant, make_person
from tests.staff.pages import start, words
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import choose
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, MailingUnmatched, PasswordReset, ResetEmail
from wagtail_member_reset.staff import mailing_words
from wagtail_member_reset.staff.bulk_action import SendResetsBulkAction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"
NEW = f"{MAILINGS}new/"


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

    answer = client.post(NEW, {"name": "Renewal", "kind": "never_signed_in"}, follow=True)
    said = words(answer.content.decode())
    assert "people will get an email" in said
    assert "1 – No email address" in said
    assert "mia@members.example" in said
    assert not PasswordReset.objects.exists()
    mailing = Mailing.objects.get()
    assert mailing.state == MailingState.DRAFT

    answer = start(client, mailing, follow=True)
    assert "of 4 done" in words(answer.content.decode()) or "of 3 done" in words(answer.content.decode())
    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.state == MailingState.FINISHED
    assert {"mia@members.example", "ole@members.example"} <= {mail.to[0] for mail in mailoutbox}
    said = page(client, f"{MAILINGS}{mailing.pk}/")
    assert "Finished." in said
    assert "Sent to" in said
    assert "Not emailed 1 1 – No email address" in said
    assert "Everybody who has not got in yet" in page(client, MAILINGS)
    assert "Everybody who has not got in yet: never signed in, and no password set by a link" in page(client, NEW)


def test_groups(mailing_office, client):
    board = Group.objects.create(name="Board")
    make_person("Mia").groups.add(board)
    make_person("Ole")

    said = words(
        client.post(NEW, {"name": "Renewal", "kind": "groups", "groups": [board.pk]}, follow=True).content.decode()
    )

    assert "1 person will get an email" in said
    assert "In the groups Board" in said


def test_file(mailing_office, client):
    make_person("Mia"), make_person("Ole")
    file = SimpleUploadedFile("members.csv", b"\xef\xbb\xbfemail;name\r\nMIA@members.example;M\xfcller\r\n=1+1;x\r\n")

    said = words(client.post(NEW, {"name": "Renewal", "kind": "file", "file": file}, follow=True).content.decode())

    assert "1 person will get an email" in said
    assert "1 line in the file matches no account." in said
    assert "Line 3: =1+1 – No address, and no account has this username" in said
    assert "This column of the file says who is meant: email : MIA@members.example, =1+1" in said
    assert "The file’s encoding is not known" in said


def test_lines_that_name_no_account_are_downloaded_and_compute_nothing(mailing_office, client):
    make_person("Mia")
    lines = [
        "mia@members.example",
        "=1+1",
        "+49 30 1",
        "-2",
        "@SUM(A1)",
        "\uff1d1",
        "Müller",
        '"a;b"',
        '"x;=1+1"',
        '"x; ""=1"',
    ]
    file = SimpleUploadedFile("members.csv", "\n".join(lines).encode())
    client.post(NEW, {"name": "Renewal", "kind": "file", "file": file})
    mailing = Mailing.objects.get()

    answer = client.get(f"{MAILINGS}{mailing.pk}/unmatched/")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows == [
        ["Line", "Text", "Reason"],
        *(
            [str(line), text, "No address, and no account has this username"]
            for line, text in enumerate(
                ["'=1+1", "'+49 30 1", "'-2", "'@SUM(A1)", "'\uff1d1", "Müller", "a;b", "x;'=1+1", "x;' \"=1"],
                start=2,
            )
        ),
    ]


def test_thousands_of_lines_without_account_are_all_downloaded_and_few_shown(mailing_office, client):
    make_person("Mia")
    lines = ["mia@members.example", *(f"gone{number}@old.example" for number in range(3000))]
    answer = client.post(
        NEW, {"name": "Renewal", "kind": "file", "file": io.BytesIO("\n".join(lines).encode())}, follow=True
    )

    said, mailing = words(answer.content.decode()), Mailing.objects.get()

    assert "3,000 lines in the file match no account." in said
    assert said.count("@old.example") == 10 + 2  # two are values of the column
    assert client.get(f"{MAILINGS}{mailing.pk}/unmatched/").getvalue().count(b"@old.example") == 3000


def test_files_whose_lines_all_name_accounts_have_nothing_to_download(mailing_office, client):
    make_person("Mia")
    client.post(NEW, {"name": "Renewal", "kind": "file", "file": io.BytesIO(b"mia@members.example")})

    assert client.get(f"{MAILINGS}{Mailing.objects.get().pk}/unmatched/").status_code == 404


def test_filters_of_the_listing_are_said_as_the_listing_says_them(mailing_office, client):
    board = Group.objects.create(name="Board")
    make_person("Mia").groups.add(board)
    url = action_url(id=["all"], group=[board.pk], q=["mia"], is_superuser=["false"])

    assert "Users in the listing (Search: mia, Administrator: No, Group: Board): 1 chosen." in page(client, url)
    client.post(url)

    assert "Users in the listing (Search: mia, Administrator: No, Group: Board)" in page(client, MAILINGS)


def test_filters_of_the_listing_are_not_said_to_who_may_not_see_it(mailing_office, client):
    board = Group.objects.create(name="Board")
    client.post(action_url(id=["all"], group=[board.pk]))
    bo = grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset", "send_passwordreset")
    client.force_login(bo)

    said = page(client, f"{MAILINGS}{Mailing.objects.get().pk}/")

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
        ({"kind": "file", "file": b"nobody@nowhere.example\n"}, "No line in the file matches an account"),
        ({"kind": "file", "file": b"PK\x03\x04\x00\x00binary"}, "This is a ZIP archive or a spreadsheet"),
        ({"kind": "never_signed_in", "per_hour": "-1"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_chosen_is_said_and_nothing_is_written(mailing_office, client, data, problem):
    if isinstance(data.get("file"), bytes):
        data = {**data, "file": io.BytesIO(data["file"])}

    response = client.post(NEW, data)

    assert response.status_code == 200
    assert problem in words(response.content.decode())
    assert not Mailing.objects.exists()


def test_groups_of_choices_have_names(mailing_office, client):
    said = client.get(NEW).content.decode()

    legends = re.findall(r"<fieldset[^>]*>\s*<legend[^>]*>([^<]+)", said)
    assert legends == ["Who gets an email", "Groups"]


def test_form_says_what_becomes_of_the_links_that_people_have(mailing_office, client):
    said = words(client.get(NEW).content.decode())

    assert "A link less than 16 hours old is sent again. An older link is replaced by a new one" in said


def test_refused_form_takes_the_focus_and_says_which_fields(mailing_office, client):
    said = client.post(NEW, {"name": "Renewal", "kind": "file", "per_hour": "-1"}).content.decode()

    assert "<title>Error: New mailing" in " ".join(said.split()).replace("<title> ", "<title>")
    assert 'tabindex="-1" autofocus' in said
    assert '<a href="#id_file">CSV file</a>: Choose a file.' in said
    assert '<a href="#id_per_hour">Maximum emails per hour</a>' in said
    for name in ("file", "per_hour"):
        [field] = re.findall(f'<input[^>]*name="{name}"[^>]*>', said)
        [described] = re.findall('aria-describedby="([^"]*)"', field)
        assert all(f'id="{each}"' in said for each in described.split())
        assert 'aria-invalid="true"' in field


def test_list_says_of_each_what_its_page_says_and_nothing_of_a_draft(admin_client, admin):
    make_person("Mia"), make_person("Ole", email="")
    started(admin)
    outbox.drain()
    mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=admin, name="Only a draft")
    mailing = Mailing.objects.get(state=MailingState.FINISHED)

    listed, page = (words(admin_client.get(each).content.decode()) for each in (MAILINGS, f"{MAILINGS}{mailing.pk}/"))

    done = f"{mailing.chosen} of {mailing.chosen}"
    assert mailing.handed_over < mailing.chosen
    assert f"{done} done." in page and f" {done} " in listed
    assert "0 of 0" not in listed and "Only a draft" in listed


def test_preview_leads_back_to_where_it_came_from(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)
    outbox.drain()

    fresh = client.post(NEW, {"name": "Renewal", "kind": "never_signed_in"}, follow=True).content.decode()
    again = client.post(f"{MAILINGS}{mailing.pk}/again/", follow=True).content.decode()

    assert re.search(rf'href="{MAILINGS}\d+/details/">Back</a>', fresh)
    assert f'href="{MAILINGS}{mailing.pk}/">Back</a>' in again


def test_bulk_action_takes_who_was_picked(mailing_office, client, mailoutbox):
    mia, _ole = make_person("Mia"), make_person("Ole")

    said = page(client, action_url(id=[mia.pk]))
    assert "1 person will get an email" in said
    assert not Mailing.objects.exists()  # a look writes nothing

    answer = client.post(action_url(id=[mia.pk]))
    assert answer.url == f"{MAILINGS}{Mailing.objects.get().pk}/"
    outbox.drain()
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_bulk_action_mails_those_with_a_link_that_works_when_told_so(mailing_office, client, mailoutbox):
    mia, ole = make_person("Mia"), make_person("Ole")
    resets.send(mia, by=None)
    outbox.drain()
    both = action_url(id=[mia.pk, ole.pk])
    also, without = (
        "Include people who already have a working link",
        "Leave out people who already have a working link",
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


def test_bulk_action_that_is_sent_twice_mails_everybody_once(mailing_office, client, mailoutbox):
    path = action_url(id=[make_person("Mia").pk], again=[1])
    [at] = re.findall(r'name="previewed_at" value="([^"]*)"', client.get(path).content.decode())

    for _click in range(2):  # the first mailing has ended when the second click arrives
        client.post(path, {"previewed_at": at})
        outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert "Was emailed by another mailing since" in page(client, f"{MAILINGS}{Mailing.objects.latest('pk').pk}/")


@pytest.mark.parametrize("said", ["", "x", "\x00", "WyJ4Il0:1x:y"])
def test_bulk_action_believes_no_time_that_its_preview_did_not_sign(mailing_office, client, said):
    before = timezone.now()

    client.post(action_url(id=[make_person("Mia").pk]), {"previewed_at": said})

    assert Mailing.objects.get().created_at >= before


def test_remaining_are_mailed_once_whoever_asks_for_that_twice(mailing_office, client, mailoutbox):
    make_person("Mia")
    mailing = started(mailing_office)
    mailings.stop(mailing, by=mailing_office)
    for _click in range(2):
        client.post(f"{MAILINGS}{mailing.pk}/rest/")
    drafts = Mailing.objects.filter(state=MailingState.DRAFT)

    for draft in drafts.all():
        start(client, draft)
        outbox.drain()

    assert not drafts.exists()
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_bulk_action_speaks_of_links_that_work_only_where_there_are_some(mailing_office, client):
    assert "a working link" not in page(client, action_url(id=[make_person("Mia").pk]))


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

    client.post(NEW, {"name": "Renewal", "kind": "never_signed_in"})
    start(client, Mailing.objects.get())
    outbox.drain()

    assert "mia@members.example" in {mail.to[0] for mail in mailoutbox}
    assert "otto@members.example" not in {mail.to[0] for mail in mailoutbox}


def test_a_second_click_on_start_says_so_and_mails_nobody_twice(mailing_office, client, mailoutbox):
    make_person("Mia")
    client.post(NEW, {"name": "Renewal", "kind": "never_signed_in"})
    mailing = Mailing.objects.get()

    start(client, mailing)
    answer = start(client, mailing, follow=True)
    outbox.drain()

    assert "This mailing has already started. Nobody gets a second email." in words(answer.content.decode())
    assert len({mail.to[0] for mail in mailoutbox}) == len(mailoutbox)


def test_pause_resume_and_stop(mailing_office, client, mailoutbox):
    make_person("Mia")
    mailing = started(mailing_office)

    for verb, state in (("pause", "paused"), ("resume", "running"), ("pause", "paused"), ("stop", "stopped")):
        client.post(f"{MAILINGS}{mailing.pk}/{verb}/")
        mailing.refresh_from_db()
        assert mailing.state == state
    answer = client.post(f"{MAILINGS}{mailing.pk}/resume/", follow=True)

    assert "Nothing changed: the mailing is no longer in the state that you saw." in words(answer.content.decode())
    outbox.drain()
    assert not mailoutbox


def test_stopped_mailing_says_how_many_emails_were_sent(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)
    mailings.stop(mailing, by=mailing_office)
    Mailing.objects.update(chosen=2412)

    said = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()

    assert "0 of 2,412 emails were sent." in said
    assert "Links that had not been emailed were cancelled." in said
    assert 'max="2412" value="0"' in said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(seconds=40), "About 40 seconds left."),
        (timedelta(minutes=12), "About 12 minutes left."),
        (timedelta(hours=30), "About 30 hours left."),
        (timedelta(hours=82), "About 3 days left."),
        (None, ""),
    ],
)
def test_time_left_is_said_roughly(left, said):
    assert mailing_words.time_left(left) == said


@pytest.mark.parametrize(
    ("state", "figures", "said"),
    [
        (MailingState.RUNNING, (1200, 1, 2412), "1,200 of 2,412 done."),
        (MailingState.STOPPED, (2412, 3, 2412), "3 of 2,412 emails were sent."),
        (MailingState.STOPPED, (1, 0, 1), "0 of 1 email was sent."),
    ],
)
def test_how_far_a_mailing_is_said_in_whole_sentences(state, figures, said):
    done, sent, chosen = figures
    counted = SimpleNamespace(done=done, numbers={"sent": sent}, chosen=chosen)

    assert mailing_words.so_far(Mailing(state=state), counted) == said


def test_failed_ones_are_tried_again(mailing_office, client, mailoutbox):
    make_person("Mia")
    mailing = started(mailing_office)
    outbox.drain()
    mailoutbox.clear()
    ResetEmail.objects.update(state=EmailState.FAILED)
    Mailing.objects.update(failed=2, handed_over=0)

    assert "Try the failed ones again" in page(client, f"{MAILINGS}{mailing.pk}/")
    client.post(f"{MAILINGS}{mailing.pk}/retry/")
    outbox.drain()

    assert "mia@members.example" in {mail.to[0] for mail in mailoutbox}


def test_members_of_a_mailing_by_state(mailing_office, client):
    make_person("Mia")
    make_person("Nowhere", email="")
    mailing = started(mailing_office)
    outbox.drain()

    assert "mia@members.example" in page(client, f"{MAILINGS}{mailing.pk}/members/")
    skipped = page(client, f"{MAILINGS}{mailing.pk}/members/?show=not_emailed")
    assert "Not emailed No email address" in skipped
    assert "mia@members.example" not in skipped


def test_members_whom_a_mailing_has_not_come_to_are_listed_as_waiting_and_then_as_not_sent(
    mailing_office, client, admin
):
    make_person("Mia")
    mailing = started(mailing_office)

    waiting = page(client, f"{MAILINGS}{mailing.pk}/members/?show=waiting")
    client.post(f"{MAILINGS}{mailing.pk}/stop/")
    not_sent = page(client, f"{MAILINGS}{mailing.pk}/members/?show=not_sent")

    assert "mia@members.example Waiting Its turn has not come yet." in waiting
    assert "mia@members.example Not sent The mailing was stopped" in not_sent
    assert "mia@members.example" not in page(client, f"{MAILINGS}{mailing.pk}/members/?show=not_emailed")


@pytest.mark.slow
def test_members_of_a_mailing_are_leafed_through_at_one_cost(mailing_office, client, django_assert_num_queries):
    for number in range(60):
        make_person(f"Member{number}")
    mailing = started(mailing_office)
    outbox.drain()

    first = client.get(f"{MAILINGS}{mailing.pk}/members/").content.decode()
    after = re.search(r"after=(\d+)", first)[1]
    second = client.get(f"{MAILINGS}{mailing.pk}/members/?after={after}").content.decode()

    assert first.count('class="title"') == 50
    assert second.count('class="title"') == mailing.emails.count() - 50
    for junk in ("x", "-1", "9" * 30, "²"):
        assert client.get(f"{MAILINGS}{mailing.pk}/members/?after={junk}&show={junk}&reason={junk}").status_code == 200


@pytest.mark.parametrize("query", ["", "?show=sent", "?after=0"])
def test_members_cost_the_same_for_many_and_are_never_counted(mailing_office, client, query):
    few, many = [], []
    for queries, number in ((few, 1), (many, 60)):
        for each in range(number):
            make_person(f"Member{number}-{each}")
        mailing = started(mailing_office, again=True)
        outbox.drain()
        client.get(f"{MAILINGS}{mailing.pk}/members/")
        with CaptureQueriesContext(connection) as asked:
            said = client.get(f"{MAILINGS}{mailing.pk}/members/{query}").content.decode()
        queries += [each["sql"] for each in asked]
        assert 1 <= said.count('class="title"') <= 50

    # On the last page, the chunks are looked at, too.
    assert 0 <= len(few) - len(many) <= 1
    [emails] = [sql for sql in many if re.match('SELECT .* FROM [`"]wagtail_member_reset_resetemail[`"]', sql)]
    assert "LIMIT 51" in emails
    assert not any(word in emails for word in ("COUNT(", "OFFSET"))


def test_fetch_gets_what_changes_alone(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)

    answer = client.get(f"{MAILINGS}{mailing.pk}/", headers={"x-requested-with": "XMLHttpRequest"}).content.decode()

    assert "<html" not in answer
    assert "1 done" in words(answer) or "2 done" in words(answer)


def test_page_of_a_mailing_costs_the_same_for_many(mailing_office, client, django_assert_max_num_queries):
    for number in range(30):
        make_person(f"Member{number}")
    mailing = started(mailing_office)
    outbox.drain()

    with django_assert_max_num_queries(12):
        client.get(f"{MAILINGS}{mailing.pk}/", headers={"x-requested-with": "XMLHttpRequest"})


@pytest.mark.parametrize("role", ["anonymous", "member", "sender", "office"])
def test_who_may_not_mail_many_at_once_gets_nowhere(role, client, office, member):
    mia = make_person("Ole")
    mailing = started(None)
    if role == "sender":
        client.force_login(grant(make_person("Sam"), "access_admin", "send_passwordreset"))
    elif role != "anonymous":
        client.force_login({"member": member, "office": office}[role])
    before = list(Mailing.objects.values())

    MailingUnmatched.objects.create(mailing=mailing, lines=[[1, "ida@members.example", "no_address"]], count=1)
    looks = [
        MAILINGS,
        f"{MAILINGS}results/",
        NEW,
        *(f"{MAILINGS}{mailing.pk}/{end}" for end in ("", "members/", "unmatched/", "stop/")),
    ]
    looks += [action_url(id=[mia.pk]), action_url(id=["all"])]
    verbs = ("start", "file", "pause", "resume", "stop", "retry", "again")
    posts = [f"{MAILINGS}{mailing.pk}/{verb}/" for verb in verbs]
    posts += [NEW, action_url(id=[mia.pk]), action_url(id=["all"])]
    for answer in [client.get(url) for url in looks] + [client.post(url, {"kind": "never_signed_in"}) for url in posts]:
        assert answer.status_code in (302, 403)
        assert "ida@members.example" not in answer.content.decode()
        if answer.status_code == 302:
            assert not answer.url.startswith(MAILINGS)

    assert list(Mailing.objects.values()) == before
    assert not ResetEmail.objects.exists()


def test_right_to_mail_many_alone_is_not_enough(client):
    client.force_login(grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset"))

    assert client.get(MAILINGS).status_code in (302, 403)


def test_listing_is_for_who_may_see_it(client):
    """Who mails many without the right to see accounts chooses by group or file, not by the listing."""
    person = grant(make_person("Bo"), "access_admin", "bulk_send_passwordreset", "send_passwordreset")
    client.force_login(person)

    assert client.get(action_url(id=["all"])).status_code in (302, 403)
    assert client.get(MAILINGS).status_code == 200


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "retry", "again"])
def test_who_had_to_sign_in_again_after_a_click_comes_back_to_the_mailing_unchanged(mailing_office, client, verb):
    make_person("Mia")
    mailing = started(None)
    client.logout()
    click = f"{MAILINGS}{mailing.pk}/{verb}/"
    assert client.post(click).url == f"/admin/login/?next={click}"
    client.force_login(mailing_office)

    assert client.get(click).url == f"{MAILINGS}{mailing.pk}/"
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_stopping_is_asked_first(mailing_office, client):
    make_person("Mia")
    mailing = started(None)

    said = page(client, f"{MAILINGS}{mailing.pk}/stop/")

    assert "Stop sending for good?" in said
    assert "This cannot be undone." in said
    assert "Pause instead" in said
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_stopping_what_has_ended_is_not_asked(mailing_office, client):
    mailing = started(None)
    mailings.stop(mailing, by=mailing_office)

    assert client.get(f"{MAILINGS}{mailing.pk}/stop/")["Location"] == f"{MAILINGS}{mailing.pk}/"


def test_posts_need_the_csrf_token(mailing_office):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mailing_office)
    make_person("Mia")
    mailing = started(None)

    verbs = [f"{MAILINGS}{mailing.pk}/{verb}/" for verb in ("start", "pause", "resume", "stop", "retry", "again")]
    for url in [NEW, action_url(id=["all"]), *verbs]:
        assert strict.post(url, {"kind": "never_signed_in"}).status_code == 403
    assert Mailing.objects.get().state == MailingState.RUNNING


def test_mailings_that_are_none_are_not_found(mailing_office, client):
    for url in ("77/", "77/members/", "77/stop/", "77/unmatched/", "99999999999999999999/"):
        assert client.get(MAILINGS + url).status_code == 404


def test_menu_item_is_for_who_may(mailing_office, client):
    assert "Mailings" in client.get("/admin/").content.decode()


def test_menu_item_is_gone_where_the_site_has_no_passwords(mailing_office, client, settings):
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False

    assert "Mailings" not in client.get("/admin/").content.decode()


def test_listing_offers_nothing_where_the_site_has_no_passwords(settings):
    offered = list(SendResetsBulkAction.models)
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False

    assert (offered, list(SendResetsBulkAction.models)) == ([get_user_model()], [])


def test_menu_item_is_for_nobody_else(office, client):
    client.force_login(office)

    assert "Mailings" not in client.get("/admin/").content.decode()


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
    pages += [client.post(NEW, {"name": "Renewal", "kind": "file", "file": names}, follow=True)]
    pages += [client.post(NEW, {"name": "Renewal", "kind": "groups", "groups": [group.pk]}, follow=True)]
    mailing = Mailing.objects.latest("pk")
    pages += [start(client, mailing, follow=True)]
    outbox.drain()
    pages += [client.get(f"{MAILINGS}{mailing.pk}/members/"), client.get(MAILINGS)]

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

    answer = client.post(f"{MAILINGS}{mailing.pk}/again/", follow=True)

    said = words(answer.content.decode())
    draft = Mailing.objects.exclude(pk=mailing.pk).get()
    assert "1 person will get an email" in said
    assert f"Members of “{mailing.name}” who have not got in yet" in said
    assert (draft.state, draft.again, draft.per_hour, draft.created_by) == (
        MailingState.DRAFT,
        True,
        600,
        mailing_office,
    )
    assert mailoutbox == []


def test_site_that_keeps_no_sign_in_is_told_what_to_choose_instead(mailing_office, client, monkeypatch):
    monkeypatch.setattr(choose, "keeps_last_login", lambda model: False)

    answer = client.post(NEW, {"name": "Renewal", "kind": "never_signed_in"}, follow=True)

    assert answer.redirect_chain[-1][0] == NEW
    assert "Choose the members of groups or a file instead." in words(answer.content.decode())


def test_mailings_are_listed_by_the_name_that_staff_gave_them(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office, name="Renewal 2027")

    [link] = re.findall(
        rf'<a\s+href="{MAILINGS}{mailing.pk}/">(.*?)</a>', client.get(MAILINGS).content.decode(), re.DOTALL
    )
    assert link.strip() == "Renewal 2027"
    assert "Renewal 2027" in page(client, f"{MAILINGS}{mailing.pk}/")


def test_list_is_wagtails_own_with_the_way_to_a_new_mailing(mailing_office, client):
    response = client.get(MAILINGS)

    assert isinstance(response.context["view"], IndexView)
    assert [button.label for button in response.context["header_buttons"]] == ["New mailing"]
    assert f'href="{NEW}"' in response.content.decode()
    assert "There are no mailings to display." in words(response.content.decode())


def test_list_says_of_each_mailing_who_how_far_and_by_whom(mailing_office, client):
    make_person("Mia"), make_person("Nowhere", email="")
    started(mailing_office, name="Renewal 2027")
    outbox.drain()
    Mailing.objects.update(handed_over=1234, chosen=2412)

    said = page(client, MAILINGS)

    assert "Renewal 2027 Everybody who has not got in yet 1,235 of 2,412 Finished" in said
    assert get_user_display_name(mailing_office) in said


def test_list_shows_the_latest_first_with_the_readers_own_drafts(mailing_office, client, admin):
    make_person("Mia")
    started(mailing_office, name="First"), started(mailing_office, name="Second")
    for person, name in ((mailing_office, "Mine"), (admin, "Hers"), (None, "Nobodys")):
        mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=person, name=name)

    said = page(client, MAILINGS)
    assert said.index("Mine") < said.index("Second") < said.index("First")
    assert "Mine Everybody who has not got in yet Draft" in said
    assert "Hers" not in said and "Nobodys" not in said
    assert "Mine" in page(client, f"{MAILINGS}?state=draft") and "First" not in page(client, f"{MAILINGS}?state=draft")

    said = page(client, f"{MAILINGS}?ordering=listed_at")
    assert said.index("First") < said.index("Second")


def test_list_is_filtered_by_state(mailing_office, client):
    make_person("Mia")
    stopped, _running = started(mailing_office, name="Ended"), started(mailing_office, name="At it")
    mailings.stop(stopped, by=mailing_office)

    for path in (MAILINGS, f"{MAILINGS}results/"):
        said = page(client, f"{path}?state=stopped")
        assert "Ended" in said
        assert "At it" not in said
    for junk in ("draft", "x", "%00"):
        assert client.get(f"{MAILINGS}?state={junk}&ordering={junk}&p={junk}&export={junk}").status_code == 200


def test_list_costs_the_same_for_many(mailing_office, client):
    make_person("Mia")
    costs = []
    for number in (1, 5):
        for _ in range(number):
            group = Group.objects.create(name=f"Group {Mailing.objects.count()}")
            earlier = started(mailing_office)
            for choice in (Choice(kind=Kind.GROUPS, groups=(group.pk,)), Choice(kind=Kind.MAILING, mailing=earlier.pk)):
                mailings.start(mailings.draft(choice, by=mailing_office))
        client.get(MAILINGS)
        with CaptureQueriesContext(connection) as asked:
            client.get(MAILINGS)
        costs.append(len(asked))

    assert costs[0] == costs[1]


def test_send_again_is_offered_once_the_mailing_has_ended(mailing_office, client):
    make_person("Mia")
    mailing = started(mailing_office)
    before = page(client, f"{MAILINGS}{mailing.pk}/")

    outbox.drain()

    assert "Resend to those not in yet" not in before
    assert "Resend to those not in yet" in page(client, f"{MAILINGS}{mailing.pk}/")


def test_send_again_is_for_who_may_mail_many(office, client):
    make_person("Mia")
    mailing = started(office)
    outbox.drain()
    client.force_login(office)

    answer = client.post(f"{MAILINGS}{mailing.pk}/again/")

    assert answer.status_code == 302
    assert answer["Location"] == "/admin/"
    assert Mailing.objects.count() == 1


def test_rest_of_a_stopped_mailing_leads_to_a_preview_of_those_it_had_not_come_to(client, admin):
    client.force_login(admin)
    members = [make_person(f"Rest{number}") for number in range(3)]
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=admin)
    mailings.start(mailing, wake=False)
    mailings.stop(mailing, by=admin)
    url = reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])

    offered = "Send to the remaining 3" in client.get(url).content.decode()
    preview = client.post(url + "rest/", follow=True).content.decode()

    assert offered
    assert "3 people will get an email" in preview
    assert Mailing.objects.filter(state=MailingState.DRAFT).count() == 1


def test_rest_of_a_mailing_that_was_not_stopped_drafts_nothing(client, admin):
    client.force_login(admin)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(make_person("Rest").pk,)), by=admin)
    mailings.start(mailing, wake=False)
    url = reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])

    answer = client.post(url + "rest/", follow=True).content.decode()

    assert "Nothing changed" in answer
    assert not Mailing.objects.filter(state=MailingState.DRAFT).exists()
    mailing.refresh_from_db()
    assert mailing.state == MailingState.RUNNING
