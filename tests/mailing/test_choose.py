"""Who is chosen for a mailing, and choices that are kept with one."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.exceptions import ChoiceError
from wagtail_member_reset.mailing import choose
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, ResetEmail

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("key", ["", "x", "-", "9" * 400, "1.5", "\u0663\u20dd", "1; DROP TABLE"])
def test_ids_that_cannot_be_are_refused(key):
    with pytest.raises(ChoiceError, match="no id of an account"):
        choose.with_ids([key])


def test_group_that_is_not_there_is_refused_with_those_that_are():
    Group.objects.create(name="Board")

    with pytest.raises(ChoiceError, match=r"'Bord'.*'Board'"):
        choose.in_groups(["Bord"])


@pytest.mark.parametrize(
    "choice",
    [
        Choice(kind=Kind.NEVER_SIGNED_IN),
        Choice(kind=Kind.ALL),
        Choice(kind=Kind.GROUPS, groups=(1, 2)),
        Choice(kind=Kind.FILE, ids=(3, 5), column=2, each=True, admins=True),
        Choice(kind=Kind.IDS, ids=(str(uuid.uuid4()),)),
        Choice(kind=Kind.LISTING, query="q=mia&group=3"),
        Choice(kind=Kind.MAILING, mailing=7),
    ],
    ids=lambda choice: choice.kind.value,
)
def test_choice_survives_being_kept(choice):
    assert choose.choice_from_json(choice.as_json()) == choice


def names(choice):
    return {member.first_name for accounts in choose.chosen_accounts(choice) for member in accounts}


def set_password_by_link(member):
    reset = resets.send(member, by=None)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 7")


def test_who_has_signed_in_or_set_a_password_by_a_link_has_got_in():
    out, linked = make_person("Out"), make_person("Linked")
    make_person("Signed", last_login=timezone.now())
    set_password_by_link(make_person("Set"))
    resets.send(linked, by=None)
    resets.revoke(resets.rotate(out, by=None), by=None)

    assert names(Choice(kind=Kind.NEVER_SIGNED_IN)) == {"Out", "Linked"}


def test_those_of_a_mailing_who_have_got_in_are_not_chosen_again(settings, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    _out, signed, has_set = make_person("Out"), make_person("Signed"), make_person("Set")
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None)
    mailings.start(mailing)
    outbox.drain()
    make_person("Later")
    get_user_model().objects.filter(pk=signed.pk).update(last_login=timezone.now())
    set_password_by_link(has_set)

    assert ResetEmail.objects.filter(mailing=mailing, state=EmailState.HANDED_OVER).count() == 3
    assert names(Choice(kind=Kind.MAILING, mailing=mailing.pk)) == {"Out"}


@pytest.mark.parametrize("choice", [Choice(kind=Kind.NEVER_SIGNED_IN), Choice(kind=Kind.MAILING, mailing=7)])
def test_site_that_keeps_no_sign_in_is_told_what_to_choose_instead(monkeypatch, choice):
    monkeypatch.setattr(choose, "keeps_last_login", lambda model: False)

    with pytest.raises(ChoiceError, match=r"last_login.*groups or a file"):
        names(choice)
