"""Who is shown a link and how, what is kept of that, and what the tab says when the member has gained rights since."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import pre_save
from django.urls import reverse
from wagtail.models import (
    Collection,
    CollectionViewRestriction,
    GroupCollectionPermission,
    GroupPagePermission,
    ModelLogEntry,
    Page,
    PageViewRestriction,
)

from tests.conftest import grant, make_person
from wagtail_member_reset import resets
from wagtail_member_reset.exceptions import Unredeemable
from wagtail_member_reset.models import LinkViewer, PasswordReset, Reason, State

from .pages import FETCH, LINK, edit_url, history, panel_html, panel_words, rows, url, words

ENDED = "The last link ended because Mia was given more rights after a member of staff had seen it."
CHOOSE = "/account/password-reset/set/"


@pytest.fixture
def helper(db):
    """May see links of members, and may not change users."""
    rights = ["access_admin", "send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
    return grant(make_person("Jo", password="jo password 1"), *rights)


def again(person):
    return get_user_model()._base_manager.get(pk=person.pk)


def restricted(kind, group):
    if kind == "page":
        made = PageViewRestriction.objects.create(page=Page.objects.get(depth=2), restriction_type="groups")
    else:
        root = Collection.get_first_root_node()
        made = CollectionViewRestriction.objects.create(collection=root, restriction_type="groups")
    made.groups.add(group)


def shown(client, member):
    return bool(LINK.search(panel_html(client, member)))


# A link that somebody has seen, and a member who gained rights since


def test_opening_the_tab_hides_the_link_and_says_why(enter, office, admin, sent, member):
    reset = sent()
    assert shown(enter(office), member)
    grant(member, "delete_site")

    pages = [panel_html(enter(person), member) for person in (office, admin)]

    reset.refresh_from_db()
    assert (reset.state, reset.reason) == (State.REVOKED, Reason.RIGHTS_GAINED)
    for page in pages:
        assert LINK.search(page) is None
        assert ENDED in words(page)
        assert "Send a new link" in words(page)
        assert "Send again" not in words(page)


def test_new_link_that_is_then_sent_works_and_is_hidden_from_who_lacks_the_right(enter, office, sent, member):
    sent()
    panel_html(enter(office), member)
    grant(member, "delete_site")
    panel_html(enter(office), member)

    answer = enter(office).post(url("send", member), {"effect": "new_link"}, **FETCH)

    newer = PasswordReset.objects.live().get(member=member)
    assert LINK.search(answer.content.decode()) is None
    resets.redeem(resets.open(resets.link(newer)), password="chosen by the member 1")
    assert again(member).check_password("chosen by the member 1")


def test_member_is_told_kindly_and_offered_a_new_link(enter, client, office, sent, member):
    reset = sent()
    link = resets.link(reset)
    panel_html(enter(office), member)
    grant(member, "delete_site")
    before = again(member).password

    client.get(link)
    answers = [client.get(CHOOSE), client.post(CHOOSE, {"link": reset.selector, "new_password1": "a quiet harbour 7"})]

    for answer in answers:
        said = words(answer.content.decode())
        assert "You need a new link" in said
        assert "Your account has been given more rights since this link was sent" in said
        assert "Send me a new link" in said
        assert "Otto" not in said
    assert again(member).password == before


def test_history_names_the_cause(enter, office, sent, member):
    sent()
    panel_html(enter(office), member)
    grant(member, "delete_site")
    panel_html(enter(office), member)

    page = enter(office).get(url("history", member), **FETCH).content.decode()

    assert "Ended: the account gained rights after the link was shown" in words(page)


@pytest.mark.parametrize("kind", ["page", "collection", "a right of the office", "nothing"])
def test_new_member_is_put_into_the_members_group_after_the_office_saw_the_welcome(
    enter, client, office, kind, mailoutbox
):
    """What an office does each day. The link goes on working."""
    group = Group.objects.create(name="Members")
    if kind == "a right of the office":
        group.permissions.add(Permission.objects.get(codename="view_passwordreset"))
    elif kind != "nothing":
        restricted(kind, group)
    browser = enter(office)
    new = {"first_name": "Nora", "last_name": "New", "email": "nora@members.example", "is_active": "on"}
    if get_user_model().USERNAME_FIELD == "username":
        new["username"] = "nora"
    browser.post(reverse("wagtailusers_users:add"), {**new, "member_reset_password": "link"})
    nora = get_user_model()._base_manager.get(email="nora@members.example")
    link = LINK.search(browser.get(edit_url(nora)).content.decode())[0]

    answer = browser.post(edit_url(nora), {**new, "groups": [group.pk]})

    assert answer.status_code == 302
    assert list(again(nora).groups.all()) == [group]
    assert LINK.search(browser.get(edit_url(nora)).content.decode())[0] == link
    client.get(link)
    reset = PasswordReset.objects.get(member=nora)
    client.post(CHOOSE, {"link": reset.selector, "new_password1": "a quiet harbour 7"})
    assert again(nora).check_password("a quiet harbour 7")


# Who saw it is kept and logged, once


@pytest.mark.parametrize("display", ["inline", "reveal"])
@pytest.mark.slow
def test_who_saw_a_link_is_logged_once_for_each_viewer_and_link(enter, office, admin, sent, member, settings, display):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = display
    sent()

    for person in (office, admin):
        for _look in range(3):
            enter(person).get(edit_url(member))
            enter(person).post(url("reveal", member), **FETCH)

    entries = ModelLogEntry.objects.filter(action="wagtail_member_reset.show").order_by("pk")
    assert [(entry.user, entry.object_id) for entry in entries] == [
        (person, str(member.pk)) for person in (office, admin)
    ]
    assert [viewer.viewer for viewer in LinkViewer.objects.order_by("pk")] == [office, admin]
    assert history(member) == ["send", "show", "show"]


@pytest.mark.parametrize("way", ["tab", "click"])
def test_link_whose_viewer_cannot_be_logged_is_not_shown(enter, office, sent, member, way):
    sent()
    client = enter(office, raise_request_exception=False)

    def refuse(**kwargs):
        raise RuntimeError("the log is full")

    pre_save.connect(refuse, sender=ModelLogEntry)
    try:
        answer = client.get(edit_url(member)) if way == "tab" else client.post(url("reveal", member), **FETCH)
    finally:
        pre_save.disconnect(refuse, sender=ModelLogEntry)

    assert (answer.status_code, LINK.search(answer.content.decode())) == (500, None)
    assert (LinkViewer.objects.count(), PasswordReset.objects.get().shown_at) == (0, None)


def test_who_is_not_shown_the_link_is_no_viewer(enter, office, helper, sent, member):
    sent()
    grant(member, "delete_site")

    for person in (office, helper):
        panel_html(enter(person), member)

    assert (LinkViewer.objects.count(), history(member)) == (0, ["send"])


# A click, for who may not change users


def test_who_may_not_change_users_is_shown_the_link_after_a_click_only(enter, helper, sent, member):
    reset = sent()
    client = enter(helper)

    before = panel_html(client, member)
    kept = LinkViewer.objects.count()
    after = client.post(url("reveal", member), **FETCH).content.decode()

    assert (LINK.search(before), kept, "Show link" in before) == (None, 0, True)
    assert "Showing the link is noted in the history." in words(before)
    assert resets.link(reset) in after
    assert (LinkViewer.objects.get().viewer, history(member)) == (helper, ["send", "show"])


def test_link_that_was_asked_for_stays_while_the_page_is_kept_up_to_date(enter, helper, sent, member):
    reset = sent()
    client = enter(helper)
    client.post(url("reveal", member), **FETCH)

    def polled(**query):
        return client.get(url("panel", member), {"seen": "of earlier", **query}, **FETCH).content.decode()

    assert resets.link(reset) in polled(shown=reset.pk)
    assert [LINK.search(polled(**query)) for query in ({}, {"shown": ""}, {"shown": reset.pk + 1})] == [None] * 3
    assert history(member) == ["send", "show"]


def test_page_that_claims_to_show_the_link_is_not_believed(enter, helper, sent, member):
    reset = sent()

    page = enter(helper).get(url("panel", member), {"shown": reset.pk}, **FETCH).content.decode()

    assert (LINK.search(page), LinkViewer.objects.count(), history(member)) == (None, 0, ["send"])


# Groups to which something is private


@pytest.mark.parametrize("kind", ["page", "collection"])
def test_helper_outside_a_private_group_of_the_members_does_not_see_the_link(enter, helper, office, sent, member, kind):
    group = Group.objects.create(name="Members")
    restricted(kind, group)
    member.groups.add(group)
    sent()
    client = enter(helper)
    before = rows()

    page = panel_words(client, member)
    answer = client.post(url("reveal", member), **FETCH)

    assert "Show link" not in page
    assert (answer.status_code, LINK.search(answer.content.decode())) == (403, None)
    assert (rows(), LinkViewer.objects.count()) == (before, 0)
    assert shown(enter(office), member)  # who may change users can join any group


def test_private_group_that_is_joined_while_the_link_is_shown_ends_it(enter, helper, sent, member, monkeypatch):
    board, note_shown = Group.objects.create(name="Board"), resets.note_shown
    restricted("page", board)
    sent()

    def joined_meanwhile(reset, *, by):
        again(member).groups.add(board)
        return note_shown(reset, by=by)

    monkeypatch.setattr(resets, "note_shown", joined_meanwhile)
    link = LINK.search(enter(helper).post(url("reveal", member), **FETCH).content.decode())[0]

    with pytest.raises(Unredeemable, match="rights_gained"):
        resets.look(resets.open(link))


@pytest.mark.parametrize(
    ("kind", "rights_to", "codename"),
    [(GroupPagePermission, Page, "publish_page"), (GroupCollectionPermission, Collection, "add_image")],
)
def test_helper_outside_a_group_that_may_edit_pages_or_collections_does_not_see_the_link(
    enter, helper, sent, member, kind, rights_to, codename
):
    authors = Group.objects.create(name="Authors")
    field = "page" if rights_to is Page else "collection"
    right = Permission.objects.get(codename=codename)
    kind.objects.create(group=authors, permission=right, **{field: rights_to.objects.get(depth=1)})
    member.groups.add(authors)
    sent()

    answers = [enter(helper).post(url("reveal", member), **FETCH)]
    again(helper).groups.add(authors)
    answers += [enter(again(helper)).post(url("reveal", member), **FETCH)]

    assert [bool(LINK.search(answer.content.decode())) for answer in answers] == [False, True]


def test_helper_within_the_members_group_sees_the_link(enter, helper, sent, member):
    group = Group.objects.create(name="Members")
    restricted("page", group)
    for person in (member, helper):
        person.groups.add(group)
    reset = sent()

    answer = enter(helper).post(url("reveal", member), **FETCH)

    assert resets.link(reset) in answer.content.decode()


def test_group_to_which_nothing_is_private_hides_no_link(enter, helper, sent, member):
    member.groups.add(Group.objects.create(name="Choir"))
    sent()

    assert "Show link" in panel_words(enter(helper), member)


# Who changed the address


def test_who_changed_the_address_and_can_set_passwords_gets_the_link_by_a_click(enter, office, sent, member):
    reset = sent()
    resets.note_address_changed(member, by=office)
    client = enter(office)

    page = panel_html(client, member)
    kept = history(member)
    answer = client.post(url("reveal", member), **FETCH)

    assert LINK.search(page) is None
    assert "You changed this address within the last 24 hours, so the link is shown only when you ask for it." in words(
        page
    )
    assert kept == ["send", "address"]
    assert resets.link(reset) in answer.content.decode()
    assert history(member) == ["send", "address", "show"]


def test_who_changed_the_address_and_cannot_set_passwords_is_not_shown_the_link(enter, helper, sent, member):
    sent()
    resets.note_address_changed(member, by=helper)
    client = enter(helper)
    before = rows()

    page = panel_html(client, member)
    answer = client.post(url("reveal", member), **FETCH)

    assert (LINK.search(page), "Show link" in page) == (None, False)
    assert "You changed this address within the last 24 hours, so the link is not shown to you" in words(page)
    assert (answer.status_code, LINK.search(answer.content.decode())) == (403, None)
    assert (rows(), LinkViewer.objects.count()) == (before, 0)


def test_changed_address_of_one_member_hides_the_link_of_no_other(enter, office, sent, member, imported_member):
    sent(imported_member)
    resets.note_address_changed(member, by=office)

    assert shown(enter(office), imported_member)


# Wagtail's own bulk action


def set_active(client, member, *, active):
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "set_active_state"])
    answer = client.post(f"{path}?id={member.pk}", {"mark_as_active": str(active)})
    assert answer.status_code == 302
    assert again(member).is_active is active


def test_deactivating_and_activating_by_wagtails_bulk_action_ends_the_link(enter, admin, sent, member, imported_member):
    reset, other = sent(), sent(imported_member)
    client = enter(admin)

    set_active(client, member, active=False)
    set_active(client, member, active=True)

    for each in (reset, other):
        each.refresh_from_db()
    assert (reset.state, reset.reason) == (State.REVOKED, Reason.DEACTIVATED)
    assert other.is_live
