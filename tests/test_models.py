from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from model_bakery import baker

from tests.conftest import make_person
from wagtail_member_reset.models import EmailState, PasswordReset, Purpose, ResetEmail, State

pytestmark = pytest.mark.django_db
START = "2026-11-23 12:00:00+00:00"
SECOND = timedelta(seconds=1)


def live(member, **fields):
    return baker.make_recipe("tests.live_reset", member=member, active_for=member, **fields)


def test_database_holds_one_live_link_per_member(member):
    live(member)

    with pytest.raises(IntegrityError), transaction.atomic():
        live(member)

    assert PasswordReset.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"active_for": None},  # active, and nobody's
        {"state": State.USED},  # closed, and still somebody's
        {"state": State.USED, "active_for": None},  # closed, and still derivable
    ],
)
def test_database_refuses_half_closed_links(member, change):
    reset = live(member)

    with pytest.raises(IntegrityError), transaction.atomic():
        PasswordReset.objects.filter(pk=reset.pk).update(**change)

    reset.refresh_from_db()
    assert (reset.state, reset.active_for_id) == (State.ACTIVE, member.pk)


def test_database_refuses_a_link_that_is_live_for_somebody_else(member):
    reset = live(member)

    with pytest.raises(IntegrityError), transaction.atomic():
        PasswordReset.objects.filter(pk=reset.pk).update(active_for=make_person("Eve"))


def test_closed_links_of_one_member_do_not_collide(member):
    baker.make_recipe("tests.used_reset", member=member, _quantity=3)
    live(member)

    assert PasswordReset.objects.filter(member=member).count() == 4


@pytest.mark.parametrize(
    ("age", "in_window", "is_live"),
    [
        (timedelta(hours=16) - SECOND, True, True),
        (timedelta(hours=16), False, True),
        (timedelta(days=7) - SECOND, False, True),
        (timedelta(days=7), False, False),
    ],
)
def test_window_and_life_end_to_the_second(member, age, in_window, is_live):
    with time_machine.travel(START, tick=False) as clock:
        reset = live(member)
        clock.shift(age)

        found = (reset.is_in_window, reset.is_live, not reset.is_expired)
        assert found == (in_window, is_live, is_live)
        assert PasswordReset.objects.live().exists() == is_live
        assert PasswordReset.objects.past_window().exists() == (not in_window)


def test_due_mails_wait_for_their_time_and_their_lease(member):
    now = timezone.now()
    rows = {
        "due": {"state": EmailState.QUEUED, "next_attempt_at": now - SECOND},
        "later": {"state": EmailState.QUEUED, "next_attempt_at": now + timedelta(minutes=1)},
        "claimed": {"state": EmailState.SENDING, "lease_until": now + timedelta(minutes=1)},
        "left behind": {"state": EmailState.SENDING, "lease_until": now - SECOND},
        "gone": {"state": EmailState.HANDED_OVER, "next_attempt_at": now - SECOND},
        "failed": {"state": EmailState.FAILED, "next_attempt_at": now - SECOND},
    }
    for name, fields in rows.items():
        baker.make_recipe("tests.handed_over_email", member=member, reset=None, result_text=name, **fields)

    due = set(ResetEmail.objects.due().values_list("result_text", flat=True))

    assert due == {"due", "left behind"}


def test_rows_go_with_their_member(member):
    reset = live(member)
    baker.make_recipe("tests.handed_over_email", member=member, reset=reset)

    member.delete()

    assert (PasswordReset.objects.count(), ResetEmail.objects.count()) == (0, 0)


@pytest.mark.parametrize("defers", [True, False], ids=["checks at the end", "checks at once"])
def test_member_with_a_live_link_can_be_deleted_on_every_database(member, sent, monkeypatch, defers):
    if defers and not connection.features.can_defer_constraint_checks:
        pytest.skip("this database checks each statement at once")
    # Django empties a nullable key first where the database, as MariaDB does, checks each statement at once.
    monkeypatch.setattr(connection.features, "can_defer_constraint_checks", defers)
    sent()

    member.delete()

    assert not PasswordReset.objects.exists()
    assert not ResetEmail.objects.exists()


def test_link_outlives_the_staff_member_who_sent_it(member, office):
    reset = live(member, issued_by=office)

    office.delete()

    reset.refresh_from_db()
    assert (reset.is_live, reset.issued_by) == (True, None)


def test_rows_say_nothing_of_the_token(member):
    reset = live(member, purpose=Purpose.WELCOME)
    email = baker.make_recipe("tests.handed_over_email", member=member, reset=reset)

    assert str(reset) == f"Welcome {reset.pk}"
    assert repr(reset) == f"<PasswordReset: Welcome {reset.pk}>"
    assert str(email) == f"Password reset {email.public_id}"


def test_names_on_models_of_others_cannot_be_theirs():
    """A user model may well have `password_resets` of its own, and two of a name are an error at start."""
    ours = apps.get_app_config("wagtail_member_reset").get_models(include_auto_created=True)
    to_others = [
        field.remote_field
        for model in ours
        for field in model._meta.get_fields()
        if field.remote_field
        and not field.auto_created
        and field.related_model._meta.app_label != model._meta.app_label
    ]

    assert len(to_others) > 5
    for relation in to_others:
        named = {relation.related_name, relation.related_query_name or relation.related_name}
        assert all(name.endswith("+") or name.startswith("wagtail_member_reset_") for name in named), relation
