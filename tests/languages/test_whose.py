"""Whose language an email and the page behind its link are in: the member's, else the page's, else the site's."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.users.models import UserProfile

from tests.conftest import make_person
from tests.mailing.test_state import drained, started
from tests.member.conftest import SET, choose, path_of
from wagtail_member_reset import accounts, languages, outbox, resets
from wagtail_member_reset.models import PasswordReset, ResetEmail

ASK = "/account/password-reset/"
LANGUAGES = {"Mia": "es", "Ida": "fr", "Nobody": None, "Shouting": "DE", "Unknown": "xx"}


@pytest.fixture(autouse=True)
def site(languages_of_site, by_hand):
    languages_of_site("en", "de", "es", "fr", "nl")


def by_name(member):
    return LANGUAGES.get(member.first_name)


def fails(member):
    raise RuntimeError("no such column in the register")


def fails_in_the_database(member):
    connection.cursor().execute("SELECT nothing FROM nowhere")


def wrong_kind(member):
    return 7


def speaks(person, language):
    UserProfile.objects.update_or_create(user=person, defaults={"preferred_language": language})
    return type(person).objects.get(pk=person.pk)


def rule(settings, name):
    settings.WAGTAIL_MEMBER_RESET_MEMBER_LANGUAGE = f"{__name__}.{name}"


def language_of_page(response):
    return response["Content-Language"]


def test_spanish_member_who_asks_on_the_german_page_is_answered_in_spanish(client, member, mailoutbox):
    speaks(member, "es")

    client.post(ASK, {"email": member.email}, headers={"accept-language": "de"})
    outbox.drain()

    assert PasswordReset.objects.get().language == ResetEmail.objects.get().language == "es"
    assert '<html lang="es"' in mailoutbox[0].alternatives[0][0]


def test_member_without_a_language_is_answered_in_that_of_the_page(client, member, mailoutbox):
    client.post(ASK, {"email": member.email}, headers={"accept-language": "es"})
    outbox.drain()

    assert '<html lang="es"' in mailoutbox[0].alternatives[0][0]


def test_french_staff_write_to_a_dutch_member_in_dutch(client, office, member, mailoutbox):
    speaks(office, "fr")
    speaks(member, "nl")
    client.force_login(office)

    client.post(reverse("wagtail_member_reset_admin:send", args=[member.pk]), {"effect": "new_link"})
    outbox.drain()

    assert '<html lang="nl"' in mailoutbox[0].alternatives[0][0]


def test_link_opened_in_a_browser_of_another_language_leads_to_a_page_in_the_member_s(client, member, mailoutbox):
    speaks(member, "es")
    reset = resets.send(member, by=None)
    german = {"accept-language": "de"}

    client.get(path_of(reset), headers=german)
    form = client.get(SET, headers=german)
    refused = choose(client, reset, "short", headers=german)
    done = client.get(choose(client, reset, headers=german)["Location"], headers=german)
    outbox.drain()

    assert {*map(language_of_page, (form, refused, done))} == {"es"}
    assert "contraseña" in refused.content.decode()
    assert [mail.alternatives[0][0].count('<html lang="es"') for mail in mailoutbox] == [1]  # the link has ended
    assert ResetEmail.objects.get(purpose="password_changed").language == "es"


@pytest.mark.parametrize("ending", ["expired", "used", "revoked"])
def test_page_about_a_link_that_has_ended_is_in_its_language(ending, client, member, time_machine):
    speaks(member, "es")
    reset = resets.send(member, by=None)
    path = path_of(reset)
    client.get(path)
    if ending == "expired":
        time_machine.move_to(timezone.now() + timedelta(days=7, seconds=1))
        client.get(path)
    elif ending == "used":
        choose(client, reset)
        client.get(path)
    else:
        resets.revoke(reset, by=None)

    assert language_of_page(client.get(SET, headers={"accept-language": "de"})) == "es"


def test_address_with_a_language_in_it_is_the_reader_s_choice(client, member, settings):
    settings.ROOT_URLCONF = "tests.languages.prefixed_urls"
    speaks(member, "es")
    reset = resets.send(member, by=None)

    assert path_of(reset).startswith("/es/account/r/")
    client.get(path_of(reset))
    assert language_of_page(client.get("/es" + SET)) == "es"
    assert language_of_page(client.get("/de" + SET)) == "de"


def test_link_that_is_sent_again_speaks_the_language_of_now(client, member, mailoutbox, time_machine):
    first = resets.send(member, by=None)
    outbox.drain()
    speaks(member, "es")
    time_machine.move_to(timezone.now() + timedelta(hours=1))

    client.post(ASK, {"email": member.email}, headers={"accept-language": "de"})
    outbox.drain()

    again = PasswordReset.objects.get()
    assert (again.pk, again.language) == (first.pk, "es")
    assert '<html lang="es"' in mailoutbox[-1].alternatives[0][0]


def test_notice_to_the_former_address_is_in_the_member_s_language(client, member, office, settings):
    rule(settings, "by_name")
    reset = resets.send(member, by=office)
    client.get(path_of(reset))
    choose(client, reset)

    resets.correct(member, address="new@members.example", by=office, tell_former=True)

    assert {*ResetEmail.objects.values_list("purpose", "language")} == {
        ("reset", "es"),
        ("password_changed", "es"),
        ("address_changed", "es"),
    }


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("Mia", "fr", "es"),  # the site's rule goes before the profile
        ("Nobody", "fr", "fr"),
        ("Shouting", "", "de"),
        ("Unknown", "", "nl"),
        ("Other", "", "nl"),
    ],
)
def test_site_s_rule_says_whose_language_it_is(name, said, expected, settings, db):
    rule(settings, "by_name")
    person = speaks(make_person(name), said)

    assert accounts.language_of(person, "nl") == expected


@pytest.mark.parametrize("name", ["fails", "fails_in_the_database"])
def test_rule_that_fails_is_logged_and_costs_no_email(name, member, settings, mailoutbox, caplog):
    rule(settings, name)
    speaks(member, "es")

    with caplog.at_level(logging.ERROR, logger="wagtail_member_reset"):
        resets.send(member, by=None)
    outbox.drain()

    assert PasswordReset.objects.get().language == "es"
    assert len(mailoutbox) == 1
    assert f"member={member.pk}: MEMBER_LANGUAGE failed" in caplog.text


def test_answer_that_is_no_language_counts_as_none(member, settings):
    rule(settings, "wrong_kind")

    assert accounts.language_of(member, "nl") == "nl"


def test_rule_that_cannot_be_read_costs_no_email(member, settings, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_MEMBER_LANGUAGE = "no.such.thing"

    resets.send(member, by=None)
    outbox.drain()

    assert len(mailoutbox) == 1


@pytest.mark.parametrize("name", ["by_name", "fails", "fails_in_the_database"])
def test_rule_that_fails_in_a_mailing_costs_nobody_theirs(name, settings, db, mailoutbox):
    people = [make_person(name) for name in ("Mia", "Ida", "Other")]
    rule(settings, name)
    for person in people:
        speaks(person, "nl")

    mailing = drained(started())

    found = sorted(ResetEmail.objects.values_list("language", flat=True))
    assert (mailing.handed_over, mailing.failed) == (3, 0)
    assert found == (["es", "fr", "nl"] if name == "by_name" else ["nl"] * 3)


@pytest.mark.parametrize("with_rule", [False, True])
def test_languages_of_many_cost_no_query_each(with_rule, settings, db):
    if with_rule:
        rule(settings, "by_name")
    costs = []
    for number in (2, 20):
        for each in range(number):
            speaks(make_person(f"Person{number}-{each}"), "es")
        model = type(make_person(f"Last{number}"))
        with CaptureQueriesContext(connection) as seen:
            found = accounts.ask_languages(accounts.with_languages(model.objects.all()))
            assert {*map(accounts.language_of, found)} == {"en", "es"}
        costs.append(len(seen))

    assert costs[0] == costs[1] <= 3


@pytest.mark.parametrize("removed", ["es", "pt_BR", "xx"])
def test_language_that_was_removed_costs_no_email_and_no_page(removed, client, member, languages_of_site, mailoutbox):
    speaks(member, removed)
    reset = resets.send(member, by=None)
    PasswordReset.objects.update(language=removed)
    ResetEmail.objects.update(language=removed)
    languages_of_site("en", "de")

    outbox.drain()
    client.get(path_of(PasswordReset.objects.get()))

    assert '<html lang="en"' in mailoutbox[0].alternatives[0][0]
    assert language_of_page(client.get(SET)) == "en"
    assert choose(client, reset).status_code == 302
    assert languages.spoken(removed) == "en"
