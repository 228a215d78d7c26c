"""What became of the email, on the Settings tab: said, kept fresh, and what to do about it."""

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from anymail.signals import AnymailTrackingEvent, tracking
from django.contrib.auth import get_user_model
from wagtail.admin.utils import get_user_display_name
from wagtail.models import ModelLogEntry

from tests.conftest import grant, make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import EmailState, PasswordReset, Reason, ResetEmail

from .pages import FETCH, LINK, SENT, history, panel_html, panel_words, rows, url, without_fields, words

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def report(event_type, *, person=None, at=None, **said):
    """As Anymail passes on what a mail service says of the latest mail."""
    email = ResetEmail.objects.with_link().order_by("pk").last()
    metadata = {"member_reset": str(email.public_id)}
    event = AnymailTrackingEvent(
        event_type=event_type, metadata=metadata, recipient=email.recipient, timestamp=at, **said
    )
    tracking.send(sender=None, event=event, esp_name="Postmark")


def by_a_service_that_reports(code="sent"):
    ResetEmail.objects.update(provider="Postmark", result_code=code)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def webhooks(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"


def fields(person, address):
    return {f"member-reset-{person.get_email_field_name()}": address}


# Said


def test_bounce_leads_and_the_exact_sentence_follows_as_what_happened_before(office_client, sent, member, clock):
    sent()
    clock.shift(timedelta(minutes=2))
    report("bounced", mta_response="smtp;550 5.1.1 no such user", at=NOON + timedelta(minutes=1))
    clock.shift(timedelta(minutes=58))

    said = panel_words(office_client, member)

    assert (
        "Bounced 59 minutes ago (Nov. 23, 2026, 1:01 p.m.). Mia’s mail server says that this address does not "
        "exist. Check it for typing mistakes and correct it, or send the link another way. "
        f"Before that: {SENT} The link works until" in said
    )


@pytest.mark.parametrize("kind", ["bounced", "rejected", "failed"])
def test_mail_that_will_not_arrive_puts_wagtails_badge_on_the_tab(office_client, sent, member, kind):
    sent()
    report(kind)

    assert panel_html(office_client, member).count("help-critical") == 1


@pytest.mark.parametrize("kind", ["queued", "sent", "deferred", "delivered", "complained", "unsubscribed", "opened"])
def test_other_reports_put_no_badge_on_the_tab(office_client, sent, member, kind):
    sent()
    report(kind)

    assert "help-critical" not in panel_html(office_client, member)


def test_site_without_reports_is_told_that_this_is_the_last_step(office_client, sent, member):
    sent()

    said = panel_words(office_client, member)

    assert "We cannot see whether it arrived, since this site gets no delivery reports." in said
    assert "Delivered" not in said


def test_site_with_reports_is_told_what_it_waits_for(office_client, sent, member):
    sent()
    by_a_service_that_reports()

    said = panel_words(office_client, member)

    assert "The mail service has sent the email. We are waiting for Mia’s mail server to answer." in said
    assert "last step" not in said


def test_reported_mail_stays_told_after_the_window_only_while_something_is_wrong(office_client, sent, member, clock):
    sent()
    report("delivered")
    clock.shift(timedelta(hours=17))
    delivered = panel_words(office_client, member)
    report("complained")

    assert "mail server accepted" not in delivered
    assert "marked the email as spam" in panel_words(office_client, member)


def test_answer_of_the_other_side_is_escaped_and_in_the_history_alone(office_client, sent, member):
    sent()
    report("bounced", mta_response="550 5.1.1 <script>alert(1)</script>" + "x" * 900)

    panel = panel_html(office_client, member)
    told = office_client.get(url("history", member), **FETCH).content.decode()

    assert "550 5.1.1" not in without_fields(panel)
    assert "<script>" not in told + panel
    assert re.search(r"<summary>Technical details</summary>\s*<code>550 5.1.1 &lt;script&gt;", told)
    assert "x" * 500 not in told


# What happened


def test_history_tells_each_step_and_who_took_it(office_client, office, sent, member, clock):
    reset = sent()
    clock.shift(timedelta(minutes=1))
    report("delivered")
    clock.shift(timedelta(minutes=1))
    office_client.post(url("copied", member), {"reset": reset.pk})
    clock.shift(timedelta(minutes=5))
    grant_of_link = resets.open(resets.link(reset).rpartition("/r/")[2])
    clock.shift(timedelta(minutes=1))
    report("opened")

    told = words(office_client.get(url("history", member), **FETCH).content.decode())

    steps = [
        f"Created by {get_user_display_name(office)}",
        "Sent to the mail service mia@members.example",
        "Delivered",
        "It may still be in a spam or promotions folder.",
        f"Link copied by {get_user_display_name(office)}",
        "Link opened",
        "The email seems to have been opened. (Mail apps sometimes do this by themselves.)",
        "Password set (not yet)",
    ]
    places = [told.find(step) for step in steps]
    assert places == sorted(places)
    assert -1 not in places
    assert grant_of_link.selector == reset.selector


def test_history_of_a_used_link_ends_with_the_password(office_client, sent, member):
    grant_of_link = resets.open(resets.link(sent()).rpartition("/r/")[2])
    resets.redeem(grant_of_link, password="a new password 9")

    told = words(office_client.get(url("history", member), **FETCH).content.decode())

    assert "Password set" in told
    assert "not yet" not in told


def test_history_without_script_is_a_page_with_a_way_back(office_client, office, sent, member):
    sent()

    page = words(office_client.get(url("history", member)).content.decode())

    assert f"What happened Created by {get_user_display_name(office)}" in page
    assert page.endswith("Back")


def test_history_of_nobody_who_was_sent_anything_says_so(office_client, member):
    assert "Nothing was sent to this person yet." in words(office_client.get(url("history", member)).content.decode())


def test_history_never_holds_a_link_and_changes_nothing(office_client, sent, member):
    sent()
    before = rows(), history(member)

    told = office_client.get(url("history", member), **FETCH).content.decode()

    assert LINK.search(told) is None
    assert (rows(), history(member)) == before


def test_edit_view_asks_for_the_history_only_when_it_is_looked_at(office_client, sent, member):
    sent()

    page = panel_html(office_client, member)

    assert f'href="{url("history", member)}"' in page
    assert "Created by" not in page


# Kept fresh


def state_of(page):
    return re.search(r'data-part="status" data-state="(\w+)"', page)[1]


def seen(client, person, state):
    return client.get(url("panel", person), {"seen": state}, **FETCH)


@pytest.mark.parametrize("code", ["queued", "sent", "unknown"])
def test_mail_under_way_is_asked_after(office_client, sent, member, code):
    sent()
    by_a_service_that_reports(code)

    assert 'data-member-reset-target="poll"' in panel_html(office_client, member)


def test_tab_is_live_until_the_link_ends(office_client, office, sent, member):
    reset = sent()
    by_a_service_that_reports()
    report("bounced")
    while_it_works = panel_html(office_client, member)
    resets.revoke(reset, by=office)

    after = panel_html(office_client, member)

    assert ['data-member-reset-target="poll"' in page for page in (while_it_works, after)] == [True, False]


@pytest.mark.parametrize(("after", "is_told"), [(timedelta(seconds=20), False), (timedelta(minutes=5), True)])
def test_headline_says_opened_only_where_no_scanner_can_have_opened_it(
    office_client, sent, member, clock, after, is_told
):
    reset = sent()
    seen = panel_html(office_client, member).partition('data-seen="')[2].partition('"')[0]
    clock.shift(after)
    resets.open(resets.link(reset).rpartition("/r/")[2])

    news = office_client.get(url("panel", member), {"seen": seen}, **FETCH)

    assert (news.status_code, "The link was opened on" in news.content.decode()) == (
        (200, True) if is_told else (204, False)
    )


@pytest.mark.parametrize(
    ("kind", "answer", "offers_correction", "offers_message"),
    [
        ("bounced", "smtp;550 5.1.1 no such user", True, False),
        ("bounced", "smtp;550 5.7.1 rejected as spam", False, True),
        ("complained", "", False, True),
    ],
)
def test_main_button_fits_the_cause(office_client, sent, member, kind, answer, offers_correction, offers_message):
    sent()
    report(kind, mta_response=answer)

    page = panel_html(office_client, member)
    is_main = re.search(r'class="button button-small"[^>]*>Copy message', page) is not None

    assert ("Correct the address" in page, is_main) == (offers_correction, offers_message)
    # What is the address's own trouble is of no use in a mail program either.
    assert ("mailto:mia@members.example" in page) is not offers_correction


def test_sending_after_a_complaint_asks_first(office_client, sent, member, mailoutbox):
    sent()
    report("complained")
    before = rows()

    asked = words(office_client.post(url("send", member), {"effect": "same_link"}, **FETCH).content.decode())

    assert "The last email was marked as spam." in asked
    assert rows() == before
    office_client.post(url("send", member) + "?asked=1", {"effect": "same_link"}, **FETCH)
    assert rows() != before


def test_mail_that_waits_is_asked_after_without_reports_too(office_client, office, member):
    resets.send(member, by=office)

    assert 'data-member-reset-target="poll"' in panel_html(office_client, member)


def test_panel_that_has_seen_it_all_gets_nothing(office_client, sent, member, django_assert_max_num_queries):
    sent()
    by_a_service_that_reports()
    state = state_of(panel_html(office_client, member))

    with django_assert_max_num_queries(12):  # with Wagtail's and Django's own
        answer = seen(office_client, member, state)

    assert (answer.status_code, answer.content) == (204, b"")


def test_panel_that_has_not_seen_a_report_gets_it_and_keeps_the_focus_where_it_is(office_client, sent, member):
    sent()
    by_a_service_that_reports()
    state = state_of(panel_html(office_client, member))
    report("bounced")

    answer = seen(office_client, member, state)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Bounced" in words(page)
    assert state_of(page) != state
    assert "data-member-reset-focus" not in page


@pytest.mark.parametrize("change", ["a note", "the same again"])
def test_report_that_changes_nothing_is_no_news(office_client, sent, member, change):
    sent()
    report("delivered", event_id="1")
    state = state_of(panel_html(office_client, member))
    if change == "a note":
        report("opened")
    else:
        report("delivered", event_id="1")

    assert seen(office_client, member, state).status_code == 204


@pytest.mark.parametrize("change", ["used", "revoked", "again", "address"])
def test_what_else_happens_to_the_link_is_news(office_client, office, sent, member, change):
    reset = sent()
    state = state_of(panel_html(office_client, member))
    if change == "used":
        resets.redeem(resets.open(resets.link(reset).rpartition("/r/")[2]), password="a new password 9")
    elif change == "revoked":
        resets.revoke(reset, by=office)
    elif change == "again":
        sent()
    else:
        get_user_model()._base_manager.filter(pk=member.pk).update(
            **{member.get_email_field_name(): "new@members.example"}
        )

    assert seen(office_client, member, state).status_code == 200


# Another way


def letter_of(page):
    return re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)


