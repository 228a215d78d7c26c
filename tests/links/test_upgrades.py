"""A hash that Django upgrades when somebody signs in changes no password; everything else that stores one does."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import alogin, authenticate, get_user_model, login
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from wagtail_member_reset import resets, tokens
from wagtail_member_reset.exceptions import Unredeemable
from wagtail_member_reset.models import PasswordReset, Reason, State

pytestmark = pytest.mark.django_db
HASHERS = "django.contrib.auth.hashers."
OLD, NEW = "old password 1", "chosen by the member 1"


@pytest.fixture
def outdated(member, settings):
    """The member's hash is by an algorithm that the site only still reads."""
    settings.PASSWORD_HASHERS = [HASHERS + "PBKDF2SHA1PasswordHasher", HASHERS + "MD5PasswordHasher"]
    assert identify_hasher(member.password).algorithm == "md5"
    return member


@pytest.fixture
def reset(outdated):
    return resets.send(outdated, by=None)


@pytest.fixture
def grant(reset):
    return resets.open(tokens.mint(reset))


def stored(member):
    return get_user_model()._base_manager.get(pk=member.pk)


def request():
    found = HttpRequest()
    found.session = SessionStore()
    return found


def signed_in(member, password=OLD):
    person = authenticate(request(), **{member.USERNAME_FIELD: member.get_username(), "password": password})
    login(request(), person)
    return person


def refusal(grant):
    with pytest.raises(Unredeemable) as refused:
        resets.redeem(grant, password=NEW)
    return refused.value.problem.value


@pytest.mark.slow
def test_signing_in_upgrades_the_hash_and_ends_no_link(outdated, reset, grant):
    signed_in(outdated)
    assert identify_hasher(stored(outdated).password).algorithm == "pbkdf2_sha1"

    resets.redeem(grant, password=NEW)

    assert stored(outdated).check_password(NEW)


def test_signing_in_what_stands_before_the_account_is_the_same(outdated, reset, grant):
    person = authenticate(request(), **{outdated.USERNAME_FIELD: outdated.get_username(), "password": OLD})
    login(request(), SimpleLazyObject(lambda: person))

    assert identify_hasher(stored(outdated).password).algorithm == "pbkdf2_sha1"
    assert resets.look(grant) == reset


def test_signing_in_asynchronously_is_the_same(outdated, reset, grant):
    async def sign_in():
        person = await get_user_model()._base_manager.aget(pk=outdated.pk)
        assert await person.acheck_password(OLD)
        person.backend = "django.contrib.auth.backends.ModelBackend"
        await alogin(request(), person)

    async_to_sync(sign_in)()

    assert identify_hasher(stored(outdated).password).algorithm == "pbkdf2_sha1"
    assert resets.look(grant) == reset


@pytest.mark.slow
def test_password_that_is_changed_after_the_upgrade_ends_the_link(outdated, reset, grant):
    person = signed_in(outdated)
    person.set_password("another password 7")
    person.save()

    assert refusal(grant) == "revoked"
    assert stored(outdated).check_password("another password 7")


def by_set_password(member):
    member.set_password("another password 7")
    member.save(update_fields=["password"])
    return member


def by_a_hash_from_elsewhere(member):
    member.password = make_password("another password 7")
    member.save(update_fields=["password"])
    return member


def by_a_hash_and_the_whole_row(member):
    member.password = make_password("another password 7")
    member.save()
    return member


def by_the_database(member):
    get_user_model()._base_manager.filter(pk=member.pk).update(password=make_password("another password 7"))
    return member


CHANGES = [by_set_password, by_a_hash_from_elsewhere, by_a_hash_and_the_whole_row, by_the_database]


@pytest.mark.parametrize("signs_in", [False, True])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.slow
def test_password_that_is_changed_by_any_way_ends_the_link(outdated, reset, grant, change, signs_in):
    change(stored(outdated))
    if signs_in:
        signed_in(outdated, "another password 7")

    assert refusal(grant) == "revoked"
    reset.refresh_from_db()
    assert reset.reason == Reason.PASSWORD_CHANGED
    assert stored(outdated).check_password("another password 7")


@pytest.mark.parametrize(
    "change",
    [by_set_password, by_a_hash_from_elsewhere, by_a_hash_and_the_whole_row],
    ids=lambda change: change.__name__,
)
def test_password_that_is_changed_and_signed_in_with_at_once_ends_the_link(outdated, reset, grant, change):
    person = change(stored(outdated))
    person.backend = "django.contrib.auth.backends.ModelBackend"
    login(request(), person)

    assert refusal(grant) == "revoked"


def test_hash_that_was_not_outdated_is_never_taken_for_upgraded(member):
    grant = resets.open(tokens.mint(resets.send(member, by=None)))
    person = by_a_hash_from_elsewhere(stored(member))
    person.backend = "django.contrib.auth.backends.ModelBackend"
    login(request(), person)

    assert refusal(grant) == "revoked"


def test_password_that_is_only_checked_ends_the_link(outdated, reset, grant):
    """As by an interface for programs: nobody has signed in, so that nothing tells it from a change."""
    assert stored(outdated).check_password(OLD)

    assert refusal(grant) == "revoked"


def test_account_that_is_deactivated_after_an_upgrade_ends_the_link(outdated, reset):
    person = stored(outdated)
    assert person.check_password(OLD)
    person.is_active = False
    person.save()

    reset.refresh_from_db()
    assert reset.state == State.REVOKED


def test_wrong_password_changes_nothing(outdated, reset, grant):
    assert not stored(outdated).check_password("not the password 3")

    assert resets.look(grant) == reset


def test_link_that_fitted_no_more_before_the_upgrade_stays_dead(outdated, reset, grant):
    PasswordReset.objects.update(password_mark="of another password")

    signed_in(outdated)

    assert refusal(grant) == "revoked"


def test_upgrade_without_a_link_asks_once(outdated, django_assert_num_queries):
    person = stored(outdated)
    person.password, person._password = make_password(OLD), None  # as Django leaves it

    with django_assert_num_queries(4):  # is there a link, before and after, is help needed, and the site's own
        person.save(update_fields=["password"])


def test_saving_anything_else_asks_nothing_of_passwords(outdated, reset, django_assert_num_queries):
    person = stored(outdated)

    with django_assert_num_queries(3):  # the site's own, whether the link still fits, and whether help is needed
        person.save(update_fields=["first_name"])
