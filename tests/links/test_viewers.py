"""Who was shown a link, and what of the member's ends it since."""

import hypothesis
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Collection, CollectionViewRestriction, ModelLogEntry, Page, PageViewRestriction

from tests.conftest import grant, make_person
from wagtail_member_reset import links, mailings, outbox, resets, tokens
from wagtail_member_reset.accounts import Rank, opens_private_things
from wagtail_member_reset.exceptions import LinkProblem, Unredeemable
from wagtail_member_reset.links import state
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import LinkViewer, PasswordReset, Reason, State

pytestmark = pytest.mark.django_db
OURS = ["access_admin", "send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
NEW = "chosen by the member 1"


def again(person):
    """The account as the next request reads it."""
    return get_user_model()._base_manager.get(pk=person.pk)


def seen_by(reset, *people):
    for person in people:
        resets.note_shown(PasswordReset.objects.select_related("member").get(pk=reset.pk), by=again(person))
    return reset


def opened(reset):
    return resets.open(tokens.mint(PasswordReset.objects.get(pk=reset.pk)))


def group_of(name, *codenames):
    group = Group.objects.create(name=name)
    group.permissions.set(Permission.objects.filter(codename__in=codenames))
    return group


def private_page(group):
    restriction = PageViewRestriction.objects.create(page=Page.objects.get(depth=2), restriction_type="groups")
    restriction.groups.add(group)
    return group


def private_collection(group):
    root = Collection.get_first_root_node()
    restriction = CollectionViewRestriction.objects.create(collection=root, restriction_type="groups")
    restriction.groups.add(group)
    return group


# The table: who has seen it, what the member gains, and whether the link can still be used


def superuser():
    return make_person("Ana", is_superuser=True)


def manager():
    """May change users, and has a right besides."""
    model = get_user_model()._meta.model_name
    return grant(make_person("Olga"), *OURS, f"change_{model}", "add_site")


def desk():
    """May see links, and may not change users."""
    person = grant(make_person("Jo"), *OURS, "add_site")
    person.groups.add(private_collection(group_of("Both")))
    return person


def becomes_superuser(member):
    member.is_superuser = True
    member.save()


def manages_users(member):
    member.groups.add(group_of("Managers", f"change_{get_user_model()._meta.model_name}"))


def enters_admin(member):
    member.groups.add(group_of("Writers", "access_admin"))


def becomes_django_staff(member):
    member.is_staff = True
    member.save()


def right_of_the_viewers(member):
    member.groups.add(group_of("Helpers", "add_site"))


def right_that_viewers_lack(member):
    member.groups.add(group_of("Board", "delete_site"))


def right_of_ones_own(member):
    grant(member, "delete_site")


def group_without_anything(member):
    member.groups.add(group_of("Choir"))


def private_group(member):
    member.groups.add(private_page(group_of("Members")))


def private_group_of_the_desk(member):
    member.groups.add(Group.objects.filter(name="Both").first() or group_of("Both"))


def nothing(member):
    member.save()


VIEWERS = {"nobody": (), "superuser": (superuser,), "manager": (manager,), "desk": (desk,)}
VIEWERS["superuser and manager"] = (superuser, manager)
ENDS_FOR = {
    becomes_superuser: {"manager", "desk", "superuser and manager"},
    manages_users: {"manager", "desk", "superuser and manager"},
    enters_admin: {"manager", "desk", "superuser and manager"},
    becomes_django_staff: {"manager", "desk", "superuser and manager"},
    right_that_viewers_lack: {"manager", "desk", "superuser and manager"},
    right_of_ones_own: {"manager", "desk", "superuser and manager"},
    private_group: {"desk"},
    right_of_the_viewers: set(),
    private_group_of_the_desk: set(),
    group_without_anything: set(),
    nothing: set(),
}


@pytest.mark.parametrize("gain", ENDS_FOR, ids=lambda gain: gain.__name__)
@pytest.mark.parametrize("viewer", VIEWERS)
def test_link_that_was_seen_is_usable_if_and_only_if_nothing_was_gained(member, viewer, gain):
    reset = resets.send(member, by=None)
    grant_of_member = opened(reset)
    seen_by(reset, *(make() for make in VIEWERS[viewer]))
    gain(again(member))
    password = again(member).password

    if viewer not in ENDS_FOR[gain]:
        resets.redeem(grant_of_member, password=NEW)
        assert again(member).check_password(NEW)
        return
    with pytest.raises(Unredeemable) as refused:
        resets.redeem(grant_of_member, password=NEW)
    reset.refresh_from_db()
    assert refused.value.problem == LinkProblem.RIGHTS_GAINED
    assert (reset.state, reset.reason, reset.nonce) == (State.REVOKED, Reason.RIGHTS_GAINED, None)
    assert again(member).password == password


@pytest.mark.parametrize("gain", [gain for gain, ends in ENDS_FOR.items() if ends], ids=lambda gain: gain.__name__)
def test_what_the_member_had_when_the_link_was_seen_is_no_gain(member, gain):
    gain(member)
    reset = seen_by(resets.send(again(member), by=None), desk())

    resets.redeem(opened(reset), password=NEW)

    assert again(member).check_password(NEW)


# Any order of looks, gains and losses

VIEWER_HOLDS = {"manager": {"add_site"}, "desk": {"add_site", "view_site"}}
RIGHTS = ["add_site", "view_site", "delete_site"]
EVENTS = st.one_of(
    st.tuples(st.just("is seen by"), st.sampled_from(sorted(VIEWER_HOLDS))),
    st.tuples(st.sampled_from(["gains", "loses"]), st.sampled_from(RIGHTS)),
    st.tuples(st.just("is looked at"), st.none()),
)


@given(events=st.lists(EVENTS, max_size=10))
@hypothesis.settings(max_examples=60, derandomize=True)
@pytest.mark.slow
def test_link_is_usable_in_any_order_of_events_if_and_only_if_nothing_was_gained(events):
    with transaction.atomic():
        check_in_order(events)
        transaction.set_rollback(True)


def check_in_order(events):
    member = make_person("Mia", password="old password 1")
    people = {name: grant(make_person(name), *rights, *OURS) for name, rights in VIEWER_HOLDS.items()}
    reset = resets.send(member, by=None)
    grant_of_member = opened(reset)
    # By viewer, what they or the member had at the first look; and what the member has now.
    had, has, is_dead = {}, set(), False
    for event, subject in events:
        gained = any(has - known for known in had.values())
        if event == "is seen by" and not is_dead and not gained:
            seen_by(reset, people[subject])
            had.setdefault(subject, VIEWER_HOLDS[subject] | has)
        elif event in ("gains", "loses"):
            (has.add if event == "gains" else has.discard)(subject)
            member.user_permissions.set(Permission.objects.filter(codename__in=has))
        elif event == "is looked at":
            resets.status(again(member))
            is_dead = is_dead or gained
    usable = not is_dead and not any(has - known for known in had.values())

    if usable:
        resets.redeem(grant_of_member, password=NEW)
    else:
        with pytest.raises(Unredeemable):
            resets.redeem(grant_of_member, password=NEW)
    assert again(member).check_password(NEW) is usable


# What viewers lose, and what a setting changes


def loses_rights(person):
    person.user_permissions.clear()
    person.groups.clear()


def is_deactivated(person):
    get_user_model()._base_manager.filter(pk=person.pk).update(is_active=False)


def is_deleted(person):
    person.delete()


def is_no_superuser_any_more(person):
    get_user_model()._base_manager.filter(pk=person.pk).update(is_superuser=False)


LOSSES = [loses_rights, is_deactivated, is_deleted, is_no_superuser_any_more]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("viewer", [superuser, manager, desk], ids=lambda viewer: viewer.__name__)
def test_what_a_viewer_has_lost_since_ends_no_link(member, viewer, loss):
    person = viewer()
    reset = seen_by(resets.send(member, by=None), person)
    right_of_the_viewers(member)

    loss(person)

    resets.redeem(opened(reset), password=NEW)
    assert again(member).check_password(NEW)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_what_the_member_gains_counts_for_viewers_who_are_gone(member, loss):
    person = manager()
    reset = seen_by(resets.send(member, by=None), person)
    grant_of_member = opened(reset)
    loss(person)

    right_that_viewers_lack(member)

    with pytest.raises(Unredeemable):
        resets.redeem(grant_of_member, password=NEW)
    assert not again(member).check_password(NEW)


def test_page_that_is_made_private_to_the_members_group_ends_no_link(member):
    group = group_of("Members")
    member.groups.add(group)
    reset = seen_by(resets.send(member, by=None), desk())

    private_page(group)

    assert resets.look(opened(reset)) == reset


def test_gain_that_was_taken_back_before_anybody_looked_ends_no_link(member):
    reset = seen_by(resets.send(member, by=None), manager())
    grant_of_member = opened(reset)

    right_of_ones_own(member)
    member.user_permissions.clear()

    assert resets.look(grant_of_member) == reset


def test_group_that_gains_a_right_counts_for_its_members(member):
    group = group_of("Members")
    member.groups.add(group)
    reset = seen_by(resets.send(member, by=None), manager())
    grant_of_member = opened(reset)

    group.permissions.add(Permission.objects.get(codename="delete_site"))

    with pytest.raises(Unredeemable):
        resets.look(grant_of_member)


def test_right_that_did_not_exist_when_the_link_was_seen_counts(member):
    reset = seen_by(resets.send(member, by=None), manager())
    grant_of_member = opened(reset)
    fresh = Permission.objects.create(
        codename="open_the_safe", name="Can", content_type=ContentType.objects.get_for_model(Group)
    )

    member.user_permissions.add(fresh)

    with pytest.raises(Unredeemable):
        resets.look(grant_of_member)


def test_link_that_ended_stays_dead_when_the_member_loses_what_was_gained(member):
    reset = seen_by(resets.send(member, by=None), manager())
    grant_of_member = opened(reset)
    right_of_ones_own(member)
    resets.status(again(member))

    member.user_permissions.clear()

    with pytest.raises(Unredeemable) as refused:
        resets.look(grant_of_member)
    assert refused.value.problem == LinkProblem.RIGHTS_GAINED


def test_promotion_between_look_and_redemption_is_noticed(member):
    reset = seen_by(resets.send(member, by=None), manager())
    looked_at = resets.look(opened(reset))
    right_of_ones_own(member)
    account = looked_at.member
    account.set_password(NEW)

    with pytest.raises(Unredeemable):
        links.use(looked_at, member=account)

    assert not again(member).check_password(NEW)


def test_sending_after_a_gain_mails_a_new_link(member):
    reset = seen_by(resets.send(member, by=None), manager())
    right_of_ones_own(member)

    newer = resets.send(again(member), by=None)

    reset.refresh_from_db()
    assert (reset.state, reset.reason) == (State.REVOKED, Reason.RIGHTS_GAINED)
    assert newer.pk != reset.pk
    assert resets.look(opened(newer)) == newer


def test_email_with_a_link_that_a_gain_has_ended_is_not_sent(member, mailoutbox):
    seen_by(resets.send(member, by=None), manager())
    right_of_ones_own(member)

    outbox.drain()

    assert mailoutbox == []


def test_preview_of_a_mailing_counts_who_gained_as_its_mailing_mails_them(member, mailoutbox):
    other = make_person("Eve", password="old password 1")
    staff = superuser(), manager()
    for person in (member, other):
        seen_by(resets.send(person, by=None), *staff)
    right_of_ones_own(member)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=None)

    preview = mailings.preview(mailing)
    mailings.start(mailing)
    outbox.drain()

    assert preview.emails == 1
    assert [mail.to for mail in mailoutbox].count([member.email]) == 1
    assert [reset.reason for reset in PasswordReset.objects.filter(state=State.REVOKED)] == [Reason.RIGHTS_GAINED]