def test_message_to_copy_is_the_mail_that_went_out(office_client, sent, member, mailoutbox):
    sent()

    said = letter_of(panel_html(office_client, member))[1]

    assert words(said) == words(mailoutbox[0].body)
    assert LINK.search(said)[0] == LINK.search(mailoutbox[0].body)[0]


def test_message_is_in_the_members_language(office_client, sent, member, clock):
    reset = sent()
    PasswordReset.objects.filter(pk=reset.pk).update(language="de")
    ResetEmail.objects.update(language="de")

    assert "Montag, 30. November 2026" in letter_of(panel_html(office_client, member))[1]


def mailto_of(page):
    href = re.search(r'href="(mailto:[^"]*)"', page)[1]
    return urlsplit(href.replace("&amp;", "&"))


def test_own_email_program_opens_with_the_same_mail(office_client, sent, member, mailoutbox):
    sent()

    mailto = mailto_of(panel_html(office_client, member))

    said = parse_qs(mailto.query)
    assert mailto.path == "mia@members.example"
    assert said["subject"] == [mailoutbox[0].subject]
    assert said["body"][0].replace("\r\n", "\n").strip() == mailoutbox[0].body.strip()
    assert " " not in mailto.query
    assert "+" not in mailto.query  # mail programs show it as it stands


