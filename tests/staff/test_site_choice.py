"""Where several sites can be used, staff choose whose link and text a member gets; else nobody is asked."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse
from wagtail.models import Site

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import Mailing, Need, Origin, PasswordReset, ResetEmail, SiteSender
from wagtail_member_reset.outbox import sample

from .pages import FETCH, rows, url, words
from .test_needs_help_mailing import listed

pytestmark = pytest.mark.django_db
PAGES = ("panel", "history")


@pytest.fixture(autouse=True)
def no_base_url(settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    settings.ALLOWED_HOSTS = ["club.example", "youth.example", "testserver"]


@pytest.fixture
def club():
    site = Site.objects.get()
    site.hostname, site.site_name = "club.example", "Club"
    site.save()
    return site


@pytest.fixture
def youth(club):
    return Site.objects.create(hostname="youth.example", site_name="Youth", root_page=club.root_page)


@pytest.fixture
def refused(club):
    return Site.objects.create(hostname="elsewhere.example", site_name="Elsewhere", root_page=club.root_page)


def ask(client, member, verb="send", **data):
    send = client.post if data else client.get
    return send(url(verb, member), data, **FETCH).content.decode()


def live(member):
    return PasswordReset.objects.live().get(member=member.pk)


@pytest.mark.parametrize("verb", ["send", "hand_out"])
def test_with_one_usable_site_nobody_is_asked(office_client, member, club, refused, verb):
    assert "<select" not in ask(office_client, member, verb)

    ask(office_client, member, verb, effect="new_link")

    assert live(member).site == club


@pytest.mark.parametrize("verb", ["send", "hand_out"])
def test_with_two_the_one_chosen_is_where_the_link_leads(office_client, member, club, youth, refused, verb):
    question = ask(office_client, member, verb)

    assert ("Youth (youth.example)" in question, "Club (club.example)" in question) == (True, True)
    assert "Elsewhere" not in question
    ask(office_client, member, verb, effect="new_link", site=youth.pk)
    assert live(member).site == youth
    assert resets.link(live(member)).startswith("http://youth.example/")


def test_button_asks_first_where_there_are_two(office_client, member, club, youth):
    one_click = 'data-action="member-reset#send"'

    page = office_client.get(url("panel", member), **FETCH).content.decode()

    assert one_click not in page
    youth.delete()
    assert one_click in office_client.get(url("panel", member), **FETCH).content.decode()


@pytest.mark.parametrize("posted", ["refused", "none", "nonsense", "gone"])
@pytest.mark.parametrize("verb", ["send", "hand_out"])
def test_site_that_is_not_offered_is_refused_and_nothing_changes(
    office_client, member, club, youth, refused, verb, posted
):
    before = rows()
    value = {"refused": refused.pk, "none": "", "nonsense": "1 OR 1=1", "gone": "999999"}[posted]

    answer = ask(office_client, member, verb, effect="new_link", site=value)

    assert "so nothing was done. Please look again." in answer
    assert rows() == before


def test_refused_site_is_refused_also_where_nobody_is_asked(office_client, member, club, refused):
    before = rows()

    answer = ask(office_client, member, effect="new_link", site=refused.pk)

    assert "so nothing was done" in answer
    assert rows() == before


def test_question_begins_with_the_site_of_the_last_link(office_client, member, club, youth):
    begun = [f'value="{site.pk}" selected' in ask(office_client, member) for site in (club, youth)]
    resets.revoke(resets.send(member, by=None, site=youth), by=None)

    now = [f'value="{site.pk}" selected' in ask(office_client, member) for site in (club, youth)]

    assert (begun, now) == ([True, False], [False, True])


def test_question_begins_with_the_site_of_the_admins_address(office_client, member, club, youth):
    page = office_client.get(url("send", member), headers={**FETCH["headers"], "host": "youth.example"})

    assert f'value="{youth.pk}" selected' in page.content.decode()


def test_same_link_again_stays_with_its_site(office_client, member, club, youth, mailoutbox):
    first = resets.send(member, by=None, site=youth)
    outbox.drain()

    ask(office_client, member, effect="same_link", site=youth.pk)
    outbox.drain()

    assert (live(member), live(member).site) == (first, youth)
    assert len(mailoutbox) == 2
    assert all("http://youth.example/" in mail.body for mail in mailoutbox)


@pytest.mark.parametrize("verb", ["send", "hand_out"])
def test_another_site_means_a_new_link_which_is_said_before(office_client, member, club, youth, verb):
    first = resets.send(member, by=None, site=youth)
    before, question = rows(), words(ask(office_client, member, verb))

    again = ask(office_client, member, verb, effect="same_link", site=club.pk)

    assert "Another site means a new link" in question
    assert rows() == before
    assert "is for the site Youth (youth.example). For another site, a new link is needed." in words(again)
    assert (f'value="{club.pk}" selected' in again, 'value="replaces"' in again) == (True, True)
    ask(office_client, member, verb, effect="replaces", site=club.pk)
    first.refresh_from_db()
    assert (first.state, live(member).site) == ("superseded", club)


@pytest.mark.parametrize(("verb", "button"), [("send", "Send a new link"), ("hand_out", "Get a new link")])
def test_question_fits_the_site_that_was_chosen(office_client, member, club, youth, verb, button):
    resets.send(member, by=None, site=youth)
    before = rows()

    page = office_client.get(f"{url(verb, member)}?site={club.pk}", **FETCH).content.decode()

    assert f'value="{club.pk}" selected' in page
    assert 'value="same_link"' not in page
    assert 'value="replaces"' in page and f"{button} Back" in words(page)
    assert rows() == before


@pytest.mark.parametrize("query", ["site=999999", "site=x"])
def test_question_for_a_site_that_is_not_offered_is_that_of_the_last_link(office_client, member, club, youth, query):
    resets.send(member, by=None, site=youth)

    page = office_client.get(f"{url('send', member)}?{query}", **FETCH).content.decode()

    assert f'value="{youth.pk}" selected' in page and 'value="same_link"' in page


# What pages say of it


def test_tab_and_history_name_the_site_of_a_link_where_there_are_several(office_client, member, club, youth):
    resets.send(member, by=None, site=youth)
    said = "The link is for the site Youth (youth.example)."

    panel, history = (words(office_client.get(url(name, member), **FETCH).content.decode()) for name in PAGES)
    Site.objects.filter(pk=club.pk).update(hostname="elsewhere.example")
    alone = [words(office_client.get(url(name, member), **FETCH).content.decode()) for name in PAGES]

    assert (panel.count(said), history.count(said)) == (1, 1)
    assert not [page for page in alone if "for the site" in page]


def test_tab_names_the_site_of_a_link_that_is_older(office_client, member, club, youth, time_machine):
    time_machine.move_to("2026-03-01 10:00")
    resets.send(member, by=None, site=youth)
    time_machine.move_to("2026-03-03 10:00")

    page = words(office_client.get(url("panel", member), **FETCH).content.decode())

    assert "a new one would end it. The link is for the site Youth (youth.example)." in page


def test_page_and_list_of_mailings_name_the_site(mailing_office, client, by_hand, club, youth):
    make_person("Nina")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=mailing_office, site=youth)
    mailings.start(mailing)
    addresses = [reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])]
    addresses.append(reverse("wagtail_member_reset_admin:mailings"))

    several = [words(client.get(address).content.decode()) for address in addresses]
    club.delete()
    alone = [words(client.get(address).content.decode()) for address in addresses]

    assert ["Youth (youth.example)" in page for page in several] == [True, True]
    assert ["Youth (youth.example)" in page for page in alone] == [False, False]


ONE = "https://reset.example"


def test_where_all_links_lead_to_one_address_each_form_says_so(
    mailing_office, admin_client, member, club, youth, settings
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = ONE
    addresses = {
        "send": url("send", member),
        "hand out": url("hand_out", member),
        "account": reverse("wagtailusers_users:add"),
        "mailing": reverse(NEW),
        "sender": reverse("wagtail_member_reset_sender:add"),
        "text": reverse("wagtailsnippets_wagtail_member_reset_emailtext:add"),
    }

    pages = {name: words(admin_client.get(address).content.decode()) for name, address in addresses.items()}
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    several = [words(admin_client.get(address).content.decode()) for address in addresses.values()]

    assert [name for name, page in pages.items() if f"ll links lead to {ONE}" not in page] == []
    assert [page for page in several if "ll links lead to" in page] == []


def test_where_all_links_lead_to_one_address_the_site_decides_text_and_sender(
    office_client, member, club, youth, settings
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = ONE

    ask(office_client, member, effect="new_link", site=youth.pk)

    assert live(member).site == youth
    assert resets.link(live(member)).startswith(f"{ONE}/")


def test_page_without_a_script_asks_and_sends_alike(office_client, member, club, youth):
    page = office_client.get(url("send", member)).content.decode()

    office_client.post(url("send", member), {"effect": "new_link", "site": youth.pk})

    assert 'name="site"' in page
    assert "member-reset-no-form" not in page
    assert live(member).site == youth


def test_corrected_address_gets_a_link_of_the_site_of_the_last(member, office, club, youth):
    resets.send(member, by=office, site=youth)

    assert resets.correct(member, address="new@members.example", by=office).site == youth


def test_member_who_asks_on_another_site_gets_the_link_that_is_there(member, club, youth):
    first = resets.send(member, by=None, site=club)

    outbox.entry.enqueue(member, origin=Origin.MEMBER, site=youth, keeps_site=True)

    assert live(member) == first


def test_link_of_a_site_that_is_gone_is_replaced_by_one_of_the_default(member, office, club, youth):
    first = resets.send(member, by=office, site=youth)
    youth.delete()

    again = resets.rotate(member, by=office)

    first.refresh_from_db()
    assert (first.site, again.site) == (None, club)


def test_last_site_is_forgotten_where_allowed_hosts_no_longer_has_it(member, office, club, youth, refused, settings):
    third = Site.objects.create(hostname="third.example", root_page=club.root_page)
    settings.ALLOWED_HOSTS = ["club.example", "youth.example", "third.example"]
    resets.send(member, by=office, site=third)
    settings.ALLOWED_HOSTS = ["club.example", "youth.example"]

    assert resets.rotate(member, by=office).site == club


# The welcome


def created(client, **data):
    model = get_user_model()
    fields = {
        "email": "nora@members.example",
        "first_name": "Nora",
        "last_name": "Sample",
        "member_reset_password": "link",
    }
    if model.USERNAME_FIELD != "email":
        fields["username"] = "nora"
    return client.post(reverse("wagtailusers_users:add"), {**fields, "is_active": "on", **data})


def test_new_account_is_welcomed_to_the_site_chosen(office_client, club, youth):
    page = office_client.get(reverse("wagtailusers_users:add")).content.decode()

    created(office_client, member_reset_site=youth.pk)

    assert 'name="member_reset_site"' in page
    assert (ResetEmail.objects.get().purpose, ResetEmail.objects.get().site) == ("welcome", youth)


def test_new_account_with_a_site_that_is_not_offered_is_not_created(office_client, club, youth, refused):
    response = created(office_client, member_reset_site=refused.pk)

    assert "member_reset_site" in response.context["form"].errors
    assert not get_user_model().objects.filter(email="nora@members.example").exists()


def test_with_one_site_the_form_for_an_account_does_not_ask(office_client, club, refused):
    page = office_client.get(reverse("wagtailusers_users:add")).content.decode()

    created(office_client)

    assert "member_reset_site" not in page
    assert ResetEmail.objects.get().site == club


# Mailings

NEW = "wagtail_member_reset_admin:mailing_new"
FORM = {"name": "Renewal", "kind": "never_signed_in"}


def test_new_mailing_asks_for_the_site_where_there_are_two(mailing_office, client, club, youth, refused):
    page = client.get(reverse(NEW)).content.decode()

    client.post(reverse(NEW), {**FORM, "site": youth.pk})
    draft = Mailing.objects.get()
    preview = client.get(reverse("wagtail_member_reset_admin:mailing", args=[draft.pk])).content.decode()

    assert ('name="site"' in page, "Elsewhere" in page) == (True, False)
    assert draft.site == youth
    assert "The emails are for the site Youth (youth.example)." in words(preview)


def test_new_mailing_for_a_site_that_is_not_offered_is_refused(mailing_office, client, club, youth, refused):
    response = client.post(reverse(NEW), {**FORM, "site": refused.pk})

    assert "site" in response.context["form"].errors
    assert not Mailing.objects.exists()


def test_new_mailing_does_not_ask_with_one(mailing_office, client, club, refused):
    page = client.get(reverse(NEW)).content.decode()

    client.post(reverse(NEW), FORM)

    assert 'name="site"' not in page
    assert Mailing.objects.get().site == club


def test_site_of_a_draft_can_be_changed_and_an_earlier_preview_starts_nothing(mailing_office, client, club, youth):
    make_person("Nina")
    draft = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=mailing_office, site=club)
    seen = client.get(reverse("wagtail_member_reset_admin:mailing", args=[draft.pk])).context["seen"]

    details = {"name": "Renewal", "site": youth.pk}
    client.post(reverse("wagtail_member_reset_admin:mailing_details", args=[draft.pk]), details)
    client.post(reverse("wagtail_member_reset_admin:mailing_start", args=[draft.pk]), {"seen": seen})

    draft.refresh_from_db()
    assert (draft.site, draft.state) == (youth, "draft")


def test_bulk_action_is_for_the_site_of_its_address(mailing_office, client, by_hand, club, youth, refused):
    person = make_person("Nina")
    model = get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])
    query = f"?id={person.pk}&next=/admin/users/"

    preview = client.get(path + query)
    other = dict(preview.context["other_sites"])["Youth (youth.example)"]
    strange = client.get(f"{path}{query}&site={refused.pk}")
    shown = client.get(other)
    client.post(shown.context["start_url"], {"seen": shown.context["seen"]})

    assert (strange.status_code, preview.context["mailing_site"]) == (404, "Club (club.example)")
    assert shown.context["mailing_site"] == "Youth (youth.example)"
    assert Mailing.objects.get().site == youth


def test_selection_of_who_needs_help_begins_with_the_admins_site(mailing_office, client, club, youth):
    person = listed(make_person("Nina"), Need.FAILED)
    mailing_office.groups.get().permissions.add(*Permission.objects.filter(codename="view_passwordreset"))
    selected = {"id": str(person.pk)}

    client.post(reverse("wagtail_member_reset_admin:needs_help_mailing"), selected, headers={"host": "youth.example"})

    assert [mailing.site for mailing in Mailing.objects.all()] == [youth]


def test_mailing_whose_site_is_gone_is_the_default_sites_in_preview_test_email_and_notice(
    mailing_office, client, by_hand, club, youth, mailoutbox
):
    SiteSender.objects.create(site=club, from_name="The Club")
    nina = make_person("Nina")
    draft = mailings.draft(Choice(kind=Kind.IDS, ids=(str(nina.pk),)), by=mailing_office, site=youth)
    draft.save()
    draft.watchers.add(mailing_office)
    youth.delete()

    preview = client.get(reverse("wagtail_member_reset_admin:mailing", args=[draft.pk]))
    sample.send_test(Mailing.objects.get(), nina, by=mailing_office)
    mailings.start(Mailing.objects.get(), wake=False)
    outbox.drain()

    usual = [preview.context["sender"].from_email, *[mail.from_email for mail in mailoutbox]]
    assert [sender.partition(" <")[0] for sender in usual] == ['"The Club"'] * 4


# The command


def test_command_sends_for_the_site_named(by_hand, club, youth, mailoutbox):
    make_person("Nina")

    call_command("send_member_resets", "--all", "--site", "YOUTH.example", "--no-input")

    assert {mail.body.count("http://youth.example/") for mail in mailoutbox} == {1}


def test_command_finds_a_site_whose_record_has_capitals(by_hand, club, youth, mailoutbox):
    Site.objects.filter(pk=youth.pk).update(hostname="Youth.Example")
    make_person("Nina")

    call_command("send_member_resets", "--all", "--site", "youth.example", "--no-input")

    assert len(mailoutbox) == 1


@pytest.mark.parametrize("host", ["elsewhere.example", "nowhere.example", "youth.example:8443"])
def test_command_refuses_a_site_that_cannot_be_used(by_hand, club, youth, refused, host):
    with pytest.raises(CommandError, match="no one Wagtail site"):
        call_command("send_member_resets", "--all", "--site", host, "--no-input")

    assert not Mailing.objects.exists()
