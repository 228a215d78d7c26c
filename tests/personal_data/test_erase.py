"""Erasing what is stored about one person: nothing of it is left, and nothing of anybody else's is touched."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import bad_addresses, mailings, outbox, personal_data, resets
from wagtail_member_reset.exceptions import ErasureRefused, LinkProblem, Unredeemable
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import (
    BadAddress,
    BadVerdict,
    DoNotEmail,
    EmailState,
    LinkViewer,
    Mailing,
    MailingChunk,
    MailingColumn,
    MailingFile,
    MailingState,
    MailingUnmatched,
    NeedsHelp,
    PasswordReset,
    ResetEmail,
    ResetRequest,
    SkipReason,
)

pytestmark = pytest.mark.django_db
EMPTY = {"links": [], "emails": [], "requests": [], "address": [], "needs_help": []}
NO_MAILINGS = {"waiting_in": [], "drafts": [], "lines_of_files": [], "files_of_drafts": []}


def left_of(member):
    told = personal_data.export(member)
    # Digests for the limits stay a day.
    told["requests"] = [asked for asked in told["requests"] if asked["address"] or asked["language"] or asked["site"]]
    return {name: told[name] for name in EMPTY}, told["mailings"]


def counts_are_true(mailing):
    mailing.refresh_from_db()
    waits = sum(map(len, mailing.chunks.values_list("members", flat=True)))
    waits += ResetEmail.objects.unsent().filter(mailing=mailing).count()
    return mailing.waiting == waits


def log_of(person):
    entries = ModelLogEntry.objects.filter(object_id=str(person.pk)).order_by("-timestamp", "-pk")
    return [(entry.action.partition(".")[2], entry.user, entry.data) for entry in entries]


def test_nothing_is_left_but_the_wish_not_to_be_emailed(member, admin, everything):
    personal_data.erase(member, by=admin)

    assert left_of(member) == (EMPTY, NO_MAILINGS)
    assert DoNotEmail.objects.filter(member=member).exists()
    member.refresh_from_db()
    assert member.check_password("old password 1")


def test_nothing_of_anybody_else_is_touched(member, other, admin, everything):
    before = personal_data.export(other)

    personal_data.erase(member, by=admin)

    after = personal_data.export(other)
    assert {**after, "made_at": ""} == {**before, "made_at": ""}
    assert [line for line, *_more in MailingUnmatched.objects.get().lines] == [4]
    assert MailingUnmatched.objects.get().count == 1


def test_link_that_works_ends_and_the_log_says_who_erased_and_not_what(member, admin, sent):
    reset = sent()
    token = resets.link(reset).rstrip("/").rpartition("/")[2]

    personal_data.erase(member, by=admin)

    with pytest.raises(Unredeemable) as refused:
        resets.open(token)
    assert refused.value.problem == LinkProblem.UNKNOWN
    assert log_of(member)[:2] == [("erase", admin, {}), ("revoke", admin, {})]


def test_emails_that_wait_never_leave(member, admin, by_hand, mailoutbox):
    resets.send(member, by=admin)

    personal_data.erase(member, by=admin)
    outbox.drain()

    assert mailoutbox == []


@pytest.mark.parametrize("others", [0, 1])
def test_counters_of_a_mailing_stay_true_while_it_waits_and_it_ends(member, other, admin, by_hand, others):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)[: others + 1]), by=admin)
    mailings.start(mailing)

    personal_data.erase(member, by=admin)

    assert counts_are_true(mailing)
    assert list(mailing.skips.values_list("reason", "count")) == [(SkipReason.ERASED, 1)]
    outbox.drain()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == (MailingState.FINISHED, others)
    assert counts_are_true(mailing)


def test_counters_stay_true_for_an_email_of_a_mailing_that_waits_for_another_attempt(member, admin, by_hand):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=admin)
    mailings.start(mailing)
    outbox.drain()
    Mailing.objects.update(state=MailingState.RUNNING, handed_over=0, finished_at=None)
    ResetEmail.objects.update(state=EmailState.QUEUED, handed_over_at=None)

    personal_data.erase(member, by=admin)

    mailing.refresh_from_db()
    assert (mailing.state, mailing.skipped, mailing.waiting) == (MailingState.FINISHED, 1, 0)


def test_what_a_mailing_has_sent_stays_counted(member, other, admin, by_hand):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=admin)
    mailings.start(mailing)
    outbox.drain()

    personal_data.erase(member, by=admin)

    mailing.refresh_from_db()
    assert (mailing.chosen, mailing.handed_over, mailing.skipped, mailing.waiting) == (2, 2, 0, 0)


def test_stopped_mailing_names_the_person_no_more_and_counts_as_before(member, other, admin, by_hand):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=admin)
    mailings.start(mailing)
    mailings.stop(mailing, by=admin)
    before = mailing.skipped

    personal_data.erase(member, by=admin)

    mailing.refresh_from_db()
    assert (mailing.skipped, mailing.waiting) == (before, 0)
    assert [row.members for row in MailingChunk.objects.all()] == [
        [other.pk if isinstance(other.pk, int) else str(other.pk)]
    ]


def everything_now():
    models = (PasswordReset, ResetEmail, ResetRequest, BadAddress, NeedsHelp, MailingChunk, Mailing, ModelLogEntry)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_email_that_is_being_sent_refuses_the_erasure(member, admin, everything):
    email = ResetEmail.objects.filter(member=member)
    email.update(state=EmailState.SENDING, lease="w", lease_until=timezone.now() + timedelta(minutes=1))
    before = everything_now()

    with pytest.raises(ErasureRefused):
        personal_data.erase(member, by=admin)

    assert everything_now() == before


def test_email_of_a_worker_that_died_does_not(member, admin, everything):
    email = ResetEmail.objects.filter(member=member)
    email.update(state=EmailState.SENDING, lease="w", lease_until=timezone.now() - timedelta(minutes=1))

    personal_data.erase(member, by=admin)

    assert left_of(member) == (EMPTY, NO_MAILINGS)


def test_chunk_that_a_worker_takes_meanwhile_refuses_the_erasure(member, admin, everything, monkeypatch):
    from wagtail_member_reset.personal_data import in_mailings

    read = in_mailings._chunks

    def taken(person):
        found = list(read(person))
        MailingChunk.objects.update(revision=99)
        return found

    monkeypatch.setattr(in_mailings, "_chunks", taken)

    with pytest.raises(ErasureRefused):
        personal_data.erase(member, by=admin)

    assert PasswordReset.objects.filter(member=member, state="active").exists()
    assert not any(action == "erase" for action, *_more in log_of(member))


def test_what_is_known_of_an_address_that_others_have_stays(member, other, admin):
    if member._meta.get_field("email").unique:
        pytest.skip("addresses are unique")
    other.email = member.email.upper()
    other.save()
    bad_addresses.remember(member.email, BadVerdict.COMPLAINT)
    resets.request(member.email, network="203.0.113.7", site=None, language="en")

    personal_data.erase(member, by=admin)

    assert (BadAddress.objects.count(), ResetRequest.objects.count()) == (1, 1)
    assert personal_data.export(member)["not_included"][-1].startswith("Other accounts have the same address.")


def test_earlier_addresses_are_forgotten_too(member, admin, sent):
    sent()
    bad_addresses.remember(member.email, BadVerdict.HARD_BOUNCE)
    member.email = "mia.new@members.example"
    member.save()

    personal_data.erase(member, by=admin)

    assert not BadAddress.objects.exists()


def test_file_of_a_draft_names_the_person_no_more(member, other, admin):
    draft = mailings.draft(Choice(kind=Kind.FILE, ids=(member.pk, other.pk)), by=admin)
    key = member.pk if isinstance(member.pk, int) else str(member.pk)
    file = MailingFile.objects.create(mailing=draft)
    MailingColumn.objects.create(
        file=file,
        number=1,
        ids=[key],
        held=[key],
        samples=["mia@members.example", "Zoe"],
        unclear=[[7, "Mia or Max", [key]], [8, "mia@members.example", ["x", key]], [9, "Max or Zoe", ["x", key]]],
        unclear_ids=[key, "x"],
        unmatched=[[3, "mia@members.example", "nobody"], [4, "zoe@x.example", "nobody"]],
        unmatched_count=2,
    )
    Mailing.objects.filter(pk=draft.pk).update(included={"members": [str(member.pk), "x"], "causes": ["full"]})

    personal_data.erase(member, by=admin)

    column, draft = MailingColumn.objects.get(), Mailing.objects.get()
    assert (column.ids, column.held, column.samples, column.unclear_ids) == ([], [], ["Zoe"], ["x"])
    assert (column.unclear, column.unmatched) == ([[9, "Max or Zoe", ["x"]]], [[4, "zoe@x.example", "nobody"]])
    assert column.unmatched_count == 1
    assert draft.included == {"members": ["x"], "causes": ["full"]}
    assert [*map(str, draft.choice["ids"])] == [str(other.pk)]


WRITTEN = [
    "mailto:mia@members.example?subject=x",
    "ida@members.example/mia@members.example",
    "mia@members.example/ida@members.example",
    "foo/mia@members.example",
    "mia@members.example=x",
    "to=mia@members.example&cc=x",
    "*mia@members.example*",
    "- mia@members.example.",
    "-mia@members.example",
    "Mia{mia@members.example}",
    "mia@members.example#1!",
    "\u201emia@members.example\u201c\uff0cIda",
    "mia\uff20members.example\uff1b",
    "mailto:mia%40members.example",
    "&lt;mia&#64;members.example&gt;",
    "Mia mia @ members.example",
    "x" * 60 + " <mia@members.exa",
]
OF_OTHERS = [
    "foo.mia@members.example",
    "foo-mia@members.example",
    "mia+x@members.example",
    "mia@members.example.org",
    "mia@members.example-club.org",
    "mia@members.exa",
    "mia@elsewhere.example, ida@members.example",
    "x" * 400 + "@",
    "mia",
]


def test_line_of_a_file_names_the_person_no_more_whatever_stands_around_the_address(member, admin):
    draft = mailings.draft(Choice(kind=Kind.FILE, ids=()), by=admin)
    texts = [*WRITTEN, *OF_OTHERS]
    lines = [[number, text, "nobody"] for number, text in enumerate(texts)]
    MailingUnmatched.objects.create(mailing=draft, lines=lines, count=len(lines))
    file = MailingFile.objects.create(mailing=draft)
    unclear = [[number, text, ["x"]] for number, text in enumerate(texts)]
    called = {"name": WRITTEN[0], "beside": OF_OTHERS[0]}
    MailingColumn.objects.create(file=file, number=1, samples=texts, unclear=unclear, unmatched=lines, **called)

    personal_data.erase(member, by=admin)

    column = MailingColumn.objects.get()
    kept = [MailingUnmatched.objects.get().lines, column.unclear, column.unmatched]
    assert [[text for _line, text, _more in lines] for lines in kept] == [OF_OTHERS] * 3
    assert (column.samples, column.name, column.beside) == (OF_OTHERS, "", OF_OTHERS[0])


@pytest.mark.parametrize("address", ["o'mia@members.example", "a/mia@members.example", "a=b&c@m\u00fcnchen.example"])
def test_address_with_signs_of_its_own_is_found_in_a_line_and_taken_for_nobody_elses(admin, address):
    person = make_person("Mia", email=address)
    draft = mailings.draft(Choice(kind=Kind.FILE, ids=()), by=admin)
    lines = [[1, f"mailto:{address}?x", "nobody"], [2, f"b{address}", "nobody"]]
    MailingUnmatched.objects.create(mailing=draft, lines=lines, count=2)

    personal_data.erase(person, by=admin)

    assert [line for line, *_more in MailingUnmatched.objects.get().lines] == [2]


def test_what_the_person_did_as_staff_stays(member, office, admin, everything):
    personal_data.erase(office, by=admin)

    assert LinkViewer.objects.filter(viewer=office).count() == 2
    assert Mailing.objects.filter(created_by=office).count() == 2


def test_second_erasure_finds_nothing_to_do(member, admin, everything):
    personal_data.erase(member, by=admin)
    personal_data.erase(member, by=admin)

    assert left_of(member) == (EMPTY, NO_MAILINGS)


# Deleting the account.


def counted():
    models = (PasswordReset, ResetEmail, LinkViewer, ResetRequest, BadAddress, NeedsHelp, DoNotEmail)
    return {model.__name__: model.objects.count() for model in models}


def test_deleting_the_account_leaves_nothing_either(member, other, everything, django_capture_on_commit_callbacks):
    before, key = personal_data.export(other), str(member.pk)

    with django_capture_on_commit_callbacks(execute=True):
        member.delete()

    assert {**counted(), "ResetRequest": 1} == dict.fromkeys(counted(), 1)
    assert sorted(ResetRequest.objects.values_list("address", "language")) == [("", ""), ("", "en")]
    assert key not in [str(each) for row in MailingChunk.objects.all() for each in row.members]
    assert key not in [str(each) for mailing in Mailing.objects.all() for each in mailing.choice.get("ids", ())]
    assert [line for line, *_more in MailingUnmatched.objects.get().lines] == [4]
    assert {**personal_data.export(other), "made_at": ""} == {**before, "made_at": ""}
    running = everything[1]
    assert counts_are_true(running)
    assert list(running.skips.values_list("reason", "count")) == [(SkipReason.GONE, 1)]


def test_deleting_many_at_once_forgets_all_in_a_few_statements(
    db, django_user_model, django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    people = [make_person(f"Max{number}") for number in range(30)]
    for person in people:
        bad_addresses.remember(person.email, BadVerdict.HARD_BOUNCE)

    with django_capture_on_commit_callbacks() as callbacks:
        django_user_model.objects.filter(pk__in=[person.pk for person in people]).delete()
    with django_assert_max_num_queries(20):
        for callback in callbacks:
            callback()

    assert not BadAddress.objects.exists()


def test_deletion_that_is_rolled_back_forgets_nothing(member, everything):
    before = counted()
    personal_data.note_deleted(member, using="default")  # and then it fails

    personal_data.forget_deleted()

    assert counted() == before


def test_address_of_a_deleted_account_that_others_have_is_not_forgotten(
    member, other, django_capture_on_commit_callbacks
):
    if member._meta.get_field("email").unique:
        pytest.skip("addresses are unique")
    other.email = member.email
    other.save()
    bad_addresses.remember(member.email, BadVerdict.HARD_BOUNCE)

    with django_capture_on_commit_callbacks(execute=True):
        member.delete()

    assert BadAddress.objects.count() == 1
