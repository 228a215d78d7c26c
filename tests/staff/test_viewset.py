"""The Settings tab in the site's own user views: what it adds, and what it leaves alone."""

import re
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.conf import settings as site_settings
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.users.views.users import UserViewSet

from tests.conftest import make_person
from tests.custom.mount import mount
from tests.custom.viewsets import ByHandUserViewSet, OwnUserViewSet, TablessUserViewSet
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import LinkViewer, PasswordReset
from wagtail_member_reset.staff import viewset
from wagtail_member_reset.staff.viewset import ComposedUserViewSet, CreateViewMixin, EditViewMixin, MemberResetMixin

from .pages import FETCH, LINK, SENT, WELCOMED, edit_url, panel_html, rows, url, words


class Controls(HTMLParser):
    """The names that a browser would send with Wagtail's edit form, and every form and tab on the page."""

    def __init__(self, page):
        super().__init__()
        self.names, self.forms, self.tabs, self.panels = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "form":
            self.forms.append(values.get("action"))
        if tag in ("input", "select", "textarea", "button") and values.get("type") != "button" and values.get("name"):
            self.names.append(values["name"])
        if values.get("role") == "tab":
            self.tabs.append(values.get("href"))
        if values.get("role") == "tabpanel":
            self.panels.append(values.get("id"))


def account_of(person, **changes):
    fields = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name}
    if get_user_model().USERNAME_FIELD == "username":
        fields["username"] = person.username
    return {**fields, "is_active": "on", "password1": "", "password2": "", **changes}


def composed(base):
    return type("Composed", (MemberResetMixin, base), {})


@pytest.fixture
def templates(settings):
    """Gives the site's templates further directories, first in line."""

    def add(*names):
        folders = [site_settings.ROOT / "tests" / "custom" / name for name in names]
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": folders}]

    return add


# What the tab adds


def test_tab_stands_behind_wagtails_own(office_client, member):
    found = Controls(office_client.get(edit_url(member)).content.decode())

    assert found.tabs == ["#tab-account", "#tab-roles", "#tab-settings"]
    assert found.panels == ["tab-account", "tab-roles", "tab-settings"]


def test_section_is_called_account_details(office_client, member):
    page = office_client.get(edit_url(member)).content.decode()

    section = page[page.index('id="tab-settings"') :]
    assert "Account details" in words(section)
    assert "Emails go to mia@members.example" in words(section)


def test_tab_shows_sentence_and_link_after_sending(office_client, sent, member):
    reset = sent()

    page = office_client.get(edit_url(member)).content.decode()

    assert SENT in words(page)
    assert resets.link(reset) in page
    assert "Copy link" in page


def test_page_loads_our_files_and_has_no_inline_script_or_style_of_ours(office_client, sent, member):
    sent()

    page = office_client.get(edit_url(member)).content.decode()

    assert "wagtail_member_reset/staff/member_reset.js" in page
    assert "wagtail_member_reset/staff/member_reset.css" in page
    panel = page[page.index('id="tab-settings"') : page.index("</section>", page.index('id="tab-settings"'))]
    assert re.findall(r"<script|<style|\son\w+=|\sstyle=", panel) == []


def test_nothing_of_ours_is_in_the_forms_data(office_client, sent, member, settings):
    sent()
    ours = Controls(office_client.get(edit_url(member)).content.decode())
    mount(settings, UserViewSet)
    stock = Controls(office_client.get(edit_url(member)).content.decode())

    assert ours.names == stock.names
    assert ours.forms == stock.forms


@pytest.mark.parametrize("question", ["send", "revoke"])
def test_question_in_the_panel_adds_nothing_to_the_forms_data(office_client, sent, member, question):
    sent()

    page = office_client.get(url(question, member), **FETCH).content.decode()

    assert (Controls(page).names, Controls(page).forms) == ([], [])


# What is saved


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Maria"},
        {"email": "maria@elsewhere.example"},
        {"password1": "another horse 42", "password2": "another horse 42"},
        {"password1": "another horse 42", "password2": "different"},
        {"email": "nonsense"},
        {"is_active": ""},
        {"is_superuser": "on"},
    ],
)
def test_account_is_saved_as_in_stock_wagtail(enter, admin, settings, changes):
    same = {"first_name": "Same", "password": "old password 1"}
    one, other = make_person("One", **same), make_person("Two", **same)

    def outcome(person):
        answer = enter(admin).post(edit_url(person), account_of(person, **changes))
        messages = [words(str(message)).replace(str(person), "…") for message in get_messages(answer.wsgi_request)]
        errors = dict(answer.context["form"].errors) if answer.status_code == 200 else {}
        email = person.email
        person.refresh_from_db()
        kept = [person.email == email, person.first_name, person.is_active, person.is_superuser]
        kept += [person.check_password("old password 1"), person.check_password("another horse 42")]
        return answer.status_code, answer.headers.get("Location"), messages, errors, kept

    ours = outcome(one)
    if get_user_model().USERNAME_FIELD == "email" and "@elsewhere" in changes.get("email", ""):
        one.delete()  # there, an address is nobody else's
    mount(settings, UserViewSet)
    stock = outcome(other)

    assert ours == stock


