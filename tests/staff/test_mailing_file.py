"""The preview of a file: which column was taken, and what staff can say about that before anything is sent."""

import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from tests.conftest import grant, make_person
from tests.staff.pages import start, words
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.models import (
    EmailState,
    Mailing,
    MailingColumn,
    MailingFile,
    MailingState,
    PasswordReset,
    ResetEmail,
    SkipReason,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"
TABLE = """Name,Email,Guardian email
Mia,mia@members.example,ole@members.example
Boss,boss@members.example,
Ida,,
"""


@pytest.fixture
def people():
    boss = make_person("Boss")
    return {"Mia": make_person("Mia"), "Ole": make_person("Ole"), "Boss": grant(boss, _change_users())}


def _change_users():
    return f"change_{get_user_model()._meta.model_name}"


@pytest.fixture
def couple():
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("this model has each address once")
    return [make_person(name, email="both@members.example", username=f"{name.lower()}-{n}") for n, name in
            enumerate(("Anna", "Ben"))]  # fmt: skip


@pytest.fixture
def upload(client):
    """Upload a file. Gives the draft, and what its preview says."""

    def post(text):
        answer = client.post(
            f"{MAILINGS}new/", {"name": "Renewal", "kind": "file", "file": io.BytesIO(text.encode())}, follow=True
        )
        return Mailing.objects.latest("pk"), words(answer.content.decode())

    return post


def said(answer):
    return words(answer.content.decode())


def sent(mailoutbox):
    outbox.drain()
    return sorted(mail.to[0] for mail in mailoutbox)


def test_preview_says_first_which_column_was_taken_with_its_name_and_some_values(mailing_office, people, upload):
    _mailing, page = upload(TABLE)

    column = page.index("This column of the file says who is meant")
    assert column < page.index("will get an email")
    assert "Email : mia@members.example, boss@members.example – 2 people" in page
    assert "Guardian email : ole@members.example – 1 person" in page
    assert "Line 4: Ida – The column is empty" in page


def test_another_column_is_chosen_without_another_upload(mailing_office, people, upload, client, mailoutbox):
    mailing, _page = upload(TABLE)

    page = said(client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 3}, follow=True))
    assert "1 person will get an email" in page
    assert "ole@members.example" in page
    assert "2 lines in the file match no account." in page
    start(client, mailing, {"column": 3})

    assert sent(mailoutbox) == ["ole@members.example"]


def test_who_manages_users_gets_nothing_until_ticked(mailing_office, people, upload, client, mailoutbox):
    mailing, page = upload(TABLE)
    assert "1 person will get an email" in page
    assert "1 account in the file can manage users or is a superuser. It gets no email unless you tick" in page

    page = said(client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 2, "admins": "on"}, follow=True))
    assert "2 people will get an email" in page
    assert "1 of them has access to this admin." in page
    start(client, mailing, {"column": 2, "admins": "on"})

    assert sent(mailoutbox) == ["boss@members.example", "mia@members.example"]


def test_superuser_is_not_offered_to_who_may_not_mail_one(mailing_office, people, admin, upload, client, mailoutbox):
    mailing, page = upload(f"Email\nmia@members.example\n{admin.email}\n")
    assert "superuser" not in page

    client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 1, "admins": "on"})
    start(client, mailing, {"column": 1, "admins": "on"})

    assert sent(mailoutbox) == ["mia@members.example"]


@pytest.fixture
def junior(client):
    """Sends mailings, and may look at members alone."""
    person = grant(make_person("Juno"), "access_admin", "send_passwordreset", "bulk_send_passwordreset")
    client.force_login(person)
    return person


def without_addresses(page):
    return re.sub(r"\S+@\S+", "@", page[page.index("This column") :])


@pytest.mark.parametrize("column", ["Email", "Username"])
def test_line_of_somebody_beyond_reach_is_as_one_that_names_no_account(junior, admin, upload, client, column):
    make_person("Mia")
    named = admin.email if column == "Email" else admin.get_username()

    hidden, of_hidden = upload(f"Email,{column}\nmia@members.example,\n,{named}\n{named},\n")
    unknown, of_nobody = upload(f"Email,{column}\nmia@members.example,\n,xx{named[2:]}\nxx{named[2:]},\n")
    downloads = [client.get(f"{MAILINGS}{each.pk}/unmatched/").getvalue() for each in (hidden, unknown)]

    told = [without_addresses(page).replace(named, "xx" + named[2:]) for page in (of_hidden, of_nobody)]
    assert told[0].split("Subject")[0] == told[1].split("Subject")[0]
    assert "2 lines in the file match no account, or none that the person who uploaded the file may see." in of_hidden
    assert downloads[0].replace(named.encode(), b"xx" + named[2:].encode()) == downloads[1]


