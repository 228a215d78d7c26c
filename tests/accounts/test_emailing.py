"""Do not email: noted with the reason, left out by whoever mails many."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import do_not_email, mailings, outbox, resets
from wagtail_member_reset.accounts import do_not_email_of, is_not_to_be_emailed
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import DoNotEmail, DoNotEmailReason, SkipReason

pytestmark = pytest.mark.django_db


def test_one_account_and_sql_know_the_same(member, office):
    make_person("Ben")

    do_not_email.note(member, reason=DoNotEmailReason.DECEASED, by=office)

    noted = do_not_email_of(member)
    assert (noted.reason, noted.set_by) == ("deceased", office)
    assert list(get_user_model().objects.filter(is_not_to_be_emailed())) == [member]


def test_noting_and_taking_back_are_logged_once_each(member, office):
    done = [do_not_email.note(member, reason=DoNotEmailReason.POST_ONLY, by=office) for _ in range(2)]
    done += [do_not_email.lift(member, by=office) for _ in range(2)]

    logged = ModelLogEntry.objects.for_instance(member).order_by("pk").values_list("action", "user")
    assert done == [True, False, True, False]
    assert list(logged) == [
        ("wagtail_member_reset.do_not_email", office.pk),
        ("wagtail_member_reset.email_again", office.pk),
    ]


def test_mailing_leaves_them_out_as_its_preview_says(member, office, by_hand, mailoutbox):
    other = make_person("Ben")
    do_not_email.note(member, reason=DoNotEmailReason.ASKED_NOT_TO, by=office)
    draft = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=None)

    preview = mailings.preview(draft)
    mailings.start(draft)
    outbox.drain()

    assert (preview.emails, preview.skips) == (1, {SkipReason.DO_NOT_EMAIL: 1})
    assert {each.reason: each.count for each in draft.skips.all() if each.count} == {"do_not_email": 1}
    assert [mail.to for mail in mailoutbox] == [[other.email]]


def test_what_the_member_asks_for_is_sent(member, office, by_hand, mailoutbox):
    do_not_email.note(member, reason=DoNotEmailReason.POST_ONLY, by=office)

    resets.request(member.email, network="192.0.2.1", site=None, language="en")
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [[member.email]]


def test_it_goes_with_the_account_and_outlives_who_noted_it(member, office):
    do_not_email.note(member, reason=DoNotEmailReason.DECEASED, by=office)

    office.delete()
    left = DoNotEmail.objects.get().set_by
    member.delete()

    assert (left, DoNotEmail.objects.count()) == (None, 0)
    connection.check_constraints()
