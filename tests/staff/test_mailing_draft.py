"""The draft of a mailing: where "Back" leads from its preview, and deleting it."""

import re

import pytest
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.conftest import grant
from tests.staff.pages import history, words
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import Choice, Kind, Source
from wagtail_member_reset.models import Mailing, MailingState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"
DELETED = "wagtail_member_reset.delete_draft"
NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)


def page_of(mailing):
    return f"{MAILINGS}{mailing.pk}/"


def delete_url(mailing):
    return f"{page_of(mailing)}delete/"


def back_of(client, mailing):
    page = client.get(page_of(mailing)).content.decode()
    return re.findall(r'<a class="button button-secondary" href="([^"]*)">Back</a>', page)


def ids(person, **said):
    return Choice(kind=Kind.IDS, ids=(person.pk,), **said)


def test_back_leads_to_where_the_people_were_chosen(mailing_office, client, member):
    first = mailings.draft(NEVER, by=mailing_office)
    drafts = {
        ids(member, source=Source.NEEDS_HELP): reverse("wagtail_member_reset_admin:needs_help"),
        ids(member, source=Source.LISTING): reverse("wagtailusers_users:index"),
        Choice(kind=Kind.LISTING, query="q=mia"): reverse("wagtailusers_users:index") + "?q=mia",
        Choice(kind=Kind.MAILING, mailing=first.pk): page_of(first),
    }

    led = [back_of(client, mailings.draft(choice, by=mailing_office)) for choice in drafts]

    assert led == [[url] for url in drafts.values()]


def test_back_of_a_form_leads_to_all_that_was_entered(mailing_office, client, member):
    said = {"kind": "never_signed_in", "name": "Renewal 2027", "paragraph": "Soup on Saturday.", "per_hour": "40"}
    client.post(f"{MAILINGS}new/", said)

    (back,) = back_of(client, Mailing.objects.get())

    form = client.get(back).content.decode()
    assert [each for each in ("Renewal 2027", "Soup on Saturday.", 'value="40"') if each not in form] == []


def test_draft_is_deleted_after_a_question_and_logged(mailing_office, client, member):
    draft = mailings.draft(NEVER, by=mailing_office, name="Renewal 2027")
    assert f'href="{delete_url(draft)}"' in client.get(page_of(draft)).content.decode()
    asked = client.get(delete_url(draft))
    assert "Nobody got an email from Renewal 2027" in words(asked.content.decode())
    assert Mailing.objects.filter(pk=draft.pk).exists()

    answer = client.post(delete_url(draft), follow=True)

    assert answer.redirect_chain == [(MAILINGS, 302)]
    assert "The draft “Renewal 2027” was deleted." in words(answer.content.decode())
    assert not Mailing.objects.exists()
    entry = ModelLogEntry.objects.get(action=DELETED)
    assert (entry.user, entry.object_id) == (mailing_office, str(mailing_office.pk))
    assert entry.message == "Draft of the mailing “Renewal 2027” deleted"


@pytest.mark.parametrize("state", [state for state in MailingState if state != MailingState.DRAFT])
def test_mailing_that_has_started_is_not_deleted(mailing_office, client, member, state):
    mailing = mailings.draft(NEVER, by=mailing_office)
    Mailing.objects.update(state=state)
    before = Mailing.objects.values().get()

    answers = [client.get(delete_url(mailing)), client.post(delete_url(mailing))]

    assert [answer["Location"] for answer in answers] == [page_of(mailing)] * 2
    assert not mailings.discard(mailing, by=mailing_office)
    assert Mailing.objects.values().get() == before
    assert DELETED not in ModelLogEntry.objects.values_list("action", flat=True)


def test_draft_is_deleted_by_nobody_who_may_not_see_it(client, office, admin, member):
    """Not by who may not send mailings; that of a file, by nobody of lower rank than who brought it."""
    draft, of_file = mailings.draft(NEVER, by=admin), mailings.draft(Choice(kind=Kind.FILE), by=admin)
    before = list(Mailing.objects.values())

    client.force_login(office)
    client.post(delete_url(draft))
    client.force_login(grant(office, "bulk_send_passwordreset"))
    client.post(delete_url(of_file))

    assert list(Mailing.objects.values()) == before
    assert set(history(office)) == {"refuse_mailing"}
