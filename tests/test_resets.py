"""The verbs, as promises to staff and members."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets, tokens
from wagtail_member_reset.exceptions import EffectChanged, LinkProblem, Refusal, SendRefused, Unredeemable, WindowClosed
from wagtail_member_reset.models import EmailState, Origin, PasswordReset, Purpose, ResetEmail, State
from wagtail_member_reset.resets import Effect, Standing
from wagtail_member_reset.signals import reset_redeemed, reset_sent

pytestmark = pytest.mark.django_db
START = "2026-11-23 12:00:00+00:00"
NEW = "a quiet harbour 7"
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def token_of(reset):
    return tokens.mint(PasswordReset.objects.get(pk=reset.pk))


def rows():
    """All that a refusal must leave as it is."""
    models = (PasswordReset, ResetEmail, ModelLogEntry, get_user_model())
    return {model: list(model.objects.order_by("pk").values()) for model in models}


def problem(call, *args, **kwargs):
    with pytest.raises(Unredeemable) as refused:
        call(*args, **kwargs)
    return refused.value.problem


def log():
    entries = ModelLogEntry.objects.filter(action__startswith="wagtail_member_reset.").order_by("timestamp", "pk")
    return [(entry.action.partition(".")[2], entry.user, entry.object_id) for entry in entries]


def nobody(member):
    return False


def forbid(settings, how):
    if how == "may not be reset":
        settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.test_resets.nobody"
    else:
        settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False


SITE_SAYS_NO = [("may not be reset", Refusal.NOT_ALLOWED), ("passwords disabled", Refusal.PASSWORDS_DISABLED)]


class TestSending:
    def test_sending_again_in_the_window_gives_the_same_link_and_moves_no_clock(self, member, office, sent, clock):
        first = sent()
        token = token_of(first)
        clock.shift(timedelta(hours=16) - SECOND)

        again = sent()

        assert (again.pk, token_of(again)) == (first.pk, token)
        assert (again.issued_at, again.expires_at) == (first.issued_at, first.expires_at)
        assert again.expires_at - again.issued_at == timedelta(days=7)
        assert ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() == 2

    def test_sending_after_the_window_gives_a_new_link_and_ends_the_earlier_one(self, sent, clock):
        first = sent()
        old = token_of(first)
        clock.shift(timedelta(hours=16))

        second = sent()

        assert second.pk != first.pk
        assert second.issued_at == timezone.now()
        assert problem(resets.look, resets.open(old)) is LinkProblem.SUPERSEDED
        assert resets.look(resets.open(token_of(second))) == second

    def test_link_works_after_the_window_as_long_as_nobody_sends(self, member, sent, clock):
        token = token_of(sent())
        clock.shift(timedelta(days=7) - SECOND)

        resets.redeem(resets.open(token), password=NEW)

        member.refresh_from_db()
        assert member.check_password(NEW)

    def test_expired_link_is_followed_by_a_new_one(self, sent, clock):
        first = sent()
        old = token_of(first)
        clock.shift(timedelta(days=7))

        expired = problem(resets.look, resets.open(old))
        second = sent()

        first.refresh_from_db()
        assert expired is LinkProblem.EXPIRED
        assert (first.state, second.is_live) == (State.SUPERSEDED, True)

    def test_a_day_long_lifetime_leaves_eight_hours_after_the_window(self, sent, clock, settings):
        settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
        reset = sent()
        token = token_of(reset)
        clock.shift(timedelta(hours=16))
        left = reset.expires_at - timezone.now()
        clock.shift(timedelta(hours=8) - SECOND)
        resets.look(resets.open(token))
        clock.shift(SECOND)

        assert left == timedelta(hours=8)
        assert problem(resets.look, resets.open(token)) is LinkProblem.EXPIRED

    def test_pending_welcome_stays_a_welcome_also_as_a_new_link(self, member, office, sent, clock):
        sent(purpose=Purpose.WELCOME)
        resent = sent()
        clock.shift(timedelta(hours=17))

        renewed = sent()
        rotated = resets.rotate(member, by=office)

        assert [reset.purpose for reset in (resent, renewed, rotated)] == [Purpose.WELCOME] * 3
        assert set(ResetEmail.objects.values_list("purpose", flat=True)) == {Purpose.WELCOME}

    def test_after_a_used_welcome_comes_a_reset(self, sent):
        resets.redeem(resets.open(token_of(sent(purpose=Purpose.WELCOME))), password=NEW)

        assert sent().purpose == Purpose.RESET

    def test_recipient_is_the_address_on_the_account_now(self, member, sent, mailoutbox):
        stale = get_user_model().objects.get(pk=member.pk)
        get_user_model().objects.filter(pk=member.pk).update(email="new@members.example")

        reset = sent(stale)

        assert (reset.recipient, mailoutbox[0].to) == ("new@members.example", ["new@members.example"])

    def test_two_clicks_before_the_mail_left_cause_one_mail(self, member, office, mailoutbox):
        resets.send(member, by=office)
        resets.send(member, by=office)

        outbox.drain()

        assert len(mailoutbox) == 1

    def test_rotating_gives_a_new_link_inside_the_window(self, member, office, sent):
        first = sent()
        old = token_of(first)

        second = resets.rotate(member, by=office)

        assert second.pk != first.pk
        assert problem(resets.look, resets.open(old)) is LinkProblem.SUPERSEDED

    def test_sending_with_a_lost_key_gives_a_new_link(self, sent, settings):
        first = sent()
        old = token_of(first)
        settings.SECRET_KEY = "another key " + "z" * 50

        second = sent()

        assert second.pk != first.pk
        assert problem(resets.open, old) is LinkProblem.UNKNOWN
        assert resets.look(resets.open(token_of(second))) == second

    @pytest.mark.parametrize(
        ("fields", "refusal"),
        [({"is_active": False}, Refusal.INACTIVE), ({"email": ""}, Refusal.NO_ADDRESS)],
    )
    @pytest.mark.parametrize("verb", [resets.send, resets.rotate])
    def test_accounts_that_cannot_be_mailed_are_refused(self, member, office, sent, verb, fields, refusal):
        get_user_model().objects.filter(pk=member.pk).update(**fields)
        before = rows()

        with pytest.raises(SendRefused) as refused:
            verb(member, by=office)

        assert (refused.value.refusal, rows()) == (refusal, before)

    @pytest.mark.parametrize(("how", "refusal"), SITE_SAYS_NO)
    @pytest.mark.parametrize("verb", [resets.send, resets.rotate])
    def test_accounts_that_the_site_excludes_are_refused(self, member, office, settings, verb, how, refusal):
        forbid(settings, how)
        before = rows()

        with pytest.raises(SendRefused) as refused:
            verb(member, by=office)

        assert (refused.value.refusal, rows()) == (refusal, before)

    def test_a_member_deleted_meanwhile_is_refused(self, member, office):
        stale = get_user_model().objects.get(pk=member.pk)
        member.delete()

        with pytest.raises(SendRefused):
            resets.send(stale, by=office)

        assert not PasswordReset.objects.exists()

    @pytest.mark.parametrize(
        ("before", "verb", "expected", "wrong"),
        [
            ("nothing", resets.send, Effect.NEW_LINK, Effect.SAME_LINK),
            ("live", resets.send, Effect.SAME_LINK, Effect.NEW_LINK),
            ("live", resets.rotate, Effect.REPLACES, Effect.SAME_LINK),
            ("old", resets.send, Effect.REPLACES, Effect.SAME_LINK),
        ],
    )
    def test_an_answer_to_an_outdated_question_changes_nothing(
        self, member, office, sent, clock, before, verb, expected, wrong
    ):
        if before != "nothing":
            sent()
        if before == "old":
            clock.shift(timedelta(hours=16))
        stand = rows()

        with pytest.raises(EffectChanged):
            verb(member, by=office, expected=wrong)
        unchanged = rows() == stand
        verb(member, by=office, expected=expected)

        assert unchanged
        assert rows() != stand

    def test_a_send_that_is_rolled_back_never_was(self, member, office, django_capture_on_commit_callbacks):
        class Crash(Exception):
            pass

        before = rows()
        with django_capture_on_commit_callbacks() as callbacks, pytest.raises(Crash), transaction.atomic():
            resets.send(member, by=office)
            raise Crash

        assert (rows(), callbacks) == (before, [])

    def test_sites_hear_of_a_send_after_the_commit(self, member, office, django_capture_on_commit_callbacks):
        heard = []
        listen = lambda sender, reset, email, **kwargs: heard.append((sender, reset, email.reset))  # noqa: E731
        reset_sent.connect(listen)

        with django_capture_on_commit_callbacks(execute=True):
            reset = resets.send(member, by=office)
            too_early = list(heard)
        reset_sent.disconnect(listen)

        assert (too_early, heard) == ([], [(PasswordReset, reset, reset)])

    def test_a_listener_that_fails_fails_nobody(self, member, office, sent, mailoutbox):
        def fail(**kwargs):
            raise RuntimeError

        reset_sent.connect(fail)
        try:
            sent()
        finally:
            reset_sent.disconnect(fail)

        assert len(mailoutbox) == 1


class TestRevoking:
    def test_revoked_link_opens_nothing(self, member, office, sent):
        reset = sent()
        token = token_of(reset)

        assert resets.revoke(reset, by=office)

        assert problem(resets.look, resets.open(token)) is LinkProblem.REVOKED
        assert resets.link(reset) is None

    def test_revoking_twice_changes_and_notes_nothing_more(self, office, admin, sent):
        reset = sent()
        resets.revoke(reset, by=office)
        before = rows()

        assert not resets.revoke(PasswordReset.objects.get(), by=admin)
        assert rows() == before

    def test_used_link_cannot_be_revoked(self, office, sent):
        reset = sent()
        resets.redeem(resets.open(token_of(reset)), password=NEW)

        assert not resets.revoke(reset, by=office)
        reset.refresh_from_db()
        assert reset.state == State.USED


class TestOpening:
    def test_opening_is_noted_once_and_changes_nothing_else(self, member, sent, clock):
        token = token_of(sent())
        resets.open(token)
        opened = PasswordReset.objects.get().opened_at
        before = rows()
        clock.shift(timedelta(hours=1))

        for _ in range(3):
            resets.look(resets.open(token))

        assert opened is not None
        assert rows() == before

    @pytest.mark.parametrize("junk", ["", "nonsense", "x" * 10_000, "../../etc/passwd", "0" * 40, "\0"])
    def test_junk_costs_no_query(self, db, django_assert_num_queries, junk):
        with django_assert_num_queries(0):
            assert problem(resets.open, junk) is LinkProblem.DAMAGED

    def test_who_guesses_learns_nothing(self, sent, office, django_assert_num_queries):
        """A selector that exists with a wrong secret is answered, and queried, as one that does not."""
        reset = sent()
        closed = sent(make_person("Eve"))
        resets.revoke(closed, by=office)

        for selector in (reset.selector, closed.selector, "0" * 12):
            guess = selector + "0" * 26 + tokens._check(selector, "0" * 26)
            with django_assert_num_queries(1):
                assert problem(resets.open, guess) is LinkProblem.UNKNOWN

    def test_grant_made_from_the_row_and_the_key_is_refused(self, sent, clock):
        """After the window not even the database and SECRET_KEY give a proof: it takes the secret."""
        reset = sent()
        clock.shift(timedelta(hours=17))
        outbox.drain()
        reset.refresh_from_db()

        for proof in (reset.verifier, reset.key_id, reset.password_mark, ""):
            assert problem(resets.look, resets.Grant(reset.selector, proof)) is LinkProblem.UNKNOWN
        with pytest.raises(WindowClosed):
            tokens.mint(reset)

    def test_grant_of_another_member_opens_nothing(self, sent):
        mine = resets.open(token_of(sent()))
        other = sent(make_person("Eve"))

        assert problem(resets.look, resets.Grant(other.selector, mine.proof)) is LinkProblem.UNKNOWN

    def test_grant_shows_no_proof(self, sent):
        grant = resets.open(token_of(sent()))

        assert grant.proof not in f"{grant} {grant!r}"


def by_update(member, **fields):
    get_user_model().objects.filter(pk=member.pk).update(**fields)


def by_sql(member, **fields):
    table, pk = get_user_model()._meta.db_table, get_user_model()._meta.pk
    with connection.cursor() as cursor:
        for name, value in fields.items():
            key = pk.get_db_prep_value(member.pk, connection)
            cursor.execute(f"UPDATE {table} SET {name} = %s WHERE id = %s", [value, key])


def by_save(member, **fields):
    member.refresh_from_db()
    for name, value in fields.items():
        setattr(member, name, value)
    member.save()


class TestAccountThatChanged:
    @pytest.mark.parametrize("change", [by_update, by_sql, by_save])
    @pytest.mark.parametrize(
        "fields",
        [
            {"password": make_password("chosen elsewhere 3")},
            {"password": make_password(None)},
            {"email": "new@members.example"},
            {"email": "mıa@members.example"},
            {"is_active": False},
        ],
        ids=["password", "no password", "address", "look-alike", "inactive"],
    )
    def test_link_ends_however_the_account_changes(self, member, sent, change, fields):
        grant = resets.open(token_of(sent()))
        old = get_user_model().objects.get(pk=member.pk)
        change(member, **fields)

        refused = problem(resets.redeem, grant, password=NEW)
        change(member, password=old.password, email=old.email, is_active=True)

        member.refresh_from_db()
        assert refused is LinkProblem.REVOKED
        assert problem(resets.redeem, grant, password=NEW) is LinkProblem.REVOKED  # ended for good
        assert not member.check_password(NEW)
        assert not ResetEmail.objects.filter(purpose=Purpose.PASSWORD_CHANGED).exists()

    @pytest.mark.parametrize("fields", [{"email": "MIA@members.example"}, {"first_name": "Maria"}])
    def test_what_does_not_matter_leaves_the_link_alone(self, member, sent, fields):
        grant = resets.open(token_of(sent()))
        by_save(member, **fields)

        assert resets.look(grant).is_live

    def test_rolling_an_unusable_password_anew_leaves_the_link_alone(self, imported_member, sent):
        grant = resets.open(token_of(sent(imported_member)))
        for _ in range(3):
            imported_member.set_unusable_password()
            imported_member.save()

        resets.redeem(grant, password=NEW)

        imported_member.refresh_from_db()
        assert imported_member.check_password(NEW)

    def test_logging_in_leaves_the_link_alone(self, member, sent, client):
        grant = resets.open(token_of(sent()))

        client.force_login(member)

        assert resets.look(grant).is_live

    @pytest.mark.parametrize(("how", "refusal"), SITE_SAYS_NO)
    def test_accounts_that_the_site_excludes_meanwhile_cannot_redeem(self, member, sent, settings, how, refusal):
        grant = resets.open(token_of(sent()))
        forbid(settings, how)

        assert problem(resets.look, grant) is LinkProblem.REVOKED
        assert problem(resets.redeem, grant, password=NEW) is LinkProblem.REVOKED
        member.refresh_from_db()
        assert member.check_password("old password 1")

    @pytest.mark.parametrize(("how", "refusal"), SITE_SAYS_NO)
    def test_mail_to_an_account_that_the_site_excludes_meanwhile_does_not_leave(
        self, member, office, settings, mailoutbox, how, refusal
    ):
        resets.send(member, by=office)
        forbid(settings, how)

        outbox.drain()

        assert (mailoutbox, ResetEmail.objects.get().state) == ([], EmailState.SKIPPED)

    def test_link_of_a_deleted_member_is_unknown(self, member, sent):
        token = token_of(sent())
        grant = resets.open(token)
        member.delete()

        assert problem(resets.open, token) is LinkProblem.UNKNOWN
        assert problem(resets.redeem, grant, password=NEW) is LinkProblem.UNKNOWN


class TestRedeeming:
    def test_second_use_is_refused(self, member, sent):
        grant = resets.open(token_of(sent()))
        reset = resets.redeem(grant, password=NEW)

        assert problem(resets.redeem, grant, password="another harbour 8") is LinkProblem.USED
        member.refresh_from_db()
        assert member.check_password(NEW)
        assert (reset.state, reset.nonce, reset.active_for) == (State.USED, None, None)
        assert reset.used_at == reset.closed_at is not None

    @pytest.mark.parametrize(
        ("end", "told"),
        [
            (lambda reset, member: resets.revoke(reset, by=None), LinkProblem.REVOKED),
            (lambda reset, member: resets.rotate(member, by=None), LinkProblem.SUPERSEDED),
            (lambda reset, member: PasswordReset.objects.update(expires_at=timezone.now()), LinkProblem.EXPIRED),
        ],
    )
    def test_form_that_comes_too_late_says_what_happened_and_changes_nothing(self, member, sent, end, told):
        reset = sent()
        grant = resets.open(token_of(reset))
        resets.look(grant)
        end(reset, member)
        before = rows()

        assert problem(resets.redeem, grant, password=NEW) is told
        assert rows() == before

    def test_imported_member_gets_a_first_password(self, imported_member, sent):
        resets.redeem(resets.open(token_of(sent(imported_member))), password=NEW)

        imported_member.refresh_from_db()
        assert imported_member.check_password(NEW)

    def test_nothing_but_the_password_changes(self, member, sent):
        name = get_user_model().USERNAME_FIELD
        fields = ("pk", name, "email", "is_active", "is_staff", "is_superuser", "last_login", "last_name")
        account = get_user_model().objects.filter(pk=member.pk)
        grant, before = resets.open(token_of(sent())), account.values(*fields).get()

        resets.redeem(grant, password=NEW)

        assert account.values(*fields).get() == before

    def test_sessions_opened_with_the_old_password_end(self, member, sent):
        browser = Client()
        browser.force_login(member)
        assert browser.get("/admin/login/").wsgi_request.user == member

        resets.redeem(resets.open(token_of(sent())), password=NEW)

        assert browser.get("/admin/login/").wsgi_request.user.is_anonymous

    def test_member_is_told_by_mail_without_a_link(self, member, sent, mailoutbox):
        grant = resets.open(token_of(sent()))
        resets.redeem(grant, password=NEW)

        outbox.drain()

        told = mailoutbox[-1]
        assert (told.to, len(mailoutbox)) == (["mia@members.example"], 2)
        assert "/account/r/" not in f"{told.body} {told.alternatives[0][0]}"
        assert ResetEmail.objects.latest("pk").purpose == Purpose.PASSWORD_CHANGED

    def test_validators_hear_of_the_password(self, member, sent, settings):
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": "tests.test_resets.Remembering"}]
        Remembering.heard.clear()

        resets.redeem(resets.open(token_of(sent())), password=NEW)

        assert Remembering.heard == [(NEW, member.pk)]

    def test_the_user_models_own_way_to_set_a_password_is_kept(self, member, sent, monkeypatch):
        """As models do that keep an old password, or its date. What is replaced is the site's own method."""
        model, asked = get_user_model(), []
        own = model.set_password
        monkeypatch.setattr(model, "set_password", lambda self, raw: (asked.append(raw), own(self, raw))[1])

        resets.redeem(resets.open(token_of(sent())), password=NEW)

        assert asked == [NEW]

    def test_sites_hear_of_it_after_the_commit(self, member, sent, django_capture_on_commit_callbacks):
        heard = []
        listen = lambda reset, member, **kwargs: heard.append((reset.pk, member.pk))  # noqa: E731
        grant = resets.open(token_of(sent()))
        reset_redeemed.connect(listen)

        with django_capture_on_commit_callbacks(execute=True):
            reset = resets.redeem(grant, password=NEW)
            too_early = list(heard)
        reset_redeemed.disconnect(listen)

        assert (too_early, heard) == ([], [(reset.pk, member.pk)])

    @pytest.mark.parametrize(
        ("is_mailed", "note", "told"),
        [
            (True, None, (True, False)),
            (False, None, (False, False)),
            (True, resets.note_shown, (True, True)),
            (True, resets.note_copied, (True, True)),
            (False, resets.note_shown, (False, True)),
        ],
    )
    def test_sites_hear_whether_it_was_mailed_and_whether_staff_saw_it(
        self, member, office, django_capture_on_commit_callbacks, is_mailed, note, told
    ):
        heard = []
        listen = lambda mailed_to, was_shown, **kwargs: heard.append((mailed_to, was_shown))  # noqa: E731
        reset = resets.send(member, by=office)
        if is_mailed:
            outbox.drain()
        if note:
            note(reset, by=office)
        grant = resets.open(token_of(reset))
        reset_redeemed.connect(listen)

        with django_capture_on_commit_callbacks(execute=True):
            resets.redeem(grant, password=NEW)
        reset_redeemed.disconnect(listen)

        assert heard == [(member.email if told[0] else "", told[1])]

    def test_password_and_link_change_together_or_not_at_all(self, member, sent, monkeypatch):
        grant = resets.open(token_of(sent()))
        before = rows()
        # What fails is the site's own model.
        monkeypatch.setattr(get_user_model(), "save", lambda *args, **kwargs: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            resets.redeem(grant, password=NEW)

        assert rows() == before


class Remembering:
    """A validator that keeps a history, as several packages do."""

    heard = []

    def validate(self, password, user=None):
        pass

    def password_changed(self, password, user=None):
        self.heard.append((password, user.pk))


class TestStatus:
    def test_nothing_was_sent_yet(self, member):
        status = resets.status(member)

        assert (status.standing, status.effect, status.reset, status.email) == (
            Standing.NOTHING_SENT,
            Effect.NEW_LINK,
            None,
            None,
        )
        assert (status.address, status.refusal) == ("mia@members.example", None)

    def test_status_follows_the_link_through_its_life(self, member, sent, clock):
        reset = sent()
        seen = []
        for age in (SECOND, timedelta(hours=16), timedelta(days=7)):
            clock.move_to(reset.issued_at + age)
            status = resets.status(member)
            seen.append((status.standing, status.effect, bool(resets.link(status.reset))))

        assert seen == [
            (Standing.WAITING, Effect.SAME_LINK, True),
            (Standing.QUIET, Effect.REPLACES, False),
            (Standing.EXPIRED, Effect.NEW_LINK, False),
        ]

    def test_ended_links_say_how_they_ended(self, member, sent, office):
        resets.revoke(sent(), by=office)
        revoked = resets.status(member).standing
        resets.redeem(resets.open(token_of(sent())), password=NEW)
        member.refresh_from_db()

        assert (revoked, resets.status(member).standing) == (Standing.REVOKED, Standing.USED)

    @pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=17), timedelta(days=8)])
    def test_a_look_costs_two_queries_when_all_is_well(self, member, sent, clock, django_assert_num_queries, age):
        sent()
        clock.shift(age)
        resets.status(member)  # what has to be put right is put right

        with django_assert_num_queries(2):  # the mail with its link, and what was reported of it
            status = resets.status(member)
            resets.link(status.reset)

    def test_first_look_after_the_window_makes_the_link_underivable(self, member, sent, clock):
        reset = sent()
        clock.shift(timedelta(hours=16))

        resets.status(member)

        reset.refresh_from_db()
        assert (reset.nonce, reset.is_live) == (None, True)

    def test_a_look_ends_a_link_that_the_account_has_outgrown(self, member, sent):
        reset = sent()
        by_update(member, email="new@members.example")
        member.refresh_from_db()

        status = resets.status(member)

        reset.refresh_from_db()
        assert (status.standing, status.address, resets.link(status.reset)) == (
            Standing.REVOKED,
            "new@members.example",
            None,
        )
        assert (reset.state, reset.reason) == (State.REVOKED, "address_changed")

    def test_mail_about_a_changed_password_is_not_the_status(self, member, sent):
        reset = sent()
        resets.redeem(resets.open(token_of(reset)), password=NEW)
        outbox.drain()
        member.refresh_from_db()

        assert (resets.status(member).email.purpose, resets.status(member).reset) == (Purpose.RESET, reset)

    def test_newest_reset_is_the_status_whoever_asked_for_it(self, member, sent, clock):
        sent()
        clock.shift(timedelta(hours=17))
        resets.request("mia@members.example", network="192.0.2.7", site=None, language="en")
        outbox.drain()

        assert resets.status(member).reset.origin == Origin.MEMBER

    def test_link_shows_nothing_without_a_key_that_made_it(self, sent, settings):
        reset = sent()
        settings.SECRET_KEY = "another key " + "z" * 50

        assert resets.link(reset) is None

    def test_two_looks_give_one_link_and_change_nothing(self, member, sent):
        reset = sent()
        before = rows()

        links = {resets.link(resets.status(member).reset) for _ in range(3)}

        assert links == {f"https://club.example/account/r/{token_of(reset)}"}
        assert rows() == before


