"""Who may mail many, and whom: every role against every role, by page and by direct request."""

import io
from itertools import product

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.conftest import grant, make_person
from tests.staff.pages import start
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import file_choice, read_file
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingChunk, MailingState, PasswordReset, ResetEmail
from wagtail_member_reset.staff import mailing_start, permissions

from .pages import LINK, history, rows
from .test_permissions import ROLES, SENDS, VIEWS, person_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

STEERING = ["start", "pause", "resume", "stop", "retry"]
VERBS = [*STEERING, "again"]
SENDERS = sorted(SENDS)


def mailing_url(name, *args):
    return reverse(f"wagtail_member_reset_admin:{name}", args=args)


def verb_url(verb, mailing):
    return f"{mailing_url('mailing', mailing)}{verb}/"


def picked(*people):
    """The bulk action's address for people picked in the listing."""
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])
    return path + "?" + "&".join(f"id={getattr(each, 'pk', each)}" for each in people)


def sender(role, name="Actor"):
    return grant(person_of(role, name), "bulk_send_passwordreset")


def all_rows():
    """All that a mailing could have changed."""
    others = [list(model.objects.order_by("pk").values()) for model in (Mailing, MailingChunk)]
    return [*rows(), *others]


def mailing_of(*people, by=None, state=MailingState.RUNNING):
    """A mailing of people's mails, which failed, as if the mail server had refused them; in any state."""
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people)), by=by, again=True)
    if state != MailingState.DRAFT:
        mailings.start(mailing)
        for each in people:
            reset = resets.send(each, by=None)
            ResetEmail.objects.filter(reset=reset).update(mailing=mailing, state=EmailState.FAILED)
        MailingChunk.objects.all().delete()
        Mailing.objects.update(state=state, failed=len(people))
        mailing.refresh_from_db()
    return mailing


def mailed(mailoutbox):
    outbox.drain()
    return {message.to[0] for message in mailoutbox}


@pytest.fixture
def targets(db):
    """Somebody of each role."""
    return {role: person_of(role, role) for role in ROLES}


def roles_in(text_or_addresses, targets):
    return {role for role, person in targets.items() if person.email in text_or_addresses}


# Whom a mailing reaches is whom a single send reaches


@pytest.mark.parametrize("actor_role", SENDERS)
def test_mailing_reaches_whom_a_single_send_would(enter, actor_role, targets, mailoutbox):
    actor = sender(actor_role)
    everybody = Group.objects.create(name="Everybody")
    everybody.user_set.set([actor, *targets.values()])
    client = enter(actor)

    client.post(mailing_url("mailing_new"), {"name": "Renewal", "kind": "groups", "groups": [everybody.pk]})
    preview = client.get(mailing_url("mailing", Mailing.objects.get().pk)).content.decode()
    start(client, Mailing.objects.get())

    reached = SENDS[actor_role]
    assert roles_in(preview, targets) == roles_in(mailed(mailoutbox), targets) == reached
    with_link = PasswordReset.objects.exclude(member=actor).values_list("member__email", flat=True)
    assert roles_in(with_link, targets) == reached


@pytest.mark.parametrize("actor_role", SENDERS)
def test_who_is_picked_in_the_listing_is_reached_as_by_a_single_send(enter, actor_role, targets, mailoutbox):
    client, has_listing = enter(sender(actor_role)), actor_role != "junior"

    preview = client.get(picked(*targets.values()))
    client.post(picked(*targets.values()))

    reached = SENDS[actor_role] if has_listing else set()
    assert (preview.status_code == 200) == has_listing
    assert roles_in(preview.content.decode(), targets) == roles_in(mailed(mailoutbox), targets) == reached


@pytest.mark.parametrize("actor_role", SENDERS)
def test_failed_mails_are_tried_again_within_the_reach_of_who_asks(enter, actor_role, targets, mailoutbox):
    mailing = mailing_of(*targets.values(), state=MailingState.FINISHED)

    enter(sender(actor_role)).post(verb_url("retry", mailing.pk))

    assert roles_in(mailed(mailoutbox), targets) == SENDS[actor_role]