# What is kept, and what it costs


def test_one_row_and_one_entry_for_each_viewer_and_link(member, office):
    first = resets.send(member, by=None)
    colleague = manager()
    for _look in range(3):
        seen_by(first, office, colleague)
    second = seen_by(resets.rotate(member, by=None), office)

    entries = ModelLogEntry.objects.filter(action="wagtail_member_reset.show").order_by("pk")
    assert [(viewer.reset, viewer.viewer) for viewer in LinkViewer.objects.order_by("pk")] == [
        (first, office),
        (first, colleague),
        (second, office),
    ]
    assert [(entry.user, entry.object_id) for entry in entries] == [
        (person, str(member.pk)) for person in (office, colleague, office)
    ]


def test_database_keeps_one_row_for_each_viewer_and_link(member, office):
    reset = seen_by(resets.send(member, by=None), office)
    row = LinkViewer.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        LinkViewer.objects.create(reset=reset, viewer=office, viewed_at=row.viewed_at)


def test_viewer_who_was_faster_is_not_kept_twice(member, office):
    """Two pages of the same person at once: both have found nothing."""
    reset = PasswordReset.objects.select_related("member").get(pk=resets.send(member, by=None).pk)
    twin = PasswordReset.objects.select_related("member").get(pk=reset.pk)
    assert not links.has_viewed(reset, office)
    assert not links.has_viewed(twin, office)

    noted = [links.note_viewer(each, by=office) for each in (reset, twin)]

    assert (noted, LinkViewer.objects.count()) == ([True, False], 1)


