"""The transitions below the verbs: what they write, and what they do when another writer was faster."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from model_bakery import baker
from wagtail.models import Site
from wagtail.users.models import UserProfile

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets, tokens
from wagtail_member_reset.db import retry
from wagtail_member_reset.exceptions import LinkProblem, Unredeemable
from wagtail_member_reset.links import issuer, state
from wagtail_member_reset.links.issuer import Effect
from wagtail_member_reset.models import Origin, PasswordReset, Purpose, Reason, ResetEmail, ResetRequest, State
from wagtail_member_reset.outbox import entry

pytestmark = pytest.mark.django_db
START = "2026-11-23 12:00:00+00:00"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def promise(member, **details):
    return entry.enqueue(member, **{"origin": Origin.STAFF, **details})


class TestPromise:
    def test_row_and_mail_hold_what_they_were_promised_with(self, member, office, clock):
        site = Site.objects.create(hostname="members.example", root_page_id=1, is_default_site=False)

        email = promise(member, by=office, purpose=Purpose.WELCOME, origin=Origin.IMPORT, site=site, language="de")

        reset = email.reset
        assert (reset.purpose, reset.origin, reset.issued_by, reset.site) == (
            Purpose.WELCOME,
            Origin.IMPORT,
            office,
            site,
        )
        assert (reset.recipient, reset.language, reset.issued_at) == ("mia@members.example", "de", timezone.now())
        assert (email.recipient, email.language, email.site) == (reset.recipient, reset.language, reset.site)
        assert (email.requested_by, email.purpose) == (office, Purpose.WELCOME)

    def test_default_site_serves_who_names_none(self, member):
        assert promise(member).reset.site == Site.objects.get(is_default_site=True)

    def test_members_own_language_comes_first(self, member, imported_member):
        UserProfile.objects.create(user=member, preferred_language="de")

        assert promise(member, language="en").language == "de"
        assert promise(imported_member, language="de").language == "de"
        assert promise(make_person("Eve")).language == "en"

    def test_what_still_waits_is_brought_forward(self, member, clock):
        email = promise(member)
        ResetEmail.objects.update(next_attempt_at=timezone.now() + timedelta(hours=6), attempts=5)

        again = promise(member)

        assert again == email
        assert ResetEmail.objects.get().next_attempt_at == timezone.now()

    def test_mail_that_is_being_sent_is_followed_by_another(self, member):
        email = promise(member)
        ResetEmail.objects.update(state="sending")

        assert promise(member) != email

    def test_replacing_a_link_that_the_account_has_outgrown_says_so(self, member):
        old = promise(member).reset
        get_user_model().objects.update(email="new@members.example")

        promise(member)

        old.refresh_from_db()
        assert (old.state, old.reason) == (State.REVOKED, Reason.ADDRESS_CHANGED)

    def test_replacing_a_link_that_fits_says_so(self, member):
        old = promise(member).reset

        promise(member, fresh=True)

        old.refresh_from_db()
        assert (old.state, old.reason, old.nonce) == (State.SUPERSEDED, Reason.NEWER_LINK, None)

    def test_two_members_do_not_meet(self, member, imported_member):
        promise(member)
        promise(imported_member)

        assert PasswordReset.objects.live().count() == 2


class TestEffect:
    def test_effect_is_told_before_it_happens(self, member, clock):
        told = [issuer.effect_of_sending(None, member)]
        reset = promise(member).reset
        told += [issuer.effect_of_sending(reset, member), issuer.effect_of_sending(reset, member, fresh=True)]
        clock.shift(timedelta(hours=16))
        told += [issuer.effect_of_sending(reset, member)]
        clock.shift(timedelta(days=7))
        told += [issuer.effect_of_sending(reset, member)]

        assert told == [
            Effect.NEW_LINK,
            Effect.SAME_LINK,
            Effect.REPLACES,
            Effect.REPLACES,
            Effect.NEW_LINK,
        ]

    def test_longer_window_than_life_promises_no_expired_link(self, member, clock, settings):
        settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=1)
        first = promise(member).reset
        clock.shift(timedelta(hours=2))

        second = promise(member).reset

        assert second != first
        assert second.is_live


class TestUse:
    def given(self, member):
        reset = promise(member).reset
        member.set_password("a quiet harbour 7")
        return reset

    def test_member_deleted_while_the_password_was_hashed_is_unknown(self, member):
        reset = self.given(member)
        get_user_model().objects.filter(pk=member.pk).delete()

        with pytest.raises(Unredeemable) as refused:
            state.use(reset, member=member)

        assert refused.value.problem is LinkProblem.UNKNOWN
        assert not get_user_model().objects.filter(pk=member.pk).exists()

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (lambda reset: resets.revoke(reset, by=None), LinkProblem.REVOKED),
            (lambda reset: PasswordReset.objects.update(expires_at=timezone.now()), LinkProblem.EXPIRED),
            (lambda reset: get_user_model().objects.update(is_active=False), LinkProblem.REVOKED),
            (lambda reset: get_user_model().objects.update(email="new@members.example"), LinkProblem.REVOKED),
            (lambda reset: get_user_model().objects.update(password="md5$another$hash"), LinkProblem.REVOKED),
        ],
    )
    def test_what_changed_while_the_password_was_hashed_counts(self, member, change, problem):
        reset = self.given(member)
        change(PasswordReset.objects.get())
        before = get_user_model().objects.values_list("password").get()

        with pytest.raises(Unredeemable) as refused:
            state.use(reset, member=member)

        assert refused.value.problem is problem
        assert get_user_model().objects.values_list("password").get() == before
        assert PasswordReset.objects.get().state != State.USED
        assert not ResetEmail.objects.filter(purpose=Purpose.PASSWORD_CHANGED).exists()


class TestClose:
    def test_final_states_stay_final(self, member):
        reset = promise(member).reset
        assert state.close(reset, State.REVOKED, Reason.STAFF)
        before = PasswordReset.objects.values().get()

        assert not state.close(PasswordReset.objects.get(), State.SUPERSEDED, Reason.NEWER_LINK)
        assert PasswordReset.objects.values().get() == before

    def test_stale_row_in_hand_does_not_close_twice(self, member):
        reset = promise(member).reset
        stale = PasswordReset.objects.get()
        state.close(reset, State.REVOKED, Reason.STAFF)

        assert not state.close(stale, State.SUPERSEDED, Reason.NEWER_LINK)
        assert PasswordReset.objects.get().state == State.REVOKED


class TestReissue:
    def test_new_link_is_of_the_old_kind_and_takes_over_the_mail(self, member, office, clock):
        email = promise(member, by=office, purpose=Purpose.WELCOME, origin=Origin.MAILING, language="de")
        old = email.reset
        clock.shift(timedelta(hours=17))

        new = issuer.reissue(email)

        old.refresh_from_db()
        kind = ("purpose", "origin", "issued_by", "site", "language", "recipient")
        assert [getattr(new, name) for name in kind] == [getattr(old, name) for name in kind]
        assert (old.state, new.issued_at) == (State.SUPERSEDED, timezone.now())
        assert ResetEmail.objects.get().reset == new
        assert tokens.mint(new)

    def test_email_and_link_are_both_in_the_language_that_the_member_has_by_now(self, member, office, clock):
        promise(member, by=office, language="de")
        UserProfile.objects.update_or_create(user=member, defaults={"preferred_language": "en"})
        clock.shift(timedelta(hours=17))
        email = ResetEmail.objects.get()

        new = issuer.reissue(email)

        assert (new.language, email.language, ResetEmail.objects.get().language) == ("en", "en", "en")


class TestSweep:
    def test_window_that_ended_is_erased_and_the_others_are_left(self, member, imported_member, clock):
        old = promise(member).reset
        clock.shift(timedelta(hours=16))
        young = promise(imported_member).reset

        state.sweep()

        nonces = dict(PasswordReset.objects.values_list("pk", "nonce"))
        assert nonces[old.pk] is None
        assert nonces[young.pk] is not None

    def test_reactivating_does_not_revive_a_link(self, member):
        token = tokens.mint(promise(member).reset)
        get_user_model().objects.update(is_active=False)
        state.sweep()
        get_user_model().objects.update(is_active=True)

        with pytest.raises(Unredeemable) as refused:
            resets.look(resets.open(token))
        assert refused.value.problem is LinkProblem.REVOKED

    def test_sweep_takes_two_statements_however_many_links(self, member):
        baker.make_recipe("tests.used_reset", member=member, _quantity=20)

        with CaptureQueriesContext(connection) as queries:
            state.sweep()

        statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert statements == ["UPDATE", "UPDATE"]


class TestPurge:
    def test_links_are_forgotten_a_month_after_they_ran_out(self, member, office, clock):
        resets.send(member, by=office)
        outbox.drain()
        kept = []
        for age in (timedelta(days=37), timedelta(days=37, seconds=1)):
            clock.move_to(PasswordReset.objects.get().issued_at + age)
            call_command("purge_member_resets", verbosity=0, stdout=NoOutput())
            kept.append((PasswordReset.objects.count(), ResetEmail.objects.count()))

        assert kept == [(1, 1), (0, 0)]

    def test_retention_is_the_sites(self, member, settings):
        settings.WAGTAIL_MEMBER_RESET_RETENTION = timedelta(days=1)
        old = timezone.now() - timedelta(days=2)
        baker.make_recipe("tests.used_reset", member=member, expires_at=old, _quantity=3)
        baker.make_recipe("tests.live_reset", member=member, active_for=member)

        assert state.purge() == 3
        assert PasswordReset.objects.get().is_live

    def test_many_rows_go_in_chunks(self, member, monkeypatch):
        monkeypatch.setattr(state, "PURGE_CHUNK", 2)
        baker.make_recipe(
            "tests.used_reset", member=member, expires_at=timezone.now() - timedelta(days=31), _quantity=5
        )

        assert (state.purge(), PasswordReset.objects.count()) == (5, 0)

    def test_requests_go_after_a_day_with_the_same_command(self, db, clock):
        resets.request("mia@members.example", network="192.0.2.7", site=None, language="en")
        clock.shift(timedelta(days=1, seconds=1))

        call_command("purge_member_resets", verbosity=0, stdout=NoOutput())

        assert not ResetRequest.objects.exists()


class NoOutput:
    def write(self, text):
        pass


class Flaky:
    """A transaction that another writer disturbs as often as `errors` says."""

    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestRetry:
    def test_a_faster_writer_is_waited_for(self):
        flaky = Flaky(IntegrityError(), OperationalError("database is locked"), OperationalError("deadlock detected"))

        assert (retry.retried(flaky), flaky.calls) == ("done", 4)

    def test_an_error_that_stays_is_raised_after_eight_attempts(self, monkeypatch):
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        flaky = Flaky(*[OperationalError()] * 20)

        with pytest.raises(OperationalError):
            retry.retried(flaky)
        assert flaky.calls == 8

    @pytest.mark.slow
    def test_within_a_callers_transaction_a_collision_is_retried_in_a_savepoint(self):
        flaky = Flaky(IntegrityError())

        with transaction.atomic():
            assert retry.retried(flaky) == "done"

    def test_within_a_callers_transaction_a_lost_transaction_is_not_retried(self):
        """After a deadlock, the database has ended the caller's transaction: going on would write half of it."""
        flaky = Flaky(OperationalError())

        with pytest.raises(OperationalError), transaction.atomic():
            retry.retried(flaky)
        assert flaky.calls == 1

    def test_other_errors_are_not_retried(self):
        flaky = Flaky(KeyError())

        with pytest.raises(KeyError):
            retry.retried(flaky)
        assert flaky.calls == 1