@pytest.mark.parametrize("actor_role", SENDERS)
def test_members_of_a_mailing_are_asked_again_within_the_reach_of_who_asks(enter, actor_role, targets, mailoutbox):
    client, mailing = enter(sender(actor_role)), mailing_of(*targets.values(), state=MailingState.FINISHED)
    mailing.emails.update(state=EmailState.HANDED_OVER)

    preview = client.post(verb_url("again", mailing.pk), follow=True).content.decode()
    start(client, Mailing.objects.latest("pk"))

    assert roles_in(preview, targets) == roles_in(mailed(mailoutbox), targets) == SENDS[actor_role]


@pytest.mark.parametrize("actor_role", SENDERS)
def test_members_of_a_mailing_are_shown_to_who_may_look_at_them(enter, actor_role, targets):
    mailing = mailing_of(*targets.values())

    page = enter(sender(actor_role)).get(mailing_url("mailing_members", mailing.pk)).content.decode()

    assert roles_in(page, targets) == set(VIEWS[actor_role])
    assert LINK.search(page) is None


def test_rights_held_outside_the_admin_reach_members_alone(db):
    """For a site's own code that asks `permissions`: the admin's door does not stand before it."""
    actor = grant(make_person("Out"), "send_passwordreset", "bulk_send_passwordreset")
    in_admin, django_staff = person_of("editor", "Editor"), make_person("Dan", is_staff=True)
    member = person_of("member", "Plain")

    reached = get_user_model()._base_manager.exclude(permissions.beyond(actor))

    assert set(reached) == {actor, member}
    assert [permissions.rights(actor, each).send for each in (in_admin, django_staff, member)] == [False, False, True]


# Who may not mail many


def everything_to_ask(mailing, *people):
    yield mailing_url("mailing_new"), {"name": "Renewal", "kind": "never_signed_in"}
    for person in people:
        yield picked(person), {}
    yield picked("all"), {}
    for verb in VERBS:
        yield verb_url(verb, mailing.pk), {}


@pytest.mark.parametrize("actor_role", [role for role in ROLES if role != "superuser"])
def test_who_may_not_mail_many_is_refused_which_is_in_the_log(enter, actor_role, targets, mailoutbox):
    actor, mailing = person_of(actor_role, "Actor"), mailing_of(*targets.values())
    client, before = enter(actor), all_rows()

    answers = [client.post(url, data) for url, data in everything_to_ask(mailing, *targets.values())]
    looks = [
        client.get(url)
        for url in (
            mailing_url("mailings"),
            mailing_url("mailings_results"),
            mailing_url("mailing_new"),
            mailing_url("mailing", mailing.pk),
            mailing_url("mailing_members", mailing.pk),
        )
    ]

    # Who has no access to the admin is turned away at its door, before our views.
    is_noted = actor.has_perm("wagtailadmin.access_admin")
    assert {answer.status_code for answer in answers + looks} == {302}
    assert not any("mailings" in answer["Location"] for answer in answers + looks if is_noted)
    assert all_rows() == before
    assert mailed(mailoutbox) == set()
    assert history(actor) == ["refuse_mailing"] * is_noted


@pytest.mark.parametrize("codename", ["bulk_send_passwordreset", "send_passwordreset"])
def test_one_of_the_two_rights_alone_is_refused(enter, codename):
    person = grant(make_person("Half"), "access_admin", codename)
    mailing = mailing_of(make_person("Mia"))
    client, before = enter(person), all_rows()

    for url, data in everything_to_ask(mailing, person):
        client.post(url, data)

    assert all_rows() == before
    assert set(history(person)) == {"refuse_mailing"}