def test_saving_the_account_leaves_a_link_alone(office_client, sent, member):
    reset = sent()
    office_client.get(edit_url(member))

    office_client.post(edit_url(member), account_of(member, last_name="Changed"))

    assert resets.link(PasswordReset.objects.get()) == resets.link(reset)


def test_saving_a_new_address_ends_the_link(office_client, sent, member):
    sent()

    office_client.post(edit_url(member), account_of(member, email="mia@elsewhere.example"))

    page = office_client.get(edit_url(member)).content.decode()
    assert "Emails go to mia@elsewhere.example" in words(page)
    assert "The last link ended because the email address was changed." in words(page)


def test_refused_edit_still_shows_the_tab_with_the_stored_address(office_client, sent, member):
    link = resets.link(sent())
    before = rows()

    answer = office_client.post(edit_url(member), account_of(member, email="new@x.example", first_name=""))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Emails go to mia@members.example" in words(page)
    assert "Mia’s password once" in words(page)
    assert (SENT in words(page), link in page) == (True, True)
    assert 'value="new@x.example"' in page
    assert rows()[2] == before[2]
    assert PasswordReset.objects.get().is_live


def test_edit_that_deactivates_and_fails_does_not_end_the_link(office_client, sent, member):
    sent()

    office_client.post(edit_url(member), account_of(member, is_active="", email="nonsense"))

    assert PasswordReset.objects.get().is_live


# What it costs


def queries(client, person):
    client.get(edit_url(person))
    with CaptureQueriesContext(connection) as captured:
        client.get(edit_url(person))
    return len(captured)


def cost(client, person, settings):
    """Queries of the edit page beyond stock Wagtail's, and beyond who else has the address, if anybody can."""
    shared = int(get_user_model().USERNAME_FIELD != "email")
    ours, urls = queries(client, person), settings.ROOT_URLCONF
    mount(settings, UserViewSet)
    stock = queries(client, person)
    settings.ROOT_URLCONF = urls
    return ours - stock - shared


def test_tab_costs_a_superuser_four_queries_and_with_a_link_six(admin_client, sent, member, settings):
    nothing = cost(admin_client, member, settings)
    sent()
    waiting = cost(admin_client, member, settings)

    # The latest email, whether to email at all, and the sites; then what was reported of it, who has seen the link, and
    # the text with which staff pass it on.
    assert (nothing, waiting) == (4, 6)


@pytest.mark.slow
def test_tab_costs_others_the_members_permissions_too(office_client, sent, member, settings):
    nothing = cost(office_client, member, settings)
    sent()
    waiting = cost(office_client, member, settings)

    assert (nothing, waiting) == (7, 9)


