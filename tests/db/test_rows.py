"""Many rows at once: as `bulk_create` would write them, and with the keys that they have."""

import copy
from datetime import datetime, timedelta
from datetime import timezone as zones

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_bakery import baker
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import audit, mailings, outbox, tokens
from wagtail_member_reset.db import rows
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing, PasswordReset, ResetEmail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

EVERYBODY = Choice(kind=Kind.NEVER_SIGNED_IN)


@pytest.fixture(params=["as the database does best", "by bulk_create"])
def way(request, monkeypatch):
    if request.param == "by bulk_create":
        monkeypatch.setattr(rows, "_takes_columns", lambda connection: False)


def started():
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    return mailing


def issue_next():
    return issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=9))


def test_rows_know_their_keys_where_the_database_can_tell():
    for number in range(5):
        make_person(f"Mia{number}")
    started()

    _mailing, mails = issue.issue_chunk(
        chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=9)
    )

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

    _mailing, mails = issue.issue_chunk(
        chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=9)
    )

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


TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=40)
FIRST = datetime(2000, 1, 1)  # noqa: DTZ001 - the strategy adds the zone
MOMENTS = st.datetimes(min_value=FIRST, timezones=st.just(zones.utc))
NUMBERS = st.integers(0, 30_000)
DATA = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS, lambda inner: st.dictionaries(TEXTS, inner, max_size=3)
)
MAILINGS = st.builds(
    Mailing,
    choice=st.dictionaries(TEXTS, DATA, max_size=3),
    again=st.booleans(),
    language=TEXTS.map(lambda text: text[:16]),
    per_hour=st.none() | NUMBERS,
    held_until=st.none() | MOMENTS,
    created_at=MOMENTS,
    failed=st.integers(-30_000, 30_000),
)


def values_of(model, row):
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    return {name: getattr(row, name) for name in names}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(MAILINGS, min_size=1, max_size=4))
@pytest.mark.slow
def test_any_values_are_written_as_bulk_create_writes_them(found):
    ours = [copy.copy(row) for row in found]

    rows.insert(ours)
    Mailing.objects.bulk_create(found)

    written = [values_of(Mailing, row) for row in Mailing.objects.order_by("pk")]
    assert written[: len(found)] == written[len(found) :]
    Mailing.objects.all().delete()


@pytest.mark.parametrize("nonce", [None, b"", b"\x00\xff'\\", bytes(range(32))])
def test_bytes_and_nothing_are_written_as_bulk_create_writes_them(nonce):
    members = [make_person("One"), make_person("Two")]
    key = baker.prepare_recipe(
        "tests.live_reset", member=members[0], active_for=members[0], nonce=nonce, selector="a" * 12
    )
    other = copy.copy(key)
    other.member = other.active_for = members[1]
    other.selector = "b" * 12

    rows.insert([key])
    PasswordReset.objects.bulk_create([other])

    one, two = (values_of(PasswordReset, row) for row in PasswordReset.objects.order_by("selector"))
    differ = ("member_id", "active_for_id", "selector")
    assert {name: bytes(v) if isinstance(v, memoryview) else v for name, v in one.items() if name not in differ} == {
        name: bytes(v) if isinstance(v, memoryview) else v for name, v in two.items() if name not in differ
    }


def test_wrapped_cursor_goes_by_bulk_create(monkeypatch):
    """As debug-toolbar has one, which knows neither of keys nor of how many rows there were."""

    class Wrapped:
        def __init__(self, cursor):
            self.cursor = cursor

        def __getattr__(self, name):
            return getattr(self.cursor, name)

        def __enter__(self):
            return self

        def __exit__(self, *exc_info):
            self.cursor.close()

    cursor = connection.cursor
    monkeypatch.setattr(connection, "cursor", lambda *args, **kwargs: Wrapped(cursor(*args, **kwargs)))

    assert not rows._takes_columns(connection)


def test_field_that_is_not_known_goes_by_bulk_create(monkeypatch):
    monkeypatch.setattr(rows, "KNOWN_FIELDS", rows.KNOWN_FIELDS - {"JSONField"})

    assert (rows._has_known_fields(Mailing), rows._has_known_fields(ResetEmail)) == (False, True)