def test_nothing_is_kept_of_a_superusers_rights(member, admin):
    seen_by(resets.send(member, by=None), admin)

    row = LinkViewer.objects.get()
    assert (row.was_superuser, row.permissions, row.groups) == (True, [], [])


def test_copy_by_who_was_not_shown_the_link_counts_as_shown(member, office):
    reset = resets.send(member, by=None)

    resets.note_copied(reset, by=office)

    row = LinkViewer.objects.get()
    assert (row.viewer, row.member_rank, bool(row.copied_at)) == (office, Rank.MEMBER, True)


def test_deleted_member_and_purged_link_take_the_viewers_with_them(member, office):
    seen_by(resets.send(member, by=None), office)

    again(member).delete()

    assert LinkViewer.objects.count() == 0


def test_link_that_nobody_has_seen_costs_no_query_more(member, django_assert_num_queries):
    grant_of_member = opened(resets.send(member, by=None))

    with django_assert_num_queries(1):
        resets.look(grant_of_member)


@pytest.mark.parametrize(
    ("viewer", "queries"), [(superuser, 2), (manager, 4), (desk, 5)], ids=["superuser", "manager", "desk"]
)
def test_link_that_somebody_has_seen_costs_few_queries_however_many_viewers(
    member, django_assert_num_queries, viewer, queries
):
    reset = seen_by(resets.send(member, by=None), viewer())
    grant_of_member = opened(reset)
    with django_assert_num_queries(queries):
        resets.look(grant_of_member)
    for number in range(10):
        person = make_person(f"Twin{number}", is_superuser=viewer is superuser)
        person.user_permissions.set(LinkViewer.objects.first().viewer.user_permissions.all())
        seen_by(reset, person)

    with django_assert_num_queries(queries):
        resets.look(grant_of_member)