class TestNotes:
    def test_first_showing_and_first_copy_are_kept(self, member, office, sent, clock):
        reset = sent()
        first = timezone.now()
        resets.note_shown(reset, by=office)
        resets.note_copied(reset, by=office)
        clock.shift(timedelta(hours=1))
        reset.refresh_from_db()
        resets.note_shown(reset, by=office)
        resets.note_copied(reset, by=office)

        reset.refresh_from_db()
        assert (reset.shown_at, reset.copied_at) == (first, first)

    def test_audit_log_says_who_did_what_to_whom(self, member, office, admin, sent, clock):
        reset = sent()
        sent()
        resets.note_shown(reset, by=office)
        resets.note_copied(reset, by=office)
        resets.rotate(member, by=admin)
        resets.revoke(PasswordReset.objects.get(state=State.ACTIVE), by=admin)
        resets.note_refused(member, by=office)
        resets.redeem(resets.open(token_of(resets.send(member, by=office))), password=NEW)

        done = [("send", office), ("resend", office), ("show", office), ("copy", office), ("replace", admin)]
        done += [("revoke", admin), ("refuse", office), ("send", office), ("use", None)]
        assert sorted(log(), key=str) == sorted([(action, by, str(member.pk)) for action, by in done], key=str)

    def test_no_token_is_in_any_table(self, member, office, sent, client):
        tokens_made = [token_of(sent())]
        client.get(f"/account/r/{tokens_made[0]}")
        resets.note_copied(PasswordReset.objects.get(), by=office)
        tokens_made.append(token_of(resets.rotate(member, by=office)))
        outbox.drain()
        resets.redeem(resets.open(tokens_made[1]), password=NEW)
        outbox.drain()

        dump = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                dump.append(str(cursor.fetchall()))
        sessions = [session.get_decoded() for session in Session.objects.all()]
        dump = " ".join([*dump, str(sessions)])
        assert member.email in dump
        assert not any(token[12:38] in dump or token in dump for token in tokens_made)