def test_file_of_somebody_beyond_reach_alone_is_refused_as_one_of_nobody(junior, admin, client):
    answers = []
    for address in (admin.email, "nobody@members.example"):
        file = io.BytesIO(f"Email\n{address}\n".encode())
        answers.append(
            words(client.post(f"{MAILINGS}new/", {"name": "N", "kind": "file", "file": file}).content.decode())
        )

    assert "matches an account that you may see" in answers[0]
    assert answers[0] == answers[1]
    assert not Mailing.objects.exists()


def test_who_may_see_everybody_is_told_of_no_such_line(mailing_office, admin, upload):
    make_person("Mia")

    _mailing, page = upload(f"Email\nmia@members.example\n{admin.email}\nnobody@members.example\n")

    assert "1 line in the file matches no account." in page


def test_superusers_who_share_an_address_are_not_named_to_who_may_not_mail_them(mailing_office, couple, upload):
    make_person("Mia")
    get_user_model().objects.filter(pk__in=[member.pk for member in couple]).update(is_superuser=True)

    _mailing, page = upload("Email\nmia@members.example\nboth@members.example\n")

    assert "Line 3: both@members.example" in page
    assert "Anna" not in page and "anna" not in page


def test_draft_that_nobody_started_takes_what_was_read_along(mailing_office, people, upload):
    upload(TABLE)
    Mailing.objects.update(changed_at=timezone.now() - timedelta(days=15))

    call_command("purge_member_resets", stdout=io.StringIO())

    assert not Mailing.objects.exists() and not MailingColumn.objects.exists()


def test_who_came_to_manage_users_since_the_preview_gets_nothing(mailing_office, people, upload, client, mailoutbox):
    mailing, _page = upload("Email\nmia@members.example\nole@members.example\n")
    grant(people["Ole"], _change_users())

    start(client, mailing, {"column": 1})

    assert sent(mailoutbox) == ["mia@members.example"]


def test_couple_is_shown_and_each_is_mailed_when_ticked(mailing_office, couple, upload, client, mailoutbox):
    make_person("Mia")
    mailing, page = upload("Email\nmia@members.example\nboth@members.example\n")
    assert "1 line may mean more than one account, and nothing in it says which." in page
    assert "Line 3: both@members.example – Anna Sample (anna-0), Ben Sample (ben-1)" in page
    assert "1 person will get an email" in page

    page = said(client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 1, "each": "on"}, follow=True))
    assert "3 people will get an email" in page
    start(client, mailing, {"column": 1, "each": "on"})

    assert sent(mailoutbox) == ["both@members.example", "both@members.example", "mia@members.example"]


def test_file_that_names_only_a_couple_can_be_sent(mailing_office, couple, upload):
    _mailing, page = upload("Email\nboth@members.example\n")

    assert "Nobody will get an email" in page
    assert "Email each of them" in page


@pytest.mark.parametrize("changed", [{"column": 3}, {"column": 2, "admins": "on"}])
def test_start_with_what_no_preview_has_shown_sends_nothing(
    mailing_office, people, upload, client, mailoutbox, changed
):
    mailing, _page = upload(TABLE)

    page = said(start(client, mailing, changed, follow=True))

    assert "Nothing was sent: you changed who gets an email." in page
    assert Mailing.objects.get(pk=mailing.pk).state == MailingState.DRAFT
    assert not PasswordReset.objects.exists() and sent(mailoutbox) == []


def test_tick_of_another_column_stays_what_it_is(mailing_office, people, upload, client, mailoutbox):
    mailing, _page = upload(TABLE)
    client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 2, "admins": "on"})
    answer = client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 3, "admins": "on"}, follow=True)

    assert '<input type="hidden" name="admins" value="on">' in answer.content.decode()
    start(client, mailing, {"column": 3, "admins": "on"})
    assert sent(mailoutbox) == ["ole@members.example"]


NO_COLUMN = [{}, {"column": ""}, {"column": "99"}, {"column": "-1"}, {"column": "9" * 500}, {"column": "\x00"}]


@pytest.mark.parametrize("junk", NO_COLUMN)
def test_column_that_is_none_starts_nothing(mailing_office, people, upload, client, mailoutbox, junk):
    mailing, _page = upload(TABLE)
    before = Mailing.objects.values().get(pk=mailing.pk)

    page = said(start(client, mailing, {**junk, "admins": "on"}, follow=True))

    assert "Nothing was sent: choose one of the columns below, and look at the preview again." in page
    assert "This column of the file says who is meant" in page
    assert Mailing.objects.values().get(pk=mailing.pk) == before
    assert not PasswordReset.objects.exists() and sent(mailoutbox) == []