def test_own_email_program_is_not_given_an_address_that_does_not_exist(office_client, sent, member):
    sent()
    report("bounced", mta_response="550 5.1.1")

    assert mailto_of(panel_html(office_client, member)).path == ""


def test_hidden_link_is_in_no_message_before_it_was_asked_for(office_client, sent, member, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    sent()

    hidden = panel_html(office_client, member)
    shown = office_client.post(url("reveal", member), **FETCH).content.decode()

    assert letter_of(hidden) is None
    assert "mailto:" not in hidden
    assert LINK.search(letter_of(shown)[1])
    assert "mailto:" in shown


def test_who_may_not_see_the_link_gets_no_message(enter, sent, member):
    helper = grant(make_person("Hal"), "access_admin", "view_passwordreset", "send_passwordreset")
    sent()

    page = panel_html(enter(helper), member)

    assert letter_of(page) is None
    assert "mailto:" not in page


# Correct the address in one go


@pytest.fixture
def bounced(sent, member):
    reset = sent()
    report("bounced", mta_response="550 5.1.1 unknown")
    return reset


def stored(member):
    account = get_user_model()._base_manager.get(pk=member.pk)
    return getattr(account, member.get_email_field_name())


def test_bounced_mail_offers_to_correct_the_address(office_client, bounced, member):
    assert f'href="{url("correct", member)}"' in panel_html(office_client, member)


def test_mail_that_arrived_does_not(office_client, sent, member):
    sent()
    report("delivered")

    assert url("correct", member) not in panel_html(office_client, member)


def test_question_shows_the_stored_address_to_be_corrected(office_client, bounced, member):
    page = office_client.get(url("correct", member), **FETCH).content.decode()

    assert "Which address should Mia’s account have? Now it is mia@members.example." in words(page)
    assert 'value="mia@members.example"' in page
    # Within Wagtail's form it belongs to no form, so that saving the account does not send it.
    assert 'form="member-reset-no-form"' in page


def test_question_without_script_is_a_form_of_its_own(office_client, bounced, member):
    page = office_client.get(url("correct", member)).content.decode()

    assert "member-reset-no-form" not in page
    assert '<form class="member-reset__actions" method="post">' in page


@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
def test_corrected_address_is_stored_and_gets_a_new_link(office_client, bounced, member, mailoutbox, way):
    link = resets.link(bounced)

    office_client.post(url("correct", member), fields(member, "mia.new@members.example"), **way)
    outbox.drain()

    bounced.refresh_from_db()
    assert stored(member) == "mia.new@members.example"
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"], ["mia.new@members.example"]]
    assert (bounced.state, bounced.reason) == ("revoked", Reason.ADDRESS_CHANGED)
    assert link not in mailoutbox[1].body
    assert LINK.search(mailoutbox[1].body)


def test_corrected_address_is_in_the_log_and_the_history_stays(office_client, office, bounced, member):
    office_client.post(url("correct", member), fields(member, "mia.new@members.example"), **FETCH)

    entries = ModelLogEntry.objects.filter(object_id=str(member.pk)).order_by("timestamp", "pk")
    told = words(office_client.get(url("history", member), **FETCH).content.decode())
    assert [(entry.action, entry.user) for entry in entries][-4:] == [
        ("wagtail_member_reset.address", office),
        ("wagtail.edit", office),
        ("wagtail_member_reset.send", office),
        ("wagtail_member_reset.flag", office),
    ]
    assert "Bounced: no such address" in told
    assert "Ended: the address was changed" in told


def test_only_the_address_is_saved(office_client, bounced, member):
    get_user_model()._base_manager.filter(pk=member.pk).update(first_name="Changed meanwhile")

    office_client.post(
        url("correct", member),
        {**fields(member, "mia.new@members.example"), "first_name": "Eve", "is_superuser": "on"},
        **FETCH,
    )

    account = get_user_model()._base_manager.get(pk=member.pk)
    assert (account.first_name, account.is_superuser) == ("Changed meanwhile", False)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "This field is required."),
        ("nonsense", "Enter a valid email address."),
        ("a@b.example\nBcc: c@d.example", "Enter a valid email address."),
        ("mia@members.example", "This is the address that is stored already. Correct it first."),
        ("x" * 300 + "@members.example", "Ensure this value has at most"),
    ],
)
@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
def test_address_that_cannot_be_stored_changes_nothing(office_client, bounced, member, typed, said, way):
    before = rows(), history(member)

    answer = office_client.post(url("correct", member), fields(member, typed), **way)

    assert answer.status_code == 200
    assert said in words(answer.content.decode())
    assert (rows(), history(member)) == before


