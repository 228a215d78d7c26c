"""Many rows at once: as `bulk_create` would write them, and with the keys that they have."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import audit, mailings, outbox, tokens
from wagtail_member_reset.db import rows
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing, PasswordReset, ResetEmail

pytestmark = pytest.mark.django_db

EVERYBODY = Choice(kind=Kind.NEVER_SIGNED_IN)


@pytest.fixture(autouse=True)
def by_hand(settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"


@pytest.fixture(params=["as the database does best", "by bulk_create"])
def way(request, monkeypatch):
    if request.param == "by bulk_create":
        monkeypatch.setattr(rows, "_takes_columns", lambda connection: False)


def started():
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    return mailing


def test_rows_know_their_keys_where_the_database_can_tell():
    for number in range(5):
        make_person(f"Mia{number}")
    started()

    _run, mails = issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=9))

    if connection.vendor in ("sqlite", "postgresql"):
        assert {email.pk: (email.public_id, email.reset_id) for email, _token in mails} == {
            pk: (public_id, reset_id)
            for pk, public_id, reset_id in ResetEmail.objects.values_list("pk", "public_id", "reset_id")
        }
    assert {email.reset_id: email.reset.selector for email, _token in mails} == dict(
        PasswordReset.objects.values_list("pk", "selector")
    )


ODD = ["NULL", "", '"', "\\", "\\\\x00", "{a,b}", "O'Hara", "%s", "Zoë \u2028 🙂", "null", "[1]", "1e5", "\t"]


def test_texts_and_secrets_are_written_as_they_are(way):
    by_name = get_user_model().USERNAME_FIELD == "username"
    for number, odd in enumerate(ODD):
        name = {"username": f"{number}{odd}"} if by_name else {}
        make_person("Odd", email=f"{odd or 'none'}{number}@members.example", **name)
    started()

    _run, mails = issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=9))

    written = {reset.selector: reset for reset in PasswordReset.objects.select_related("member")}
    assert len(mails) == len(ODD)
    for email, token in mails:
        reset = written[token.selector]
        assert tokens.mint(reset) == token.text
        assert reset.recipient == reset.member.email.strip()
        assert ResetEmail.objects.get(public_id=email.public_id).recipient == reset.recipient
    labels = ModelLogEntry.objects.filter(action="wagtail_member_reset.send").values_list("label", flat=True)
    assert sorted(labels) == sorted(str(reset.member) for reset in written.values())


@pytest.mark.parametrize("missing", [(), (2,), (1,), (5,)], ids=["none", "in the middle", "the first", "the last"])
def test_rows_of_keys_are_those_and_no_others(missing):
    members = sorted(make_person(f"Mia{number}").pk for number in range(5))
    keys = [pk for number, pk in enumerate(members, start=1) if number not in missing]

    def found(keys):
        return sorted(get_user_model().objects.filter(rows.with_keys(keys)).values_list("pk", flat=True))

    assert found(keys) == keys
    assert found([str(key) for key in keys]) == keys
    assert found([]) == []


def test_keys_without_a_gap_cost_two_parameters():
    found = PasswordReset.objects.filter(rows.with_keys(list(range(1, 1001))))

    assert found.query.sql_with_params()[1] == (1, 1000)


def test_everybody_is_mailed_and_logged_either_way(way, mailoutbox):
    members = [make_person(f"Mia{number}") for number in range(3)]
    started()

    outbox.drain()

    logged = ModelLogEntry.objects.filter(action="wagtail_member_reset.send")
    assert {to for message in mailoutbox for to in message.to} == {member.email for member in members}
    assert dict(logged.values_list("object_id", "label")) == {str(member.pk): str(member) for member in members}


def test_nothing_to_log_writes_nothing(way):
    audit.record_many([], mailing=Mailing(pk=1, origin="mailing"), by=None)

    assert not ModelLogEntry.objects.filter(action__startswith="wagtail_member_reset").exists()