def shown_and_gained(numbers, viewer):
    """Members whose link the viewer was shown, and who gained something, nothing or what opens nothing since."""
    gains = [nothing, group_of_choir, right_in_a_group, right_of_ones_own, group_of_board]
    gained = set()
    for number in numbers:
        person = make_person(f"Mo{number}")
        person.groups.add(Group.objects.get(name="Choir"))
        seen_by(resets.send(person, by=None), viewer)
        gain = gains[number % len(gains)]
        gain(again(person))
        gained |= {person.pk} if gain in (right_in_a_group, right_of_ones_own, group_of_board) else set()
    return gained


def group_of_choir(member):
    member.groups.add(Group.objects.get(name="Tenors"))


def right_in_a_group(member):
    member.groups.add(Group.objects.get(name="Holders"))


def group_of_board(member):
    member.groups.add(Group.objects.get(name="Board"))


@pytest.fixture
def groups():
    for name in ("Choir", "Tenors"):
        group_of(name)
    group_of("Holders", "delete_site")
    private_page(group_of("Board"))


def test_links_of_many_that_were_shown_cost_as_many_queries_as_those_of_five(groups):
    viewer, accounts = desk(), get_user_model()._base_manager.filter(first_name__startswith="Mo")

    def found():
        with CaptureQueriesContext(connection) as queries:
            return set(links.outgrown(accounts)), len(queries)

    gained = shown_and_gained(range(5), viewer)
    of_five = found()
    gained_later = shown_and_gained(range(5, 20), viewer)

    assert of_five[0] == gained
    assert found() == (gained | gained_later, of_five[1])


def test_links_that_were_shown_are_compared_a_part_at_a_time(groups, monkeypatch):
    monkeypatch.setattr(state, "COMPARED_AT_ONCE", 3)

    gained = shown_and_gained(range(10), desk())

    with CaptureQueriesContext(connection) as queries:
        found = links.outgrown(get_user_model()._base_manager.all())
    assert (len(found), set(found)) == (len(gained), gained)
    parts = [each["sql"] for each in queries if "EXISTS" in each["sql"] and "LinkViewer".lower() in each["sql"]]
    assert len(parts) == 4


class InheritedRights(ModelBackend):
    """A backend of the site's, by which members of the choir hold a right that no table names."""

    def _get_group_permissions(self, user_obj):
        held = Permission.objects.filter(group__in=user_obj.groups.all())
        is_in_choir = user_obj.groups.filter(name="Singers").exists()
        return Permission.objects.filter(codename="delete_site") if is_in_choir else held


def test_rights_by_a_backend_of_the_sites_own_count_for_many_as_for_one(settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.InheritedRights"]
    group_of("Singers")
    viewer, members = desk(), [make_person("Mo"), make_person("Max")]
    made = [seen_by(resets.send(person, by=None), viewer) for person in members]

    members[0].groups.add(Group.objects.get(name="Singers"))

    for reset, expected in zip(made, (Reason.RIGHTS_GAINED, None), strict=True):
        assert links.failing(PasswordReset.objects.get(pk=reset.pk), again(reset.member)) == expected
    assert links.outgrown(get_user_model()._base_manager.all()) == [members[0].pk]


# Groups to which something is private


@pytest.mark.parametrize("make_private", [private_page, private_collection])
def test_private_pages_and_collections_are_known(make_private):
    group, other = make_private(group_of("Members")), group_of("Choir")

    assert [opens_private_things({each.pk}) for each in (group, other)] == [True, False]


@pytest.mark.parametrize("kind", ["login", "password", "none"])
def test_restriction_of_another_kind_is_private_to_no_group(kind):
    group = private_page(group_of("Members"))
    PageViewRestriction.objects.update(restriction_type=kind)

    assert not opens_private_things({group.pk})


def test_without_groups_nothing_is_asked(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not opens_private_things(set())