@pytest.mark.parametrize(
    "typed", ["mia.new@members.example\u200b", "\u00a0mia.new@members.example ", "\ufeffmi\u00ada.new@members.example"]
)
def test_address_is_stored_without_what_nobody_sees(office_client, bounced, member, mailoutbox, typed):
    office_client.post(url("correct", member), fields(member, typed), **FETCH)
    outbox.drain()

    assert stored(member) == "mia.new@members.example"
    assert mailoutbox[-1].to == ["mia.new@members.example"]


def test_blank_that_was_stored_with_an_address_can_be_taken_out(office_client, bounced, member):
    get_user_model()._base_manager.filter(pk=member.pk).update(email="mia@members.example ")

    office_client.post(url("correct", member), fields(member, "mia@members.example"), **FETCH)

    assert stored(member) == "mia@members.example"


def test_account_that_cannot_be_sent_anything_keeps_its_address(office_client, bounced, member):
    get_user_model()._base_manager.filter(pk=member.pk).update(is_active=False)

    answer = office_client.post(url("correct", member), fields(member, "mia.new@members.example"), **FETCH)

    assert "account is not active, so no reset can be sent" in words(answer.content.decode())
    assert stored(member) == "mia@members.example"
    assert not ModelLogEntry.objects.filter(action="wagtail.edit").exists()


def test_address_of_the_answer_is_for_the_account_tab(office_client, bounced, member):
    answer = office_client.post(url("correct", member), fields(member, "mia.new@members.example"), **FETCH)

    assert 'data-member-reset-target="address" data-address="mia.new@members.example"' in answer.content.decode()


def test_failed_state_offers_the_correction_too(office_client, office, member):
    resets.send(member, by=office)
    ResetEmail.objects.update(state=EmailState.FAILED, attempts=1, result_code="smtp_550")

    assert url("correct", member) in panel_html(office_client, member)