@pytest.mark.parametrize("junk", NO_COLUMN)
def test_column_that_is_none_changes_nothing(mailing_office, people, upload, client, junk):
    mailing, _page = upload(TABLE)
    before = Mailing.objects.values().get(pk=mailing.pk)

    answer = client.post(f"{MAILINGS}{mailing.pk}/file/", {**junk, "admins": "on"})

    assert answer.status_code == 302
    assert Mailing.objects.values().get(pk=mailing.pk) == before


def test_started_mailing_keeps_nothing_of_the_file_and_can_not_be_changed(mailing_office, people, upload, client):
    mailing, _page = upload(TABLE)
    assert MailingColumn.objects.count() == 2

    start(client, mailing, {"column": 2})
    client.post(f"{MAILINGS}{mailing.pk}/file/", {"column": 3})

    mailing.refresh_from_db()
    assert not MailingFile.objects.exists() and not MailingColumn.objects.exists()
    assert mailing.choice == {"kind": "file", "column": 2, "each": False, "admins": False}
    assert mailing.state == MailingState.RUNNING
    assert not mailings.choose(mailing, column=3)


@pytest.fixture
def half_sent(mailing_office, admin, upload, client):
    """A mailing of a file, whose one person failed, and is a superuser since. Who is at work is one, too."""
    ole = make_person("Ole")
    mailing, _page = upload("Email\nole@members.example\n")
    client.force_login(admin)
    start(client, mailing, {"column": 1})
    outbox.drain()
    get_user_model().objects.filter(pk=ole.pk).update(is_superuser=True)
    return mailing


def test_who_became_superuser_since_is_not_tried_again(half_sent, client, mailoutbox):
    ResetEmail.objects.update(state=EmailState.FAILED)
    Mailing.objects.update(failed=1, handed_over=0)
    mailoutbox.clear()

    client.post(f"{MAILINGS}{half_sent.pk}/retry/")

    assert sent(mailoutbox) == []


def test_who_became_superuser_since_is_not_in_the_rest(half_sent, client, mailoutbox):
    ResetEmail.objects.update(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
    Mailing.objects.update(state=MailingState.STOPPED)
    mailoutbox.clear()

    said = client.post(f"{MAILINGS}{half_sent.pk}/rest/", follow=True).content.decode()

    assert "there is nobody left to send it to" in said
    assert (Mailing.objects.latest("pk"), sent(mailoutbox)) == (half_sent, [])


def test_who_became_superuser_since_is_not_sent_again(half_sent, client, mailoutbox):
    mailoutbox.clear()

    client.post(f"{MAILINGS}{half_sent.pk}/again/")
    again = Mailing.objects.latest("pk")
    start(client, again)

    assert (again.choice["kind"], sent(mailoutbox)) == ("mailing", [])


def test_unclosed_quotation_mark_is_said_with_its_line(mailing_office, people, upload):
    _mailing, page = upload('Name,Email\nMia,mia@members.example\n"Ole,ole@members.example\n')

    assert "2 people will get an email" in page
    assert "Line 3: a quotation mark is not closed." in page


def test_file_that_names_nobody_and_whose_encoding_is_not_known_is_told_so(mailing_office, client):
    data = "Name;Email\nJörg;jörg@members.example\n".encode("mac_roman")

    page = said(client.post(f"{MAILINGS}new/", {"name": "Renewal", "kind": "file", "file": io.BytesIO(data)}))

    assert "No line in the file matches an account" in page
    assert "The file’s encoding is not known" in page
    assert not Mailing.objects.exists()


def test_names_in_a_file_are_no_markup(mailing_office, people, upload, client):
    evil = "<img src=x onerror=alert(1)>\u202e"
    mailing, _page = upload(f"Email,{evil}\nmia@members.example,ole@members.example\n{evil},\n")

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()

    assert "<img src=x" not in page and "\u202e" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_preview_of_a_file_costs_the_same_for_many_lines(mailing_office, upload, client, django_assert_max_num_queries):
    for number in range(30):
        make_person(f"M{number}", email=f"m{number // 2}@members.example") if (
            get_user_model().USERNAME_FIELD != "email"
        ) else make_person(f"M{number}")
    mailing, _page = upload("Email\n" + "".join(f"m{number}@members.example\n" for number in range(30)))

    with django_assert_max_num_queries(30):
        client.get(f"{MAILINGS}{mailing.pk}/")
