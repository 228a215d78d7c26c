"""Long files: kept until a worker has read them, and no longer."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.conftest import make_person
from tests.staff.pages import start, words
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import read_uploads, uploads
from wagtail_member_reset.models import Mailing, MailingState, MailingUpload, MailingUploadPiece

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand", "long")]
MAILINGS = "/admin/member-reset/mailings/"
TABLE = "Email\nmia@members.example\nnobody@members.example\n"


@pytest.fixture
def long(monkeypatch):
    """Every file is long, and a piece is short."""
    monkeypatch.setattr("wagtail_member_reset.staff.mailing_forms.LONG", 5)
    monkeypatch.setattr("wagtail_member_reset.outbox.works_by_itself", lambda: True)
    monkeypatch.setattr(uploads, "PIECE", 10)


@pytest.fixture
def upload(mailing_office, client):
    make_person("Mia")

    def post(text):
        file = io.BytesIO(text.encode())
        answer = client.post(f"{MAILINGS}new/", {"name": "Renewal", "kind": "file", "file": file}, follow=True)
        return Mailing.objects.latest("pk"), words(answer.content.decode())

    return post


def page_of(client, mailing):
    return words(client.get(f"{MAILINGS}{mailing.pk}/").content.decode())


def test_long_file_is_read_by_the_next_pass_and_then_forgotten(upload, client):
    mailing, page = upload(TABLE)
    assert "The file is being read" in page
    assert MailingUploadPiece.objects.count() > 1
    outbox.drain()
    assert "1 person will get an email" in page_of(client, mailing)
    assert not MailingUpload.objects.exists()
    assert not MailingUploadPiece.objects.exists()


def test_page_offers_the_preview_once_the_file_was_read(upload, client):
    mailing, _page = upload(TABLE)
    poll = {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}
    assert "Show the preview" not in client.get(f"{MAILINGS}{mailing.pk}/", **poll).content.decode()
    read_uploads()
    assert "Show the preview" in client.get(f"{MAILINGS}{mailing.pk}/", **poll).content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!doctype html><p>mia@members.example", "This is a web page"),
        ("Email\nnobody@members.example\n", "No line in the file matches an account"),
    ],
)
def test_page_says_why_a_file_cannot_be_used_and_keeps_none_of_it(upload, client, text, said):
    mailing, _page = upload(text)
    read_uploads()
    assert said in page_of(client, mailing)
    assert not MailingUploadPiece.objects.exists()


def test_draft_is_not_started_before_its_file_was_read(upload, client):
    mailing, _page = upload(TABLE)
    start(client, mailing)
    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_file_in_the_hands_of_a_worker_is_left_to_it_until_its_lease_is_over(upload):
    upload(TABLE)
    MailingUpload.objects.update(lease="other", lease_until=timezone.now() + uploads.LEASE)
    read_uploads()
    assert MailingUpload.objects.get().lease == "other"
    with time_machine.travel(timezone.now() + uploads.LEASE + timedelta(seconds=1)):
        read_uploads()
    assert not MailingUpload.objects.exists()


def test_what_a_worker_read_too_late_changes_nothing(upload, monkeypatch):
    mailing, _page = upload(TABLE)
    read = uploads.read_file

    def slow(file, **said):
        MailingUpload.objects.update(lease="other")
        return read(file, **said)

    monkeypatch.setattr(uploads, "read_file", slow)
    read_uploads()
    assert MailingUpload.objects.get().lease == "other"
    assert not hasattr(Mailing.objects.get(pk=mailing.pk), "file")


def test_file_that_ends_its_workers_is_given_up(upload, client):
    mailing, _page = upload(TABLE)
    MailingUpload.objects.update(attempts=uploads.MOST_ATTEMPTS)
    read_uploads()
    assert "The file could not be read" in page_of(client, mailing)


def test_page_says_what_to_do_where_nobody_comes_to_read(upload, client):
    mailing, _page = upload(TABLE)
    MailingUpload.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    assert "Ask your administrator whether the task workers are running" in page_of(client, mailing)


def test_worker_tells_no_more_of_people_beyond_reach_than_the_request_would(upload, mailing_office, admin, client):
    rights = mailing_office.groups.get().permissions
    rights.remove(*rights.filter(codename="view_passwordreset"))
    make_person("Lia")

    mailing, _page = upload(f"Email\nlia@members.example\n{admin.email}\n")
    read_uploads()

    assert "1 line in the file matches no account, or none that the person who uploaded" in page_of(client, mailing)


def test_draft_that_is_deleted_while_its_file_is_read_is_no_error(upload, mailing_office, client, monkeypatch, caplog):
    mailing, _page = upload(TABLE)
    assert "Delete this draft" in page_of(client, mailing)
    pieces_of = uploads._pieces

    def deleted(upload):
        mailings.discard(mailing, by=mailing_office)
        yield from pieces_of(upload)

    monkeypatch.setattr(uploads, "_pieces", deleted)
    read_uploads()

    assert (Mailing.objects.count(), MailingUpload.objects.count(), caplog.messages) == (0, 0, [])
