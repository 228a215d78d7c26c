"""Any order of whatever staff, members, workers and time can do; after each step, the rules of the design hold."""

from datetime import timedelta

import hypothesis
import pytest
import time_machine
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from wagtail.models import ModelLogEntry

from wagtail_member_reset import outbox, resets, tokens
from wagtail_member_reset.exceptions import MemberResetError, SendRefused, WindowClosed
from wagtail_member_reset.links import state
from wagtail_member_reset.models import PasswordReset, ResetEmail, ResetRequest, State

from .conftest import make_person

START = "2026-11-23 12:00:00+00:00"
TABLES = (PasswordReset, ResetEmail, ResetRequest, ModelLogEntry)
FINAL = {State.USED, State.SUPERSEDED, State.REVOKED}


class Life(RuleBasedStateMachine):
    """One member's resets, with a model of what each issued link must still be able to do."""

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.keys = override_settings(SECRET_KEY="the first key " + "k" * 50, SECRET_KEY_FALLBACKS=[])
        self.keys.enable()
        self.clock = time_machine.travel(START, tick=False)
        self.now = self.clock.start()
        self.member = make_person("Mia", password="old password 1")
        self.issued = {}  # reset pk → (token, issued_at)
        self.clocks = {}  # reset pk → (issued_at, expires_at)
        self.ended = {}  # reset pk → its final state
        self.dead = set()  # links that must never open again

    def teardown(self):
        self.clock.stop()
        self.keys.disable()
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @rule()
    def send(self):
        self.check_send(resets.send)

    @rule()
    def rotate(self):
        self.check_send(resets.rotate)

    def check_send(self, verb):
        before = self.live()
        reusable = before and before.is_in_window and before.nonce and self.fits(before) and verb is resets.send
        try:
            reset = verb(self.member, by=None)
        except SendRefused:
            self.member.refresh_from_db()
            assert not self.member.is_active
            return
        assert (before is not None and reset.pk == before.pk) == bool(reusable)
        if reusable:
            assert (reset.issued_at, reset.expires_at) == (before.issued_at, before.expires_at)
            assert tokens.mint(reset) == self.issued[reset.pk][0]
        else:
            self.dead |= set(self.issued)
            self.issued[reset.pk] = (tokens.mint(reset), reset.issued_at)

    @rule()
    def revoke(self):
        reset = self.live()
        if reset:
            assert resets.revoke(reset, by=None)
            assert not resets.revoke(reset, by=None)
            self.dead.add(reset.pk)

    @precondition(lambda self: self.issued)
    @rule(data=st.data())
    def redeem(self, data):
        pk = data.draw(st.sampled_from(sorted(self.issued)))
        token, issued_at = self.issued[pk]
        reset = PasswordReset.objects.get(pk=pk)
        # A look, a pass or a sweep may have ended it while the account did not fit: then the row says so.
        stands = reset.state == State.ACTIVE and timezone.now() < issued_at + reset.lifetime
        works = pk not in self.dead and stands and self.fits(reset)
        try:
            resets.redeem(resets.open(token), password="chosen by the member 1")
        except MemberResetError:
            assert not works
        else:
            assert works
            self.dead.add(pk)
            self.member.refresh_from_db()
            assert self.member.check_password("chosen by the member 1")

    @rule(hours=st.sampled_from([1, 7, 9, 16, 17, 24, 100, 169]))
    def wait(self, hours):
        self.now.shift(timedelta(hours=hours))

    @rule()
    def drain(self):
        outbox.drain()
        # A late mail or a visitor's request may have had a link issued.
        reset = self.live()
        if reset and tokens.is_derivable(reset):
            self.issued.setdefault(reset.pk, (tokens.mint(reset), reset.issued_at))

    @rule()
    def sweep(self):
        state.sweep()
        assert not PasswordReset.objects.past_window().exists()

    @rule()
    def request_on_the_website(self):
        resets.request(self.member.email, network="192.0.2.7", site=None, language="en")

    @rule()
    def rotate_the_key(self):
        before = {pk: reset for pk, reset in PasswordReset.objects.in_bulk().items() if tokens.is_derivable(reset)}
        made = {pk: tokens.mint(reset) for pk, reset in before.items()}
        site.SECRET_KEY_FALLBACKS = [site.SECRET_KEY, *site.SECRET_KEY_FALLBACKS]
        site.SECRET_KEY = f"key {len(site.SECRET_KEY_FALLBACKS)} " + "k" * 50
        assert {pk: tokens.mint(reset) for pk, reset in before.items()} == made

    @precondition(lambda self: self.issued)
    @rule()
    def lose_the_key(self):
        site.SECRET_KEY, site.SECRET_KEY_FALLBACKS = f"{len(self.issued)} {timezone.now()}" + "k" * 50, []
        self.dead |= set(self.issued)

    @rule()
    def look(self):
        self.member.refresh_from_db()
        status = resets.status(self.member)
        if status.reset and resets.link(status.reset):
            assert status.reset.is_live and status.reset.is_in_window

    @rule(quietly=st.booleans(), usable=st.booleans())
    def change_password(self, quietly, usable):
        self.member.set_password("another password 2" if usable else None)
        self.store(quietly, password=self.member.password)

    @rule(quietly=st.booleans(), address=st.sampled_from(["new@members.example", "mia@members.example"]))
    def change_address(self, quietly, address):
        self.store(quietly, email=address)

    @rule(quietly=st.booleans(), active=st.booleans())
    def change_activity(self, quietly, active):
        self.store(quietly, is_active=active)

    def store(self, quietly, **values):
        self.member.refresh_from_db()
        if quietly:
            get_user_model().objects.filter(pk=self.member.pk).update(**values)
            self.member.refresh_from_db()
            return
        for name, value in values.items():
            setattr(self.member, name, value)
        live = self.live()
        self.member.save()
        # What is saved under a link that it does not fit ends the link for good, there and then.
        if live and not self.fits(live):
            self.dead.add(live.pk)

    def live(self):
        return PasswordReset.objects.live().filter(active_for=self.member.pk).first()

    def fits(self, reset):
        self.member.refresh_from_db()
        return state.failing(reset, self.member) is None

    @invariant()
    def at_most_one_link_is_live(self):
        assert PasswordReset.objects.filter(member=self.member, state=State.ACTIVE).count() <= 1

    @invariant()
    def ended_links_stay_as_they_ended(self):
        now = dict(PasswordReset.objects.filter(state__in=FINAL).values_list("pk", "state"))
        assert {pk: now.get(pk) for pk in self.ended} == self.ended
        self.ended = now

    @invariant()
    def only_the_newest_link_may_open_and_no_dead_one(self):
        newest = PasswordReset.objects.order_by("-pk").values_list("pk", flat=True).first()
        for pk in sorted(pk for pk in self.issued if pk != newest or pk in self.dead)[-2:]:
            with pytest.raises(MemberResetError):
                resets.look(resets.open(self.issued[pk][0]))

    @invariant()
    def no_clock_is_ever_moved(self):
        now = {pk: times for pk, *times in PasswordReset.objects.values_list("pk", "issued_at", "expires_at")}
        assert {pk: now[pk] for pk in self.clocks} == self.clocks
        self.clocks = now

    @invariant()
    def nobody_can_make_a_link_outside_its_window(self):
        for reset in PasswordReset.objects.all():
            if reset.state != State.ACTIVE:
                assert reset.nonce is None
            if not reset.is_in_window:
                with pytest.raises(WindowClosed):
                    tokens.mint(reset)

    @invariant()
    def no_token_is_in_any_row(self):
        stored = " ".join(str(list(model.objects.values())) for model in TABLES)
        assert not any(token[12:38] in stored for token, _ in self.issued.values())


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("lifetime", [timedelta(days=7), timedelta(hours=24)])
def test_rules_hold_in_any_order_of_events(settings, lifetime):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = lifetime

    bounds = {"max_examples": 30, "stateful_step_count": 25, "deadline": None, "derandomize": True}
    run_state_machine_as_test(
        Life, settings=hypothesis.settings(**bounds, suppress_health_check=list(hypothesis.HealthCheck))
    )