def test_bulk_action_is_for_who_sees_the_listing_and_leaves_no_mailing_behind(enter, member):
    person = sender("junior")

    answers = [enter(person).post(picked(each)) for each in (member, "all")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert not Mailing.objects.exists()
    assert history(person) == ["refuse_mailing"]


def test_refusal_names_who_tried_and_shows_in_their_history(enter, admin, office):
    enter(office).post(mailing_url("mailing_new"), {"name": "Renewal", "kind": "never_signed_in"})

    entry = ModelLogEntry.objects.get(action="wagtail_member_reset.refuse_mailing")
    assert (entry.user, entry.object_id, entry.data) == (office, str(office.pk), {})
    pages = [f"/admin/users/history/{office.pk}/", reverse("wagtailadmin_reports:site_history")]
    for page in pages:
        assert "Mailing refused" in enter(admin).get(page).content.decode()


# What changes nothing, whoever asks


@pytest.mark.parametrize("state", MailingState.values)
def test_looking_at_what_a_click_does_changes_nothing(enter, admin, member, state):
    mailing = mailing_of(member, state=state)
    client, before = enter(admin), all_rows()

    for verb, method in product(VERBS, ("get", "head", "options", "put", "patch", "delete")):
        answer = getattr(client, method)(verb_url(verb, mailing.pk))
        if method not in ("get", "head"):
            assert answer.status_code == 405
        elif verb == "stop" and answer.status_code == 200:  # it asks first, where there is something to stop
            assert mailing.is_under_way
        else:
            assert answer.url == mailing_url("mailing", mailing.pk)

    assert all_rows() == before


def test_pages_of_mailings_change_nothing(enter, admin, member):
    mailing, draft = mailing_of(member), mailing_of(member, state=MailingState.DRAFT)
    client, before = enter(admin), all_rows()

    urls = [
        mailing_url("mailings"),
        mailing_url("mailings_results"),
        mailing_url("mailing_new"),
        mailing_url("mailing", mailing.pk),
        mailing_url("mailing", draft.pk),
        mailing_url("mailing_members", mailing.pk),
    ]
    looks = [client.get(url) for url in [*urls, picked(member), picked("all")]] + [client.head(url) for url in urls]

    assert {answer.status_code for answer in looks} == {200}
    assert all_rows() == before
    assert outbox.drain() == 0


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_bulk_action_takes_a_post_alone(enter, admin, member, method):
    assert getattr(enter(admin), method)(picked(member)).status_code == 405
    assert not Mailing.objects.exists()


def test_every_post_needs_the_csrf_token(admin, member):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    mailing = mailing_of(member)
    before = all_rows()

    for url, data in everything_to_ask(mailing, member):
        assert client.post(url, data).status_code == 403

    assert all_rows() == before


@pytest.mark.parametrize("verb", ["", "members/", *(f"{verb}/" for verb in VERBS)])
def test_mailing_that_is_none_is_not_found(enter, admin, verb):
    client = enter(admin)

    for pk in ("0", "77", "-1", "9" * 19, "9" * 400, "x", "1e3", "%00", "١"):
        url = f"{mailing_url('mailings')}{pk}/{verb}"
        assert {client.get(url).status_code, client.post(url).status_code} <= {404, 405}, pk
    assert not Mailing.objects.exists()


def test_picked_account_that_is_none_is_not_mailed(enter, admin, mailoutbox):
    client = enter(admin)

    for key in ("0", "-1", "9" * 19, "9" * 400, "x", "", "1e3", "%00", "%27%20OR%201=1"):
        assert client.post(picked(key)).status_code in (302, 404), key
    assert mailed(mailoutbox) == set()
    assert not PasswordReset.objects.exists()


JUNK = [
    "%00",
    "x" * 5000,
    "9" * 400,
    "-1",
    "%F0%9F%99%82",
    "%E2%80%AEaim",
    "%27%20OR%201=1--",
    "%0d%0aSet-Cookie:x=1",
    "%25s%25(x)s",
]


@pytest.mark.parametrize("name", ["q", "group", "is_superuser", "last_login_from", "ordering", "p", "childOf", "next"])
def test_junk_in_the_address_of_the_listing_is_no_error(enter, admin, name):
    client = enter(admin)

    for junk in JUNK:
        assert client.get(f"{picked('all')}&{name}={junk}").status_code in (200, 404), junk[:20]


@pytest.mark.parametrize("name", ["kind", "groups", "again", "per_hour", "file"])
def test_junk_in_the_form_is_no_error(enter, admin, name):
    client = enter(admin)
    kind = {"groups": "groups", "file": "file"}.get(name, "never_signed_in")

    for junk in ("\x00", "x" * 70_000, "9" * 400, "-1", "1e5", "\u202e", "' OR 1=1--", "{{ 7 }}"):
        value = SimpleUploadedFile("people.csv", junk.encode()) if name == "file" else junk
        answer = client.post(mailing_url("mailing_new"), {"name": "Renewal", "kind": kind, name: value})
        assert answer.status_code in (200, 302), junk[:20]
    assert not ResetEmail.objects.exists()


# A mailing that has ended


def test_stopped_mailing_stays_stopped(enter, admin, member, mailoutbox):
    mailing = mailing_of(member, state=MailingState.STOPPED)
    client, before = enter(admin), all_rows()

    for verb in STEERING:
        assert client.post(verb_url(verb, mailing.pk)).status_code == 302

    assert all_rows() == before
    assert mailed(mailoutbox) == set()


# What a file says


@pytest.fixture
def with_file(office):
    """A mailing of the office's, with a line that names no account."""
    reading = read_file(io.BytesIO(f"{make_person('Mia').email}\nstranger@old.example".encode()))
    return mailings.draft(file_choice(reading.columns[0]), by=office, reading=reading)


def looks_at(client, mailing):
    pages = [mailing_url("mailing", mailing.pk), mailing_url("mailing_unmatched", mailing.pk)]
    answers = [client.get(page, follow=True) for page in pages]
    return [any(word in page.getvalue() for word in (b"stranger@old.example", b"no account")) for page in answers]


@pytest.mark.parametrize("is_started", [False, True], ids=["draft", "started"])
def test_lines_of_a_file_are_for_who_brought_it_and_for_no_lower_rank(enter, office, admin, with_file, is_started):
    office.groups.get().permissions.add(Permission.objects.get(codename="bulk_send_passwordreset"))
    if is_started:
        mailings.start(with_file)
    people = {"owner": office, "superuser": admin, "equal": sender("office", "Equal"), "lower": sender("junior")}

    seen = {name: looks_at(enter(person), with_file) for name, person in people.items()}

    assert seen == {"owner": [True] * 2, "superuser": [True] * 2, "equal": [True] * 2, "lower": [False] * 2}


def test_no_page_of_a_files_draft_opens_for_lower_rank(enter, with_file):
    client = enter(sender("junior"))

    pages = ["mailing", "mailing_details", "mailing_members", "mailing_unmatched", "mailing_stop", "mailing_bounces"]
    answers = {name: client.get(mailing_url(name, with_file.pk)) for name in pages}

    assert not any(answer.status_code == 200 for answer in answers.values())
    assert not any(with_file.name.encode() in answer.content for answer in answers.values())


def test_lower_rank_starts_no_draft_of_a_file_of_others(enter, with_file):
    client, before = enter(sender("junior")), all_rows()

    for verb in ("mailing_start", "mailing_choose"):
        client.post(mailing_url(verb, with_file.pk), {"column": 0, "seen": mailing_start.seen(with_file)})

    assert all_rows() == before


def test_file_that_was_read_for_all_is_not_for_who_may_not_see_everybody(enter, with_file, office):
    equal = sender("office", "Equal")
    assert looks_at(enter(equal), with_file) == [True, True]
    for group in equal.groups.all():
        group.permissions.remove(*group.permissions.filter(codename="view_passwordreset"))
    equal.user_permissions.remove(*equal.user_permissions.filter(codename="view_passwordreset"))

    assert looks_at(enter(equal), with_file) == [False, False]


def test_lines_of_a_file_that_nobody_answers_for_are_for_who_manages_users(enter, with_file):
    mailings.start(with_file)
    Mailing.objects.update(created_by=None)

    seen = [looks_at(enter(sender(role, role.title())), with_file) for role in ("office", "junior")]

    assert seen == [[True, True], [False, False]]
