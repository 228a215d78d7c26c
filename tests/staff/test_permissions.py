"""Who may do what with whose reset: every role against every role, by page and by direct request."""

from datetime import timedelta
from itertools import product
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from wagtail.admin.utils import get_user_display_name
from wagtail.models import ModelLogEntry

from tests.conftest import grant, make_person
from wagtail_member_reset import accounts, resets
from wagtail_member_reset.models import EmailState, ResetEmail
from wagtail_member_reset.staff import permissions

from .pages import FETCH, LINK, edit_url, history, panel_html, rows, url, words

OURS = ["send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
ROLES = ["member", "editor", "junior", "office", "office_without_send", "office_without_link", "superuser"]
ACTIONS = ["view", "history", "copied", "reveal", "send", "revoke", "correct"]

EVERYBODY = set(ROLES)
BELOW_SUPERUSER = EVERYBODY - {"superuser"}
# actor: the targets that each action is for. Nothing for who is not in it.
# Of the help desk: the right to send, and none to edit accounts.
WITHIN_JUNIORS_REACH = {"member", "editor", "junior"}
CORRECTS = {"office": BELOW_SUPERUSER, "office_without_link": BELOW_SUPERUSER, "superuser": EVERYBODY}
SENDS = {**CORRECTS, "junior": WITHIN_JUNIORS_REACH}
SEES = {"office": {"member"}, "office_without_send": {"member"}, "superuser": EVERYBODY}
VIEWS = dict.fromkeys(["office", "office_without_send", "office_without_link", "superuser"], EVERYBODY)
VIEWS["junior"] = WITHIN_JUNIORS_REACH
EXPECTED = {
    "view": VIEWS,
    "history": VIEWS,
    "send": SENDS,
    "revoke": SENDS,
    "correct": CORRECTS,  # who may change accounts, too
    "reveal": SEES,
    "copied": SEES,
}
LOOKS = ["view", "history"]


def manager_codenames():
    model = get_user_model()._meta.model_name
    return [f"{action}_{model}" for action in ("add", "change", "view", "delete")] + ["access_admin"]


def person_of(role, name):
    person = make_person(name, password=f"{name} password 1", is_superuser=role == "superuser")
    if role in ("editor", "junior"):
        grant(person, "access_admin", *(["send_passwordreset"] if role == "junior" else []))
    if role.startswith("office"):
        missing = {"office_without_send": OURS[0], "office_without_link": OURS[1]}.get(role)
        group = Group.objects.create(name=f"{role} of {name}")
        wanted = [name for name in manager_codenames() + OURS if name != missing]
        group.permissions.add(*Permission.objects.filter(codename__in=wanted))
        person.groups.add(group)
    return person


@pytest.fixture
def targets(db):
    """Somebody of each role."""
    return {role: person_of(role, role) for role in ROLES}


def expected(actor_role, target_role, *, is_self=False):
    allowed = {action: target_role in EXPECTED[action].get(actor_role, ()) for action in ACTIONS}
    if is_self:
        allowed["reveal"] = allowed["copied"] = False
    return allowed


def attempt(client, action, target, reset):
    """Whether the request did what it asks for. A refusal is asked whether it changed anything, and is in the log."""
    before = rows(), history(target)
    name = "panel" if action == "view" else action
    ask = client.get if action in LOOKS else client.post
    address = {f"member-reset-{target.get_email_field_name()}": "other@members.example"}
    answer = ask(url(name, target), {"effect": "replaces", "reset": reset.pk, **address}, **FETCH)
    if answer.status_code in (200, 204):
        return True
    assert answer.status_code == 403
    assert LINK.search(answer.content.decode()) is None
    # Who has no access to the admin is turned away at its door, before our view.
    # What was logged within the hour is not logged again.
    is_noted = action not in LOOKS and answer.wsgi_request.user.has_perm("wagtailadmin.access_admin")
    is_noted = is_noted and "refuse" not in before[1]
    assert (rows(), history(target)) == (before[0], before[1] + ["refuse"] * is_noted)
    return False


@pytest.mark.parametrize("actor_role", ROLES)
def test_direct_requests_do_what_the_role_may_do(enter, actor_role, targets, mailoutbox):
    client, done = enter(person_of(actor_role, "Actor")), {}

    for role, target in targets.items():
        # Each time the live link: the one that was cancelled is no longer to be shown.
        done[role] = {action: attempt(client, action, target, resets.send(target, by=None)) for action in ACTIONS}

    assert done == {role: expected(actor_role, role) for role in ROLES}
    assert mailoutbox == []


@pytest.mark.parametrize("actor_role", [*ROLES, "only_link"])
def test_right_to_view_is_the_same_asked_alone(settings, actor_role, targets):
    actor = person_of(actor_role, "Actor")
    if actor_role == "only_link":
        grant(actor, "view_link_passwordreset")

    for display, member in product(["reveal", "never"], [*targets.values(), actor]):
        settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = display
        assert permissions.may_view(actor, member) == permissions.rights(actor, member).view, (display, member)


@pytest.mark.parametrize("role", ROLES)
def test_own_account_gives_no_link(enter, role):
    person = person_of(role, "Self")
    client = enter(person)

    done = {action: attempt(client, action, person, resets.send(person, by=None)) for action in ACTIONS}

    assert done == expected(role, role, is_self=True)


@pytest.mark.parametrize("actor_role", ROLES)
def test_page_offers_what_the_role_may_do(enter, actor_role, targets):
    client = enter(person_of(actor_role, "Actor"))
    links = {role: resets.link(resets.send(target, by=None)) for role, target in targets.items()}
    ResetEmail.objects.update(state=EmailState.FAILED, attempts=1, result_code="smtp_550")

    for role, target in targets.items():
        answer = client.get(edit_url(target))
        # The help desk's page is its own; Wagtail's is closed to it.
        assert actor_role != "junior" or answer.status_code == 302
        answer = client.get(url("panel", target)) if actor_role == "junior" else answer

        page = answer.content.decode()
        offered = offers(page, target, links[role])
        assert answer.status_code == (200 if role in VIEWS.get(actor_role, ()) else 302), role
        assert offered == expected(actor_role, role), role
        assert bool(LINK.search(page)) == offered["reveal"], role


def offers(page, target, link):
    return {
        "view": "Emails go to" in page,
        "copied": "Copy link" in page,
        "reveal": link in page,
        "send": url("send", target) in page and "Send again" in page,
        "revoke": "Cancel link" in page,
        "history": "What happened" in page,
        "correct": "Correct the address" in page,
    }


def test_hidden_link_is_offered_to_whom_it_may_be_shown(enter, office, targets, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    for target in targets.values():
        resets.send(target, by=None)
    client = enter(office)

    offered = {role: "Show link" in panel_html(client, target) for role, target in targets.items()}

    assert offered == {role: expected("office", role)["reveal"] for role in ROLES}


@pytest.mark.parametrize("missing", ["send_passwordreset", "change"])
def test_correcting_an_address_takes_both_rights(enter, office, member, missing):
    codename = f"change_{get_user_model()._meta.model_name}" if missing == "change" else missing
    office.groups.get().permissions.remove(Permission.objects.get(codename=codename))
    reset = resets.send(member, by=None)

    assert attempt(enter(office), "correct", member, reset) is False


# One person does not both say where a link goes and see it


def edited(client, person, **changes):
    """The account saved in Wagtail's own form, with some of its fields changed."""
    form = client.get(edit_url(person)).context["form"]
    values = {name: form.initial.get(name) for name in form.fields}
    data = {name: value for name, value in {**values, **changes}.items() if value not in (None, False)}
    data["groups"] = [group.pk for group in person.groups.all()]
    assert client.post(edit_url(person), data).status_code == 302


@pytest.fixture
def colleague(office):
    person = make_person("Olga", password="Olga password 1")
    person.groups.add(*office.groups.all())
    return person


@pytest.mark.parametrize("way", ["account tab", "correction"])
def test_who_changed_the_address_is_shown_the_link_only_by_a_click_for_a_day(
    enter, office, colleague, member, way, settings
):
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False) as clock:
        client, name = enter(office), member.get_email_field_name()
        if way == "account tab":
            edited(client, member, **{name: "new@members.example"})
        else:
            client.post(url("correct", member), {f"member-reset-{name}": "new@members.example"}, **FETCH)
        reset = resets.send(type(member).objects.get(pk=member.pk), by=office)
        page = panel_html(client, member)
        done = attempt(client, "reveal", member, reset), attempt(client, "copied", member, reset)
        rights = permissions.rights(office, type(member).objects.get(pk=member.pk))
        settings.WAGTAILUSERS_PASSWORD_ENABLED = False
        withheld = permissions.rights(office, type(member).objects.get(pk=member.pk))
        settings.WAGTAILUSERS_PASSWORD_ENABLED = True
        seen_by_colleague = LINK.search(panel_html(enter(colleague), member))
        clock.shift(timedelta(hours=24))
        resets.rotate(type(member).objects.get(pk=member.pk), by=office)

        assert LINK.search(page) is None
        assert (
            "You changed this address within the last 24 hours, so the link is shown only when you ask for it" in page
        )
        assert done == (True, True)
        assert (rights.link, rights.reveal, rights.withheld) == (True, True, False)
        # Where staff set no passwords, they would gain something by it.
        assert (withheld.link, withheld.withheld) == (False, True)
        assert seen_by_colleague
        assert LINK.search(panel_html(enter(office), member))


def test_sending_after_changing_the_address_is_flagged(enter, office, colleague, member):
    edited(enter(office), member, **{member.get_email_field_name(): "new@members.example"})
    account = type(member).objects.get(pk=member.pk)
    resets.send(account, by=office)
    resets.send(account, by=colleague)

    flags = ModelLogEntry.objects.filter(action="wagtail_member_reset.flag", object_id=str(member.pk))
    assert [entry.user for entry in flags] == [office]


def test_saving_an_account_with_the_address_it_had_is_no_change(enter, office, member):
    edited(enter(office), member, first_name="Maria")

    assert history(member) == []


def test_superuser_is_shown_the_link_all_the_same(enter, admin, member):
    enter(admin).post(url("correct", member), {f"member-reset-{member.get_email_field_name()}": "n@members.example"})

    assert LINK.search(panel_html(enter(admin), member))


# The link gives nothing that who sees it lacks


@pytest.mark.parametrize("codename", ["bulk_send_passwordreset", "delete_group", "add_site"])
def test_link_of_who_may_do_more_is_not_shown(enter, office, member, codename):
    grant(member, codename)
    reset = resets.send(member, by=None)

    page = panel_html(enter(office), member)

    assert LINK.search(page) is None
    assert attempt(enter(office), "reveal", member, reset) is False


def test_link_of_who_may_do_no_more_is_shown(enter, office, member):
    grant(member, office.get_all_permissions().pop().partition(".")[2], "view_passwordreset")
    member.user_permissions.remove(*Permission.objects.filter(codename="access_admin"))
    reset = resets.send(member, by=None)

    assert resets.link(reset) in panel_html(enter(office), member)


def test_user_model_that_knows_no_django_staff_has_none():
    person = SimpleNamespace(is_superuser=False, has_perm=lambda permission: False, has_perms=lambda permissions: False)

    assert not accounts.has_admin_access(person)


def test_link_of_django_staff_is_not_shown(enter, office):
    person = make_person("Dan", password="dan password 1", is_staff=True)
    resets.send(person, by=None)

    page = panel_html(enter(office), person)

    assert LINK.search(page) is None
    assert "Send again" in page


def test_right_to_add_or_delete_users_is_a_rank_too(enter, office):
    """Who may create accounts may create a superuser in stock Wagtail: an editor must not reach them."""
    model = get_user_model()._meta.model_name
    editor = grant(make_person("Edi", password="edi password 1"), "access_admin", *OURS)
    for action in ("add", "change", "delete"):
        person = grant(make_person(f"{action}er", password="x password 1"), f"{action}_{model}")
        reset = resets.send(person, by=None)

        assert attempt(enter(editor), "send", person, reset) is False
        assert attempt(enter(office), "send", person, reset) is True


def test_editor_with_the_right_to_send_reaches_members_and_editors(enter):
    editor = grant(make_person("Edi", password="edi password 1"), "access_admin", *OURS)
    equal, below = person_of("editor", "Equal"), person_of("member", "Below")

    done = [attempt(enter(editor), "send", person, resets.send(person, by=None)) for person in (equal, below)]

    assert done == [True, True]


def test_rights_held_outside_the_admin_reach_members_alone(db):
    """For a site's own code that asks `permissions`: the admin's door does not stand before it."""
    actor = grant(make_person("Out"), *OURS)
    editor, member = person_of("editor", "Editor"), person_of("member", "Plain")
    twin = grant(make_person("Twin"), *OURS)

    assert [permissions.rights(actor, person).send for person in (editor, member)] == [False, True]
    assert permissions.rights(actor, twin).link is True


def test_deactivated_staff_do_nothing(enter, office, member):
    reset = resets.send(member, by=None)
    client = enter(office)
    get_user_model()._base_manager.filter(pk=office.pk).update(is_active=False)

    assert [attempt(client, action, member, reset) for action in ACTIONS] == [False] * len(ACTIONS)


def test_right_that_is_taken_away_is_gone_at_the_next_request(enter, office, member):
    reset = resets.send(member, by=None)
    client = enter(office)
    assert attempt(client, "reveal", member, reset) is True

    office.groups.clear()
    grant(office, "access_admin")

    assert [attempt(client, action, member, reset) for action in ACTIONS] == [False] * len(ACTIONS)


def test_refusal_names_who_tried(enter, office, admin):
    attempt(enter(office), "send", admin, resets.send(admin, by=None))

    entry = ModelLogEntry.objects.get(action="wagtail_member_reset.refuse")
    assert (entry.user, entry.object_id, entry.data) == (office, str(admin.pk), {})


def test_refused_page_leads_home_and_asking_alone_is_not_logged(enter, office, admin):
    answer = enter(office).get(url("send", admin))

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailadmin_home"))
    assert history(admin) == []


def test_refused_plain_request_leads_home_and_is_logged(enter, office, admin):
    answer = enter(office).post(url("send", admin), {"effect": "new_link"})

    assert (answer.status_code, answer["Location"]) == (302, reverse("wagtailadmin_home"))
    assert history(admin) == ["refuse"]


# What a new installation gives to whom


def test_rights_are_offered_in_the_group_editor(admin_client):
    group = Group.objects.create(name="Phone")

    page = admin_client.get(f"/admin/groups/edit/{group.pk}/")

    offered = set(page.context["form"].fields["permissions"].queryset.values_list("codename", flat=True))
    assert {*OURS, "bulk_send_passwordreset"} <= offered
    # Wagtail takes the model's name off the end of a label: what is left must still say it.
    labels = [
        "Can send password resets",
        "Can see and copy a member",
        "Can view password resets",
        "to many members at once",
    ]
    assert [label for label in labels if label not in page.content.decode()] == []


def test_history_and_site_history_say_who_did_what_in_words_without_link_or_network(admin_client, office, member):
    resets.note_address_changed(member, by=office)
    first = resets.send(member, by=office)
    links = [resets.link(first), resets.link(resets.send(member, by=office))]
    newer = resets.rotate(member, by=office)
    resets.note_copied(newer, by=office)
    resets.note_refused(member, by=office)
    links += [resets.link(newer)]
    resets.revoke(newer, by=office)
    links += [resets.link(resets.send(type(member).objects.get(pk=member.pk), by=office))]
    resets.redeem(resets.open(links[-1]), password="chosen by the member 1")

    pages = [f"/admin/users/history/{member.pk}/", reverse("wagtailadmin_reports:site_history")]
    for page in [admin_client.get(page).content.decode() for page in pages]:
        said = words(page)
        missing = [sentence for sentence in SAID if sentence not in said]
        assert (missing, get_user_display_name(office) in said, LINK.search(page)) == ([], True, None)
        assert not any(link.rstrip("/")[-40:][:38] in page for link in links)
        assert "127.0.0.1" not in page


SAID = [
    "Email address changed",
    "Reset password email sent",
    "Reset password email sent again, with the same link",
    "Reset password email sent with a new link",
    "Password reset link shown",
    "Password reset link copied",
    "Password reset link cancelled",
    "Password reset refused",
    "Password reset sent by the person who had just changed the address",
    "Password set with a personal link",
]
