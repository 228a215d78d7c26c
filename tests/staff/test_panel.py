"""Each state of the tab says itself in a plain sentence."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from django.contrib.auth import get_user_model
from wagtail.models import Site
from wagtail.users.models import UserProfile

from tests.conftest import grant, make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import EmailState, Origin, PasswordReset, ResetEmail, SkipReason

from .pages import FETCH, LINK, SENT, WELCOMED, edit_url, panel_html, panel_words, url, without_fields, words

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
COULD_NOT = "The reset password email could not be sent."


def nobody(member):
    return False


def rewrite_email(**changes):
    assert ResetEmail.objects.update(**changes) == 1


def rewrite_account(member, **changes):
    """As the database sees it when something other than the admin changes an account."""
    assert get_user_model()._base_manager.filter(pk=member.pk).update(**changes) == 1


@pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="the address is the username")
@pytest.mark.parametrize(("methods", "is_told"), [({"username"}, True), ({"email"}, False)])
def test_user_name_is_told_where_members_sign_in_with_it(office_client, db, settings, methods, is_told):
    settings.ACCOUNT_LOGIN_METHODS = methods
    person = make_person("Mia", username="mia-1\u202e")
    other = make_person("Ole", username="ole@members.example")

    assert ("Sign-in name mia-1" in panel_words(office_client, person)) is is_told
    assert "Sign-in name ole@members.example" in panel_words(office_client, other)


def test_link_that_ends_at_midnight_works_until_the_last_minute_of_the_day_before(office_client, member, time_machine):
    time_machine.move_to(datetime(2026, 11, 23, 23, tzinfo=timezone.utc), tick=False)  # midnight in Berlin

    resets.send(member, by=None)

    said = panel_words(office_client, member)
    assert "The link works until Nov. 30, 2026, 11:59 p.m." in said
    assert "midnight" not in said


# Before anything was sent


def test_nothing_sent_says_so_and_what_sending_does(office_client, member):
    said = panel_words(office_client, member)

    assert "Emails go to mia@members.example" in said
    assert "Nothing sent in the last 16 hours. Mia gets an email with a link to choose a new password." in said
    assert "The current password keeps working until then." in said
    assert "Send password reset" in said
    assert "Cancel link" not in said
    assert SENT not in said


def test_account_without_a_password_is_said_to_have_none(office_client, imported_member):
    said = panel_words(office_client, imported_member)

    assert "No password is set for this account yet: Ida can only sign in after choosing one with a link." in said
    assert "The current password keeps working" not in said


def test_account_with_a_password_is_not_said_to_have_none(office_client, member):
    assert "No password is set" not in panel_words(office_client, member)


def test_nameless_member_is_called_by_what_wagtail_calls_them(office_client):
    nameless = make_person("Nemo", first_name="", last_name="")

    said = panel_words(office_client, nameless)

    assert f"{nameless} gets an email" in said


def test_name_is_escaped(office_client):
    person = make_person("Eve", first_name="<script>alert(1)</script>")

    page = panel_html(office_client, person)

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; gets an email" in page


# While the window is open


def test_queued_mail_is_leaving(office_client, office, member):
    resets.send(member, by=office)

    said = panel_words(office_client, member)

    assert f"{SENT} Leaving The email is leaving this site now." in said
    assert "Send again" in said
    assert "Cancel link" in said


def test_mail_being_handed_over_is_leaving(office_client, office, member):
    resets.send(member, by=office)
    rewrite_email(state=EmailState.SENDING, attempts=1, lease="x", lease_until=NOON + timedelta(days=9999))

    said = panel_words(office_client, member)

    assert f"{SENT} Leaving The email is leaving this site now." in said


def test_failed_attempt_says_when_the_next_one_is(office_client, office, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.send(member, by=office)
    rewrite_email(attempts=1, next_attempt_at=NOON + timedelta(minutes=30), result_code="no_answer")

    said = panel_words(office_client, member)

    assert (
        "The reset password email has not left yet. Waiting The mail service is not answering. "
        "We will try again on Nov. 23, 2026, 1:30 p.m." in said
    )
    assert "Urgent? Send the link another way." in said


def test_handed_over_says_when_in_both_ways(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    time_machine.move_to(NOON + timedelta(hours=2), tick=False)

    page = panel_html(office_client, member)

    assert f"{SENT} Sent 2 hours ago (Nov. 23, 2026, 1 p.m.). We cannot see whether it arrived" in words(page)
    assert '<time datetime="2026-11-23T13:00:00+01:00">' in page


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("invalid", "Refused The mail service did not send the email: the address is not a valid email address."),
        (
            "login_refused",
            "Failed The mail service refused our login. Tell your administrator; meanwhile, send the link",
        ),
        ("configuration", "Failed There is a problem in this site’s email set-up. Tell your administrator; meanwhile,"),
        ("no_answer", "Failed The mail service did not accept it at any attempt. Send again later, or send the link"),
        ("error", "Failed The mail service did not accept it at any attempt. Send again later, or send the link"),
        ("http_429", "Failed The mail service did not accept it at any attempt. Send again later, or send the link"),
        ("http_503", "Failed The mail service did not accept it at any attempt. Send again later, or send the link"),
        ("http_400", "Failed The mail service could not send the email because of a problem on our side. Try again;"),
        ("failed", "Failed The mail service could not send the email because of a problem on our side. Try again;"),
        ("smtp_550", "Bounced Mia’s mail server says that this address does not exist. Check it for typing mistakes"),
        ("smtp_451", "Bounced Mia’s mail server says that this address does not exist. Check it for typing mistakes"),
        ("refused", "Refused The mail service did not send the email: no reason was given. Check the address, or"),
        ("rejected", "Refused The mail service did not send the email: no reason was given. Check the address, or"),
    ],
)
def test_failed_mail_says_why_and_what_to_do(office_client, office, member, code, verdict):
    reset = resets.send(member, by=office)
    rewrite_email(state=EmailState.FAILED, attempts=1, result_code=code, result_text="550 5.1.1 <who@ever>")

    page = panel_html(office_client, member)

    assert f"{COULD_NOT} {verdict}" in words(page)
    assert SENT not in words(page)
    assert "help-critical" in page
    assert resets.link(reset) in page
    assert "5.1.1" not in without_fields(page)


def test_failed_welcome_says_that_the_account_stands(office_client, office, imported_member):
    resets.send(imported_member, by=office, purpose="welcome", origin=Origin.CREATED)
    rewrite_email(state=EmailState.FAILED, attempts=1, result_code="smtp_550")

    said = panel_words(office_client, imported_member)

    assert "Account successfully created, but the reset password email could not be sent." in said
    assert WELCOMED not in said


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (SkipReason.WINDOW_CLOSED, "It could not leave in time. Send again: that makes a new link."),
        (SkipReason.MEMBER_CHANGED, "The account or the link changed before it could leave. Send again."),
        (SkipReason.LINK_CLOSED, "The account or the link changed before it could leave. Send again."),
    ],
)
def test_skipped_mail_says_why(office_client, office, member, reason, verdict):
    resets.send(member, by=office)
    rewrite_email(state=EmailState.SKIPPED, skip_reason=reason)

    said = panel_words(office_client, member)

    assert f"{COULD_NOT} Not sent {verdict}" in said
    assert SENT not in said


def test_mail_that_nobody_carries_is_called_overdue(office_client, office, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.send(member, by=office)
    time_machine.move_to(NOON + timedelta(minutes=6), tick=False)

    said = panel_words(office_client, member)

    assert "although it is due: this site’s mail delivery does not seem to be running." in said
    assert "being prepared" not in said


def test_delivery_is_no_badge_on_the_tab(office_client, sent, member):
    sent()

    assert "help-critical" not in panel_html(office_client, member)


def test_welcome_has_its_own_sentence(office_client, sent, imported_member):
    sent(imported_member, purpose="welcome", origin=Origin.CREATED)

    said = panel_words(office_client, imported_member)

    assert f"{WELCOMED} Sent Just now" in said
    assert said.count(SENT) == 0


def test_welcome_that_is_sent_again_stays_a_welcome(office_client, sent, imported_member):
    sent(imported_member, purpose="welcome", origin=Origin.CREATED)
    sent(imported_member)

    assert WELCOMED in panel_words(office_client, imported_member)


def test_reset_that_the_member_asked_for_is_shown_alike(office_client, sent, member):
    reset = sent(by=None, origin=Origin.MEMBER)

    page = panel_html(office_client, member)

    assert SENT in words(page)
    assert resets.link(reset) in page


def test_every_member_of_staff_sees_it_however_often_it_is_opened(enter, office, admin, sent, member):
    link = resets.link(sent())
    clients = [enter(office), enter(admin), enter(office)]

    pages = [client.get(edit_url(member)).content.decode() for client in clients * 2]

    assert [(SENT in page, link in page, "Copy link" in page) for page in pages] == [(True, True, True)] * 6


def test_remaining_time_is_the_lifetime_less_the_age(office_client, sent, member, settings, time_machine):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
    time_machine.move_to(NOON, tick=False)
    sent()

    time_machine.move_to(NOON + timedelta(hours=15, minutes=30), tick=False)

    assert "(time left: 8 hours, 30 minutes)" in panel_words(office_client, member)


def test_sending_again_moves_neither_the_window_nor_the_expiry(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    time_machine.move_to(NOON + timedelta(hours=15), tick=False)
    sent()

    within = panel_words(office_client, member)
    time_machine.move_to(NOON + timedelta(hours=16), tick=False)
    after = panel_words(office_client, member)

    assert (SENT in within, SENT in after) == (True, False)
    assert "The link works until Nov. 30, 2026, 1 p.m." in within


def test_times_are_told_in_the_readers_zone(office_client, office, sent, member, time_machine):
    UserProfile.objects.create(user=office, current_time_zone="Asia/Tokyo")
    time_machine.move_to(NOON, tick=False)
    sent()

    assert "(Nov. 23, 2026, 9 p.m.)" in panel_words(office_client, member)


# After the window


def test_message_and_link_leave_the_tab_when_the_window_closes(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    link = resets.link(sent())
    time_machine.move_to(NOON + timedelta(hours=16) - timedelta(seconds=1), tick=False)
    before = panel_html(office_client, member)
    time_machine.move_to(NOON + timedelta(hours=16), tick=False)
    after = panel_html(office_client, member)

    assert (SENT in words(before), link in before) == (True, True)
    assert (SENT in words(after), LINK.search(after), "Copy link" in after) == (False, None, False)
    assert (
        "Nothing sent in the last 16 hours. The link of Nov. 23, 2026, 1 p.m. still works until Nov. 30, 2026, 1 p.m.; "
        "a new one would end it."
    ) in words(after)
    assert "Send password reset" in words(after)
    assert "Cancel link" in words(after)


def test_mail_that_missed_the_window_is_still_said_to_have_failed(office_client, office, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.send(member, by=office)
    rewrite_email(state=EmailState.SKIPPED, skip_reason=SkipReason.WINDOW_CLOSED)
    time_machine.move_to(NOON + timedelta(hours=17), tick=False)

    said = panel_words(office_client, member)

    assert "It could not leave in time. Send again: that makes a new link." in said


def test_look_past_the_window_makes_the_link_impossible_to_produce(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    time_machine.move_to(NOON + timedelta(hours=16), tick=False)

    panel_html(office_client, member)

    assert PasswordReset.objects.get().nonce is None


def test_used_link_says_when_the_password_was_set(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    token = resets.link(sent()).rstrip("/").rpartition("/")[2]
    resets.redeem(resets.open(token), password="a brand new one 7")
    time_machine.move_to(NOON + timedelta(hours=3), tick=False)

    said = panel_words(office_client, member)

    assert ("Mia has set a password with the last link. 3 hours ago (Nov. 23, 2026, 1 p.m.).") in said
    assert SENT not in said


def test_expired_link_says_so(office_client, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    time_machine.move_to(NOON + timedelta(days=7), tick=False)

    said = panel_words(office_client, member)

    assert (
        "The last link expired unused. It was sent 1 week ago and worked for 1 week. Mia’s password has not changed. "
        "Send a new reset if it is still needed."
    ) in said
    assert "Cancel link" not in said


def test_lifetime_told_of_an_expired_link_is_the_one_it_had(office_client, sent, member, settings, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(days=3)
    time_machine.move_to(NOON + timedelta(days=8), tick=False)

    assert "worked for 1 week" in panel_words(office_client, member)


def test_cancelled_link_says_so(office_client, office, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.revoke(sent(), by=office)

    said = panel_words(office_client, member)

    assert "The last link was cancelled and no longer works. (Nov. 23, 2026, 1 p.m.)" in said
    assert "Send a new reset if it is still needed." in said
    assert SENT not in said


def test_password_changed_another_way_says_so(office_client, sent, member):
    sent()
    member.set_password("something else 5")
    rewrite_account(member, password=member.password)

    said = panel_words(office_client, member)

    assert "The last link ended because the password was changed another way." in said


def test_changed_address_says_so(office_client, sent, member):
    sent()
    rewrite_account(member, email="mia@elsewhere.example")

    said = panel_words(office_client, member)

    assert "Emails go to mia@elsewhere.example" in said
    assert "The last link ended because the email address was changed." in said


def test_deactivated_account_says_why_the_link_ended_and_why_none_can_be_sent(office_client, sent, member):
    sent()
    rewrite_account(member, is_active=False)

    said = panel_words(office_client, member)

    assert "The last link ended because the account was deactivated." in said
    assert "Mia’s account is not active, so no reset can be sent." in said
    assert "Send a new reset" not in said


def test_lost_secret_key_says_so(office_client, sent, member):
    sent()
    PasswordReset.objects.update(key_id="gone")

    assert "The last link ended because the site’s secret key was changed." in panel_words(office_client, member)


def test_link_that_the_site_no_longer_allows_says_so(office_client, sent, member, settings):
    sent()
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.staff.test_panel.nobody"

    assert "The last link ended because this site no longer allows a reset for the account." in panel_words(
        office_client, member
    )


# When nothing can be sent


def test_account_without_an_address_says_where_to_add_one(office_client):
    person = make_person("Noa", email="")

    said = panel_words(office_client, person)

    assert "No email address is stored for this person." in said
    assert "Add an address" in said
    assert "No reset can be sent without an email address. Add one on the Account tab and save, then send." in said
    assert "Send password reset" not in said


def test_inactive_account_says_how_to_make_it_active(office_client):
    person = make_person("Ivy", is_active=False)

    said = panel_words(office_client, person)

    assert (
        "Ivy’s account is not active, so no reset can be sent. Tick “Active” on the Account tab and save, then send."
    ) in said
    assert "Send password reset" not in said
    assert "No password is set" not in said


def test_account_that_the_site_exempts_says_so(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.staff.test_panel.nobody"

    said = panel_words(office_client, member)

    assert "This site does not allow a reset for Mia’s account. The person probably signs in another way;" in said
    assert "Send password reset" not in said


def test_site_without_passwords_says_so(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False

    said = panel_words(office_client, member)

    assert "This site does not use passwords of its own, so there is nothing to reset. Mia signs in another" in said
    assert "Send password reset" not in said


# Who is looking


@pytest.fixture
def reader(office):
    """Staff who change users, and have no right of ours."""
    group = office.groups.get()
    group.permissions.remove(*group.permissions.filter(codename__endswith="passwordreset"))
    return office


def test_staff_without_any_right_of_ours_are_told_whom_to_ask(enter, reader, member):
    resets.send(member, by=None)

    page = enter(reader).get(edit_url(member)).content.decode()

    assert (
        "You do not have the right to see or send password resets for this person. "
        "If you need it, ask an administrator."
    ) in words(page)
    assert (SENT in page, "Emails go to" in page, LINK.search(page)) == (False, False, None)


def test_staff_who_may_only_look_see_the_status_and_no_action(enter, reader, member):
    grant(reader, "view_passwordreset")
    resets.send(member, by=None)

    page = panel_html(enter(reader), member)

    assert SENT in words(page)
    assert "You may not send resets to this person: the right is missing" in words(page)
    assert ("Send again" in page, "Cancel link" in page, LINK.search(page)) == (False, False, None)


def test_staff_who_may_see_the_link_see_its_status_too(enter, reader, member):
    grant(reader, "view_link_passwordreset")
    reset = resets.send(member, by=None)

    page = panel_html(enter(reader), member)

    assert SENT in words(page)
    assert resets.link(reset) in page
    assert "Send again" not in page


def test_person_of_higher_rank_is_out_of_reach_and_the_tab_says_so(office_client, admin):
    resets.send(admin, by=None)

    page = panel_html(office_client, admin)

    assert "the person has more rights than you. Ask an administrator." in words(page)
    assert ("Send again" in page, "Cancel link" in page, LINK.search(page)) == (False, False, None)


@pytest.mark.parametrize("name", ["office", "admin"])
def test_own_link_is_never_shown(request, enter, name):
    person = request.getfixturevalue(name)
    resets.send(person, by=person)

    page = enter(person).get(edit_url(person)).content.decode()

    assert LINK.search(page) is None
    assert "Copy link" not in page
    assert "This is your own account, so the link is not shown here: it comes by email only." in words(page)


def test_note_on_the_own_account_stays_away_from_others(office_client, sent, member):
    sent()

    assert "your own account" not in panel_words(office_client, member)


# Where links lead


def test_placeholder_address_of_a_new_project_is_pointed_out(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    Site.objects.update(hostname="localhost")

    said = panel_words(office_client, member)

    assert "Links lead to the placeholder address of a new project, so nobody can follow them." in said


def test_placeholder_is_pointed_out_beside_a_link_that_has_it(office_client, sent, member, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    Site.objects.update(hostname="localhost")
    sent()

    assert "Links lead to the placeholder address" in panel_words(office_client, member)


def test_host_that_django_does_not_allow_is_pointed_out_and_nothing_is_mailed(
    office_client, office, member, settings, mailoutbox
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    settings.ALLOWED_HOSTS = ["testserver"]
    Site.objects.update(hostname="evil.example")
    resets.send(member, by=office)
    outbox.drain()

    said = panel_words(office_client, member)

    assert "No email with a link can be sent" in said
    assert "set WAGTAIL_MEMBER_RESET_BASE_URL" in said
    assert "There is a problem in this site’s email set-up." in said
    assert (mailoutbox, "evil.example" in said) == ([], False)


def test_real_address_is_not_pointed_out(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    Site.objects.update(hostname="club.example")

    assert "placeholder" not in panel_words(office_client, member)


def test_site_without_any_address_still_shows_the_tab(office_client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    settings.WAGTAILADMIN_BASE_URL = None
    resets.send(member, by=None)
    Site.objects.all().delete()

    said = panel_words(office_client, member)

    assert "Links lead to the placeholder address" in said
    assert SENT in said


# Durations


def test_every_duration_is_computed_from_the_settings(office_client, sent, member, settings, time_machine):
    settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW = timedelta(hours=5)
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=36)
    time_machine.move_to(NOON, tick=False)

    def page(hours, name="panel"):
        time_machine.move_to(NOON + timedelta(hours=hours), tick=False)
        return words(office_client.get(url(name, member), **FETCH).content.decode())

    nothing, asked = page(0), page(0, "send")
    sent()
    waiting, quiet, gone = page(1), page(6), page(37)

    assert "Nothing sent in the last 5 hours." in nothing
    assert "The link works for 1 day, 12 hours." in asked
    assert "(time left: 1 day, 11 hours)" in waiting
    assert "Nothing sent in the last 5 hours. The link of" in quiet
    assert "worked for 1 day, 12 hours." in gone
    assert not re.search(r"16 hours|7 days|1 week", nothing + asked + waiting + quiet + gone)


@pytest.mark.parametrize(("accounts", "is_said"), [(5, False), (6, True)])
def test_address_of_more_accounts_than_get_mails_is_told(office_client, member, accounts, is_said):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    for number in range(1, accounts):
        make_person(f"Kid{number}", email="mia@members.example")
    make_person("Gone", email="mia@members.example", is_active=False)

    assert (f"{accounts} accounts have this address." in panel_words(office_client, member)) == is_said


def test_number_of_accounts_with_an_address_tells_of_nobody_beyond_reach(client, member):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    client.force_login(grant(make_person("Juno"), "access_admin", "send_passwordreset"))
    for number in range(4):
        make_person(f"Kid{number}", email=member.email)
    alone = panel_words(client, member)

    for name in ("Sue", "Sol"):
        make_person(name, email=member.email, is_superuser=True, is_staff=True)
    beside_superusers = panel_words(client, member)
    make_person("Kid4", email=member.email)

    assert beside_superusers == alone
    assert "6 accounts have this address." in panel_words(client, member)


def test_link_that_was_sent_again_lately_is_not_called_unsent(office_client, office, sent, member, time_machine):
    time_machine.move_to(NOON, tick=False)
    sent()
    time_machine.move_to(NOON + timedelta(hours=15, minutes=59), tick=False)
    resets.send(member, by=office)
    time_machine.move_to(NOON + timedelta(hours=16, minutes=1), tick=False)

    said = panel_words(office_client, member)

    assert "The link of Nov. 23, 2026, 1 p.m. still works until" in said
    assert "Nothing sent" not in said
