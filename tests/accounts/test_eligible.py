"""Who may get an email: Python decides it, SQL counts it beforehand, and the two agree about every account."""

import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models, transaction
from django.db.models import Case, CharField, Value, When
from django.template import engines
from django.test.utils import isolate_apps
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.accounts import is_rule_open, refusal_conditions, refusal_for
from wagtail_member_reset.accounts.address import WHITE_SPACE
from wagtail_member_reset.exceptions import Refusal
from wagtail_member_reset.links import outgrown
from wagtail_member_reset.links.state import failing
from wagtail_member_reset.mailing import SAMPLES, Choice, Kind
from wagtail_member_reset.models import PasswordReset, ResetEmail, SkipReason

pytestmark = pytest.mark.django_db

# Blank for Python, blank for some database, blank for the eye alone; and addresses that differ in spelling alone.
BLANKS = ["", " ", "   ", "\t", "\n", " \r\n", "\x1c", "\x85", "\u00a0", "\u2003 \u3000", "\u202f"]
UNSEEN = ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u180e"]
SPELT = ["mia@club.example", "MIA@Club.example", " mia@club.example\u00a0", "ｍia@club.example", "mía@club.example"]
UNICODE = [
    "straße@club.example",
    "STRASSE@club.example",
    "\u212aurt@club.example",
    "kurt@club.example",
    "üñî@club.example",
]
ADDRESSES = st.sampled_from(BLANKS + UNSEEN + SPELT + UNICODE) | st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5
)
PROFILE = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", autouse=True)
def template_libraries():
    """Imported now: among them is a module of tests, whose own @given must not be read within another."""
    assert engines["django"].engine.template_libraries


@contextmanager
def undone():
    """What an example writes is gone before the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refusals_by_sql(accounts):
    conditions = refusal_conditions(accounts.model)
    cases = [When(condition, then=Value(refusal.value)) for refusal, condition in conditions.items()]
    found = accounts.annotate(found=Case(*cases, default=Value(""), output_field=CharField()))
    return {pk: Refusal(said) if said else None for pk, said in found.values_list("pk", "found")}


def refusals_by_python(accounts):
    return {account.pk: refusal_for(account) for account in accounts}


@contextmanager
def table_of(model):
    """A table for the length of a test, which its transaction takes away again."""
    statement, parameters = connection.SchemaEditorClass(connection).table_sql(model)
    with undone():
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
        yield


def is_taken(address, earlier):
    """By the database's own reckoning, the roughest of which knows neither case nor accents nor white space."""
    return get_user_model().USERNAME_FIELD == "email" and address in earlier


def test_white_space_is_what_python_strips():
    assert set(WHITE_SPACE) == {chr(code) for code in range(sys.maxunicode + 1) if not chr(code).strip()}


@PROFILE
@given(st.lists(st.tuples(ADDRESSES, st.booleans()), max_size=8))
@pytest.mark.slow
def test_python_and_sql_agree_on_any_account(drawn):
    model = get_user_model()
    with undone():
        made = set()
        for number, (address, is_active) in enumerate(drawn):
            if not is_taken(address, made):
                made.add(address)
                member = make_person(f"Member{number}")
                model.objects.filter(pk=member.pk).update(email=address, is_active=is_active)

        assert refusals_by_sql(model.objects.all()) == refusals_by_python(model.objects.all())


@PROFILE
@given(st.lists(st.tuples(st.none() | ADDRESSES, st.none() | st.booleans()), max_size=8))
@pytest.mark.skipif(connection.vendor == "mysql", reason="it commits each table at once")
@pytest.mark.slow
def test_python_and_sql_agree_where_columns_may_be_null(drawn):
    with isolate_apps("tests"):

        class Account(AbstractBaseUser):
            mail = models.CharField(max_length=254, null=True)
            is_active = models.BooleanField(null=True)
            EMAIL_FIELD = "mail"

            class Meta:
                app_label = "tests"

    with table_of(Account):
        Account.objects.bulk_create(Account(mail=mail, is_active=is_active) for mail, is_active in drawn)

        assert refusals_by_sql(Account.objects.all()) == refusals_by_python(Account.objects.all())


@pytest.mark.skipif(connection.vendor == "mysql", reason="it commits each table at once")
@isolate_apps("tests")
def test_model_without_a_flag_and_without_an_address_is_understood():
    class Nameless(AbstractBaseUser):
        class Meta:
            app_label = "tests"

    class Closed(AbstractBaseUser):
        address = models.TextField(default="mia@club.example")
        EMAIL_FIELD, is_active = "address", False

        class Meta:
            app_label = "tests"

    for model, refusal in ((Nameless, Refusal.NO_ADDRESS), (Closed, Refusal.INACTIVE)):
        with table_of(model):
            account = model.objects.create()

            assert refusals_by_sql(model.objects.all()) == {account.pk: refusal} == refusals_by_python([account])
            assert not is_rule_open(model)


