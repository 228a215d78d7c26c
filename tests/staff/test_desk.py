"""The help desk: junior staff help without being able to take over accounts."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Page, PageViewRestriction

from tests.conftest import grant, make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.accounts import clean_address
from wagtail_member_reset.models import PasswordReset

from .pages import LINK, edit_url, history, rows, url, words

DESK = reverse("wagtail_member_reset_admin:desk")


@pytest.fixture
def junior(db):
    """Holds nothing but the right to send."""
    return grant(make_person("Juno", password="junior password 1"), "access_admin", "send_passwordreset")


@pytest.fixture
def desk(enter, junior):
    client = enter(junior)

    def ask(wanted=""):
        return client.get(DESK, {"q": wanted} if wanted else {})

    ask.client = client
    return ask


def addresses(answer):
    return {person["address"] for person in answer.context["people"]}


@pytest.mark.parametrize(
    "wanted",
    ["Mia", "mia", "sample mia", "Sample", "mia@members", "MEMBERS.EXAMPLE", "  mia   sam "],
)
def test_member_is_found_by_name_or_address(desk, member, wanted):
    found = desk(wanted)

    assert "mia@members.example" in addresses(found)
    assert "mia@members.example" in words(found.content.decode())


@pytest.mark.parametrize(
    "wanted",
    [
        "Mia Sample <mia@members.example>",
        "Sample, Mia",
        '"Sample, Mia" <MIA@members.example>;',
        "mailto:mia@members.example",
        "<mia@members.example>",
        "(mia@members.example)",
        "mia@members.example.",
        "mia\uff20members.example",
        "\u200bmia@members.example\ufeff",
        "mi\u00ada@members.example",
        "„Mia“ Sample",
    ],
)
def test_member_is_found_by_what_was_copied_from_somewhere(desk, member, wanted):
    make_person("Max")

    assert addresses(desk(wanted)) == {"mia@members.example"}


@pytest.mark.parametrize("stored", ["O'Neil", "O’Neil"])
@pytest.mark.parametrize("wanted", ["o'neil", "o’neil", "o‘neil", "oʼneil", "o`neil", "O´Neil"])
def test_name_is_found_with_any_apostrophe(desk, stored, wanted):
    make_person("Pat", last_name=stored)
    make_person("Oneil")

    assert addresses(desk(wanted)) == {"pat@members.example"}


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ("ina@münchen.example", "ina@xn--mnchen-3ya.example"),
        ("ina@xn--mnchen-3ya.example", "Ina <ina@MÜNCHEN.example>"),
        ("ina@members.example ", "ina@members.example"),
        ("ina\u200b@members.example", "ina@members.example"),
    ],
)
def test_member_is_found_by_any_spelling_of_the_address(desk, stored, wanted):
    ina = make_person("Ina")
    get_user_model().objects.filter(pk=ina.pk).update(email=stored)

    assert addresses(desk(wanted)) == {clean_address(stored)}


def test_name_with_joiners_is_found_with_and_without(desk):
    make_person("Ali", first_name="علی\u200cرضا")

    assert addresses(desk("علی\u200cرضا")) == {"ali@members.example"}


def test_many_addresses_are_looked_up_in_one_walk(desk, member, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        assert addresses(desk(" ".join(f"a{number}@b.cd" for number in range(25)))) == set()


def test_each_word_must_fit(desk, member):
    make_person("Max")

    assert len(desk("max sample").context["people"]) == 1
    assert desk("max nobody").context["people"] == []


@pytest.mark.parametrize("wanted", ["", "  ", "mi", "%%%", "___", "x" * 5000, "\x00\x00\x00", "'; DROP TABLE"])
def test_nobody_is_shown_for_what_names_nobody(desk, member, wanted):
    found = desk(wanted)

    assert found.status_code == 200
    assert found.context["people"] == []


def test_short_search_says_what_is_missing(desk, member):
    assert "Type at least three characters." in words(desk("mi").content.decode())


def test_search_without_a_hit_says_what_to_try(desk, member):
    assert "Nobody was found whom you may help." in words(desk("zebra").content.decode())


def test_twenty_are_shown_at_most(desk, db):
    for number in range(25):
        make_person(f"Tim{number}")

    found = desk("tim")

    assert len(found.context["people"]) == 20
    assert "These are the first 20." in words(found.content.decode())


def test_people_out_of_reach_are_not_shown(desk, admin, office, member):
    assert addresses(desk("members.example")) == {"juno@members.example", "mia@members.example"}


def test_result_tells_name_and_address_and_nothing_else_of_the_account(desk, member):
    person = desk("mia").context["people"][0]

    assert set(person) == {"name", "address", "url"}
    assert person["url"] == url("panel", member)


def test_page_of_a_member_says_what_the_tab_says(desk, sent, member):
    sent()

    said = words(desk.client.get(url("panel", member)).content.decode())

    assert "Emails go to mia@members.example" in said
    assert "Reset password email sent." in said
    assert "Send again" in said
    assert "Find another person" in said
    assert "Change address" not in said
    assert "Copy link" not in said


def test_junior_sends_and_never_sees_the_link(desk, junior, member, mailoutbox):
    answers = [
        desk.client.get(url("send", member)),
        desk.client.post(url("send", member), {"effect": "new_link"}, follow=True),
    ]
    outbox.drain()
    answers += [desk.client.get(url("panel", member)), desk.client.get(url("history", member))]

    assert len(mailoutbox) == 1
    assert answers[1].redirect_chain == [(url("panel", member), 302)]
    assert [LINK.search(answer.content.decode()) for answer in answers] == [None] * 4
    assert PasswordReset.objects.get().issued_by == junior


@pytest.mark.parametrize("name", ["reveal", "copied", "correct"])
def test_junior_can_do_nothing_else(desk, sent, member, name):
    reset = sent()
    before = rows()

    answer = desk.client.post(
        url(name, member), {"reset": reset.pk, f"member-reset-{member.get_email_field_name()}": "x@members.example"}
    )

    assert answer.status_code in (302, 403)
    assert rows() == before
    assert history(member)[-1] == "refuse"


def test_junior_cannot_open_accounts(desk, member):
    assert desk.client.get(edit_url(member)).status_code == 302


@pytest.mark.parametrize("target", ["admin", "office"])
def test_people_of_higher_rank_are_out_of_reach_by_their_address_too(desk, request, target):
    person = request.getfixturevalue(target)
    resets.send(person, by=None)
    before = rows()

    answers = [
        desk.client.get(url("panel", person)),
        desk.client.get(url("send", person)),
        desk.client.post(url("send", person), {"effect": "same_link"}),
    ]

    assert {answer.status_code for answer in answers} <= {302, 403}
    assert rows() == before


def menu(client):
    return client.get(reverse("wagtailadmin_home")).content.decode()


def test_menu_leads_the_junior_to_the_desk(desk):
    assert DESK in menu(desk.client)


def test_menu_leads_who_may_edit_accounts_to_the_desk_too(office_client):
    assert DESK in menu(office_client)


def test_menu_of_who_may_not_send_stays_as_it_was(enter):
    editor = grant(make_person("Eddy"), "access_admin")
    client = enter(editor)

    assert DESK not in menu(client)
    assert client.get(DESK, {"q": "mia"}).status_code == 302


def test_visitor_is_led_to_the_login(client, db):
    assert "login" in client.get(DESK)["Location"]


def test_desk_changes_nothing_and_takes_no_post(desk, member):
    before = rows(), history(member)

    desk("mia")

    assert desk.client.post(DESK, {"q": "mia"}).status_code == 405
    assert (rows(), history(member)) == before


def test_who_may_edit_accounts_is_led_from_the_desk_to_the_tab(office_client, member):
    page = office_client.get(DESK, {"q": "mia"})

    assert page.context["people"][0]["url"] == edit_url(member) + "#tab-settings"


def test_what_was_typed_is_escaped(desk, db):
    page = desk('"><script>alert(1)</script>').content.decode()

    assert "<script>alert" not in page


def test_search_asks_once_however_many_there_are(desk, django_assert_max_num_queries):
    for number in range(20):
        make_person(f"Tim{number}")

    with django_assert_max_num_queries(70):
        assert len(desk("tim").context["people"]) == 20


def helper(name, *groups):
    """May send and see links, and may not edit accounts."""
    person = make_person(name, password="helper password 1")
    person.groups.add(*groups)
    return grant(person, "access_admin", "send_passwordreset", "view_link_passwordreset")


def test_search_costs_a_helper_as_many_queries_for_two_people_as_for_twenty(enter, junior):
    groups = [Group.objects.create(name=name) for name in ("Choir", "Board")]
    groups[1].permissions.add(Permission.objects.get(codename="view_site"))
    page = PageViewRestriction.objects.create(page=Page.objects.get(depth=2), restriction_type="groups")
    page.groups.add(groups[0])
    clients = [enter(helper("Hanna", groups[0])), enter(helper("Hugo")), enter(junior)]

    def costs():
        found = []
        for client in clients:
            with CaptureQueriesContext(connection) as queries:
                people = client.get(DESK, {"q": "tim"}).context["people"]
            found.append(len(queries))
        return found, len(people)

    def add(numbers):
        for number in numbers:
            grant(make_person(f"Tim{number}"), "add_site").groups.add(*groups)

    add(range(2))
    costs()  # content types and sites are kept from here on
    for_two = costs()
    add(range(2, 20))

    assert (for_two[1], costs()) == (2, (for_two[0], 20))


@pytest.mark.parametrize("way", ["own", "group"])
def test_who_holds_more_than_a_helper_is_not_found(enter, member, way):
    codename = f"change_{get_user_model()._meta.model_name}"
    chief = make_person("Miachief")
    if way == "own":
        grant(chief, codename)
    else:
        group = Group.objects.create(name="Chiefs")
        group.permissions.add(Permission.objects.get(codename=codename))
        chief.groups.add(group)

    answer = enter(helper("Hanna")).get(DESK, {"q": "mia"})

    assert addresses(answer) == {"mia@members.example"}


def test_user_model_without_names_is_searched_all_the_same(desk, member):
    assert get_user_model()._default_manager.count() == 2
    assert len(desk(str(member.get_username())).context["people"]) == 1
