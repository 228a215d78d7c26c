"""
Rows for tests that need many, or rows that no verb can make any more.

`baker.make_recipe("tests.live_reset", member=mia, active_for=mia)`. Nobody has the tokens of these.
"""

from datetime import timedelta

from django.utils import timezone
from model_bakery.recipe import Recipe, foreign_key

from wagtail_member_reset import ids, tokens
from wagtail_member_reset.models import EmailState, Origin, PasswordReset, Purpose, ResetEmail, State


def in_a_week():
    return timezone.now() + timedelta(days=7)


live_reset = Recipe(
    PasswordReset,
    purpose=Purpose.RESET,
    origin=Origin.STAFF,
    language="en",
    recipient="mia@members.example",
    selector=lambda: tokens.issue()[0].selector,
    nonce=lambda: tokens.issue()[0].nonce,
    verifier=lambda: tokens.issue()[0].verifier,
    key_id=lambda: tokens.issue()[0].key_id,
    issued_at=timezone.now,
    expires_at=in_a_week,
)

used_reset = live_reset.extend(
    state=State.USED, active_for=None, nonce=None, opened_at=timezone.now, used_at=timezone.now, closed_at=timezone.now
)

handed_over_email = Recipe(
    ResetEmail,
    reset=foreign_key(used_reset),
    purpose=Purpose.RESET,
    recipient="mia@members.example",
    language="en",
    public_id=ids.new_public_id,
    state=EmailState.HANDED_OVER,
    handed_over_at=timezone.now,
)