@isolate_apps("tests")
def test_what_a_model_computes_is_left_to_python_and_said():
    class Computing(AbstractBaseUser):
        user = models.CharField(max_length=20)

        class Meta:
            app_label = "tests"

        @property
        def email(self):
            return f"{self.user}@club.example"

        @property
        def is_active(self):
            return self.user != "gone"

    assert refusal_for(Computing(user="gone")) == Refusal.INACTIVE
    assert Refusal.INACTIVE not in refusal_conditions(Computing)
    assert Refusal.NO_ADDRESS not in refusal_conditions(Computing)
    assert is_rule_open(Computing)


def test_site_without_passwords_refuses_everybody_for_that_first(member, settings):
    member.is_active, member.email = False, ""
    member.save()
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False

    assert refusals_by_sql(get_user_model().objects.all()) == {member.pk: Refusal.PASSWORDS_DISABLED}
    assert refusal_for(member) == Refusal.PASSWORDS_DISABLED


def only_ida(member):
    return member.first_name == "Ida"


def test_rule_of_the_site_is_said_to_be_open(member, settings):
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = f"{__name__}.only_ida"

    assert refusal_for(member) == Refusal.NOT_ALLOWED
    assert refusals_by_sql(get_user_model().objects.all()) == {member.pk: None}
    assert is_rule_open(get_user_model())


LINKS = ["none", "live", "expired", "used", "replaced", "cancelled"]
CHANGES = ["none", "address", "spelling", "password", "key"]
LIVES = st.fixed_dictionaries(
    {
        "link": st.sampled_from(LINKS),
        "changed": st.sampled_from(CHANGES),
        "address": ADDRESSES | st.just("as it was"),
        "is_active": st.sampled_from([True, True, True, False]),
        "has_signed_in": st.booleans(),
        "has_password": st.booleans(),
    }
)


def lived(number, life):
    """A member with that life behind them: what changed, changed behind our back."""
    rows = get_user_model().objects
    member = make_person(f"Member{number}", password="old password 1" if life["has_password"] else None)
    if life["link"] != "none":
        reset = resets.send(member, by=None)
        mine = PasswordReset.objects.filter(pk=reset.pk)
        if life["link"] == "expired":
            mine.update(issued_at=timezone.now() - timedelta(days=8), expires_at=timezone.now() - timedelta(days=1))
        elif life["link"] == "used":
            resets.redeem(resets.open(resets.link(reset)), password="a new password 7")
        elif life["link"] == "replaced":
            resets.rotate(member, by=None)
        elif life["link"] == "cancelled":
            resets.revoke(reset, by=None)
        if life["changed"] == "key":
            PasswordReset.objects.filter(member=member).update(key_id="lost")
    changes = {
        "address": {"email": f"moved{number}@members.example"},
        "spelling": {"email": f"\u2003MEMBER{number}@members.example "},
        "password": {"password": "pbkdf2_sha256$1$x$y"},
    }
    address = {} if life["address"] == "as it was" else {"email": life["address"]}
    known = set(rows.values_list("email", flat=True))
    for change in (changes.get(life["changed"], {}), address):
        if change and not is_taken(change.get("email"), known):
            rows.filter(pk=member.pk).update(**change)
    last_login = timezone.now() if life["has_signed_in"] else None
    rows.filter(pk=member.pk).update(is_active=life["is_active"], last_login=last_login)


@pytest.mark.slow
@settings(PROFILE, max_examples=25)
@given(
    lives=st.lists(LIVES, min_size=1, max_size=6),
    again=st.booleans(),
    kind=st.sampled_from([Kind.ALL, Kind.NEVER_SIGNED_IN, Kind.IDS]),
)
def test_preview_says_what_the_mailing_then_does(lives, again, kind, mailoutbox):
    with undone():
        for number, life in enumerate(lives):
            lived(number, life)
        outbox.drain()
        ids = tuple(get_user_model().objects.values_list("pk", flat=True)) if kind == Kind.IDS else ()
        draft = mailings.draft(Choice(kind=kind, ids=ids), by=None, again=again)

        preview = mailings.preview(draft)
        mailings.start(draft)
        outbox.drain()

        draft.refresh_from_db()
        mailed = ResetEmail.objects.filter(mailing=draft).exclude(state="skipped")
        skips = {SkipReason(each.reason): each.count for each in draft.skips.all() if each.count}
        assert (draft.state, draft.waiting) == ("finished", 0)
        assert (preview.chosen, preview.emails, preview.skips) == (draft.chosen, mailed.count(), skips)
        assert {each.pk for each in preview.samples} <= set(mailed.values_list("member", flat=True))
        assert len(preview.samples) == min(preview.emails, SAMPLES)
        assert not preview.is_rule_open


@settings(PROFILE, max_examples=50)
@given(st.lists(LIVES, max_size=4))
@pytest.mark.slow
def test_links_that_do_not_fit_are_the_same_one_by_one_and_all_at_once(lives):
    with undone():
        for number, life in enumerate(lives):
            lived(number, life)
        accounts = get_user_model().objects.filter(is_active=True)
        accounts = accounts.filter(pk__in=[each.pk for each in accounts if refusal_for(each) is None])
        live = PasswordReset.objects.live().filter(active_for__in=accounts).select_related("active_for")

        assert set(outgrown(accounts)) == {reset.active_for_id for reset in live if failing(reset, reset.active_for)}