@pytest.mark.slow
def test_sites_are_asked_for_once_also_where_no_setting_names_the_address(
    admin_client, office_client, sent, member, settings
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    nothing = [cost(client, member, settings) for client in (admin_client, office_client)]
    sent()
    waiting = [cost(client, member, settings) for client in (admin_client, office_client)]

    assert (nothing, waiting) == ([4, 7], [6, 9])


def test_first_look_at_a_fresh_link_notes_that_it_was_shown(admin_client, office_client, sent, member):
    spent = []
    for client in (admin_client, office_client):
        sent()
        steady = queries(client, member)
        LinkViewer.objects.all().delete()
        PasswordReset.objects.update(shown_at=None)
        with CaptureQueriesContext(connection) as first:
            client.get(edit_url(member))
        spent.append(len(first) - steady)

    # The link, the viewer and the entry of the log, in a transaction; the groups of both, who may be compared later.
    assert spent == [9, 11]


def test_earlier_resets_cost_nothing(office_client, office, sent, member):
    sent()
    one = queries(office_client, member)
    for _number in range(20):
        resets.rotate(member, by=None)
    outbox.drain()

    assert queries(office_client, member) == one


def test_waiting_mail_costs_one_query_more(admin_client, office, member, sent):
    sent()
    steady = queries(admin_client, member)
    resets.rotate(member, by=office)

    assert queries(admin_client, member) - steady <= 1


# On the views of a site


@pytest.mark.parametrize("base", [OwnUserViewSet, ByHandUserViewSet])
def test_sites_own_views_forms_and_templates_stay_its_own(admin_client, member, settings, templates, base):
    templates("templates")
    mount(settings, composed(base) if base is OwnUserViewSet else base)

    page = admin_client.get(edit_url(member))
    form = admin_client.get("/admin/users/new/")

    found = Controls(page.content.decode())
    assert found.tabs.count("#tab-settings") == 1
    assert found.panels.count("tab-settings") == 1
    assert "phone" in found.names
    assert "Own context." in page.content.decode()
    assert {"phone", "member_reset_password"} <= set(form.context["form"].fields)
    assert 'name="phone"' in form.content.decode()
    assert form.content.decode().count('value="link"') == 1


def test_sites_own_edit_form_still_decides(admin_client, member, settings, templates):
    templates("templates")
    mount(settings, composed(OwnUserViewSet))

    refused = admin_client.post(edit_url(member), account_of(member, first_name="Maria"))
    saved = admin_client.post(edit_url(member), account_of(member, first_name="Maria", phone="1"))

    assert (set(refused.context["form"].errors), saved.status_code) == ({"phone"}, 302)
    member.refresh_from_db()
    assert member.first_name == "Maria"


def test_sites_own_creation_form_still_decides(admin_client, settings, templates):
    templates("templates")
    mount(settings, composed(OwnUserViewSet))
    new = account_of(make_person("Gone"), email="nora@members.example", phone="1")
    if "username" in new:
        new["username"] = "nora"
    plain = {"password1": "correct horse 42", "password2": "correct horse 42"}

    def post(**changes):
        return admin_client.post("/admin/users/new/", {**new, **changes})

    refused = post(**plain, member_reset_password="password")
    without_phone = post(phone="", member_reset_password="link")
    welcomed = post(**plain, member_reset_password="link")

    assert set(refused.context["form"].errors) >= {"password1"}
    assert set(without_phone.context["form"].errors) == {"phone"}
    person = get_user_model()._base_manager.get(email="nora@members.example")
    assert welcomed["Location"] == edit_url(person) + "#tab-settings"
    assert [str(message) for message in get_messages(welcomed.wsgi_request)][-1].startswith("Welcome on board")
    assert WELCOMED in words(admin_client.get(welcomed["Location"].partition("#")[0]).content.decode())
    assert person.has_usable_password() is False


def test_projects_override_of_wagtails_template_stays(admin_client, member, templates):
    templates("override")

    page = admin_client.get(edit_url(member)).content.decode()

    assert "The project&#x27;s own line." in page or "The project's own line." in page
    assert Controls(page).tabs == ["#tab-account", "#tab-roles", "#tab-settings"]


def test_template_without_tabs_gets_the_panel_below_its_fields(admin_client, sent, member, settings, templates):
    templates("templates")
    mount(settings, composed(TablessUserViewSet))
    link = resets.link(sent())

    page = admin_client.get(edit_url(member)).content.decode()

    assert (Controls(page).tabs, Controls(page).panels) == ([], [])
    panel = page[page.index('id="member-reset"') :]
    assert page.index('id="all-fields"') < page.index('id="member-reset"') < page.index("</form>")
    assert (SENT in words(panel), link in panel) == (True, True)


def test_viewset_composed_by_hand_is_not_composed_twice():
    by_hand = viewset._composed(MemberResetMixin, ByHandUserViewSet)
    instance = by_hand("wagtailusers_users", url_prefix="users")

    assert by_hand is ByHandUserViewSet
    assert instance.edit_view_class.__mro__.count(EditViewMixin) == 1
    assert instance.add_view_class.__mro__.count(CreateViewMixin) == 1


def test_classes_of_the_site_are_left_as_they_were():
    ComposedUserViewSet("wagtailusers_users", url_prefix="users")

    assert not issubclass(UserViewSet.edit_view_class, EditViewMixin)
    assert not issubclass(OwnUserViewSet.add_view_class, CreateViewMixin)


def test_app_composes_by_itself():
    assert apps.get_app_config("wagtailusers").user_viewset == viewset.COMPOSED
    assert issubclass(ComposedUserViewSet, UserViewSet)
    assert viewset.is_installed()


def test_second_install_changes_nothing():
    users = apps.get_app_config("wagtailusers")
    before = users.user_viewset, users.member_reset_base

    viewset.install()

    assert (users.user_viewset, users.member_reset_base) == before


def test_module_has_no_other_late_name():
    with pytest.raises(AttributeError):
        viewset.NoSuchThing  # noqa: B018


def test_stock_page_of_a_site_that_wants_no_tab(admin_client, sent, member, settings):
    sent()
    mount(settings, UserViewSet)

    page = admin_client.get(edit_url(member)).content.decode()

    assert Controls(page).tabs == ["#tab-account", "#tab-roles"]
    assert LINK.search(page) is None
    assert SENT in words(panel_html(admin_client, member))
