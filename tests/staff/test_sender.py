"""The pages on which staff say whom a site's emails are from."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry, Site

from tests.conftest import grant, make_person
from wagtail_member_reset import tokens
from wagtail_member_reset.models import DeliveryEvent, ResetEmail, SiteSender

from .pages import panel_html, panel_words, words

INDEX = "wagtail_member_reset_sender:index"


@pytest.fixture(autouse=True)
def domains(settings):
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = ["club.example", "youth.example"]


@pytest.fixture
def site(db):
    return Site.objects.get()


@pytest.fixture
def sender_client(enter, office):
    office.groups.get().permissions.add(*Permission.objects.filter(codename__endswith="_sitesender"))
    return enter(office)


def post(client, site, **fields):
    return client.post(reverse("wagtail_member_reset_sender:add"), {"site": site.pk, **fields})


def errors(response):
    return {name: list(found) for name, found in response.context["form"].errors.items()}


def test_sender_is_stored_cleaned_and_noted_in_the_log(sender_client, site, office):
    fields = {"from_name": "  Youth   Club ", "from_address": " hi@youth.example ", "reply_to": "a@club.example"}

    response = post(sender_client, site, **fields, support_contact="https://club.example/help")

    assert response.status_code == 302
    row = SiteSender.objects.get()
    assert (row.from_name, row.from_address, row.reply_to) == ("Youth Club", "hi@youth.example", "a@club.example")
    [entry] = ModelLogEntry.objects.filter(action="wagtail.create", content_type__model="sitesender")
    assert entry.user == office


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("from_address", "a@elsewhere.example", "WAGTAIL_MEMBER_RESET_FROM_DOMAINS"),
        ("from_address", "a@mail.club.example", "Emails cannot be sent from mail.club.example"),
        ("from_address", "a@club.example, b@club.example", "valid email"),
        ("from_name", "Club 🎉", "no emoji"),
        ("from_name", "bank@bank.example", "looks like an address"),
        ("from_name", "\u202eClub", "nothing invisible"),
        ("from_name", "a\nBcc: b@c.example", "no line break"),
        ("from_name", 'Bank "Support"', "no quotation mark"),
        ("reply_to", "a@b.example, c@d.example", "valid email"),
        ("reply_to", "a!b@b.example", "one plain email address"),
        ("support_contact", "javascript:alert(1)", "one email address"),
        ("from_name", "paypal.com", "looks like an address"),
        ("reply_to", "thief@evil.example", "Replies cannot go to evil.example. Choose an address at club.example"),
        ("support_contact", "thief@evil.example", "Members cannot be told to write to evil.example."),
        ("support_contact", "https://evil.example/", "Choose a web page of this site"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(sender_client, site, field, value, said):
    response = post(sender_client, site, **{field: value})

    assert list(errors(response)) == [field]
    assert said in " ".join(errors(response)[field])
    assert not SiteSender.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("support_contact", "https://club.example/account/r/{}"),
        ("support_contact", "{}@club.example"),
        ("from_name", "Club {}"),
        ("from_address", "{}@club.example"),
        ("reply_to", "{}@club.example"),
    ],
)
def test_personal_link_is_refused_since_everybody_would_get_it(sender_client, site, sent, field, value):
    response = post(sender_client, site, **{field: value.format(tokens.mint(sent()))})

    [said] = errors(response)[field]
    assert "This is a personal link" in said
    assert not SiteSender.objects.exists()


def test_empty_sender_is_refused_since_it_would_say_nothing(sender_client, site):
    assert "__all__" in errors(post(sender_client, site))
    assert not SiteSender.objects.exists()


def test_one_site_has_one_sender(sender_client, site):
    post(sender_client, site, from_name="One")

    response = post(sender_client, site, from_name="Two")

    assert list(errors(response)) == ["site"]
    assert SiteSender.objects.get().from_name == "One"


def test_site_of_a_sender_stays(sender_client, site):
    post(sender_client, site, from_name="One")
    row = SiteSender.objects.get()
    other = Site.objects.create(hostname="other.example", root_page=site.root_page)

    address = reverse("wagtail_member_reset_sender:edit", args=[row.pk])
    sender_client.post(address, {"site": other.pk, "from_name": "Two"})

    row.refresh_from_db()
    assert (row.site, row.from_name) == (site, "Two")


def test_list_says_what_emails_are_from_now(sender_client, site, settings):
    post(sender_client, site, from_name="Youth", from_address="hi@youth.example")
    used = words(sender_client.get(reverse(INDEX)).content.decode())
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = []

    unused = words(sender_client.get(reverse(INDEX)).content.decode())

    assert "hi@youth.example" in used
    assert "since what was chosen may not be used" in unused


def test_superuser_is_refused_a_contact_elsewhere_too(admin_client, site):
    response = post(admin_client, site, reply_to="thief@evil.example", support_contact="https://evil.example/")

    assert sorted(errors(response)) == ["reply_to", "support_contact"]
    assert not SiteSender.objects.exists()


def test_form_says_which_domains_there_are(sender_client, site):
    page = words(sender_client.get(reverse("wagtail_member_reset_sender:add")).content.decode())

    assert page.count("At one of these domains: club.example, youth.example.") == 3
    assert "A web page has to be one of this site." in page


def test_form_says_what_to_do_where_no_domain_is_listed(sender_client, site, settings):
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS, settings.DEFAULT_FROM_EMAIL = [], "webmaster"
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "https://club.example/help"
    said = "No domain is allowed: ask your administrator to list yours in WAGTAIL_MEMBER_RESET_FROM_DOMAINS."

    page = words(sender_client.get(reverse("wagtail_member_reset_sender:add")).content.decode())
    response = post(sender_client, site, from_address="a@club.example", reply_to="b@club.example")

    assert said in page
    assert errors(response) == {"from_address": [said], "reply_to": [said]}


@pytest.mark.parametrize("name", ["index", "add"])
def test_who_lacks_the_right_is_turned_away(office_client, name):
    response = office_client.get(reverse(f"wagtail_member_reset_sender:{name}"))

    assert response.status_code == 302
    assert reverse("wagtailadmin_home") in response["Location"]


def test_who_lacks_the_right_changes_nothing(office_client, site):
    post(office_client, site, from_name="Mine")

    assert not SiteSender.objects.exists()


@pytest.mark.parametrize("action", ["change", "delete"])
def test_each_right_is_its_own(enter, site, action):
    row = SiteSender.objects.create(site=site, from_name="One")
    person = grant(make_person("Vera"), "access_admin", f"{action}_sitesender")
    client = enter(person)

    client.post(reverse("wagtail_member_reset_sender:add"), {"site": site.pk, "from_name": "New"})
    client.post(reverse("wagtail_member_reset_sender:edit", args=[row.pk]), {"site": site.pk, "from_name": "Two"})
    names = list(SiteSender.objects.values_list("from_name", flat=True))
    client.post(reverse("wagtail_member_reset_sender:delete", args=[row.pk]))

    assert names == (["Two"] if action == "change" else ["One"])
    assert SiteSender.objects.exists() is (action == "change")


def test_menu_shows_it_to_who_may_open_it(office_client, sender_client, enter):
    with_right = sender_client.get(reverse("wagtailadmin_home")).content.decode()
    without = enter(grant(make_person("Vera"), "access_admin", "send_passwordreset"))

    assert reverse(INDEX) in with_right
    assert reverse(INDEX) not in without.get(reverse("wagtailadmin_home")).content.decode()


def test_group_editor_offers_the_rights(admin_client):
    page = admin_client.get(reverse("wagtailusers_groups:add")).content.decode()

    assert str(Permission.objects.get(codename="change_sitesender").pk) in page
    assert "sender" in words(page).lower()


def test_form_names_what_holds_where_a_field_is_empty_and_nothing_where_nothing_does(sender_client, settings):
    form = reverse("wagtail_member_reset_sender:add")
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "help@club.example"
    said = words(sender_client.get(form).content.decode())
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT, settings.DEFAULT_FROM_EMAIL = None, ""
    unsaid = words(sender_client.get(form).content.decode())

    assert "Leave empty for help@club.example." in said and said.count("Leave empty for") == 3
    assert "It appears in the emails." in unsaid and "Leave empty for" not in unsaid


# What the tab says of it


def test_tab_says_that_the_sender_is_not_used_and_what_to_do(office_client, member, sent, site, settings):
    SiteSender.objects.create(site=site, from_address="hi@youth.example")
    sent()
    before = panel_words(office_client, member)
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = []

    after = panel_words(office_client, member)

    assert "is not used" not in before
    assert "emails come from Example Club <office@club.example>" in after
    assert "Correct it under Member sign-in, Sender" in after


def test_details_for_their_it_name_the_sender_of_the_site(office_client, member, sent, site):
    SiteSender.objects.create(site=site, from_address="hi@youth.example")
    sent()
    DeliveryEvent.objects.create(
        email=ResetEmail.objects.get(),
        key="x",
        provider="Postmark",
        event_type="bounced",
        happened_at=timezone.now(),
    )

    assert "&lt;hi@youth.example&gt;" in panel_html(office_client, member)
