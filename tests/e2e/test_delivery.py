"""What became of the email, as staff see it happen: the tab follows, and says what to do."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.staff.pages import url as staff_url
from wagtail_member_reset import resets

from .browsers import SENT, ask_to_send, check, edit_url, handed_over, open_tab, overflow, send, shoot, shown_link

# The browser has much to do: CI runs them.
pytestmark = pytest.mark.slow

WAITING = "We are waiting for Mia’s mail server to answer."
NO_MAILBOX = "Mia’s mail server says that this address does not exist."
HIDE = """(isHidden) => {
    Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def sent_by(page, member):
    """A mail that the service has taken, on a tab that waits for what becomes of it, by a clock that can be turned."""
    page.clock.install()
    panel = open_tab(page, member)
    send(panel)
    expect(panel).to_contain_text(WAITING)
    return panel


def later(page):
    """Two minutes later, which is longer than the tab ever waits before it asks again."""
    page.clock.fast_forward(120_000)
    page.wait_for_timeout(150)


def polls(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "?seen=" in request.url else None)
    return asked


def look_at_history(page):
    """It stands at the end of the tab, and is asked for once it is on the screen."""
    page.locator("[data-member-reset-target='history']").scroll_into_view_if_needed()


def badge(page):
    return page.get_by_role("tab", name=re.compile("Settings")).locator(".w-tabs__errors")


def test_tab_follows_from_under_way_to_delivered_without_a_reload(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    page.evaluate("window.sameDocument = true")
    check(page, "delivery-sent", inside="#member-reset")

    service("delayed")
    later(page)
    expect(panel).to_contain_text("Mia’s mail server asked to try again later. The mail service keeps trying.")
    service("delivered")
    later(page)
    expect(panel).to_contain_text("Mia’s mail server accepted the email.")

    expect(panel.get_by_role("status")).to_contain_text("Mia’s mail server accepted the email.")
    expect(panel.get_by_role("listitem").filter(has_text="Delivered")).to_be_visible()
    expect(badge(page)).to_be_hidden()
    assert page.evaluate("window.sameDocument") is True
    check(page, "delivery-delivered", inside="#member-reset")
    resets.revoke(member.wagtail_member_reset_resets.get(), by=office)
    later(page)
    expect(panel.get_by_role("button", name="Copy link")).to_have_count(0)
    asked = polls(page)
    later(page)
    assert asked == []  # the end of the link is the end


def test_bounce_puts_the_badge_on_the_tab_while_another_is_open(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    link = shown_link(panel)
    page.get_by_role("tab", name="Account").click()
    page.get_by_label("First name").fill("Maria")

    service("no_mailbox")
    later(page)
    expect(badge(page)).to_be_visible()

    page.get_by_role("tab", name=re.compile("Settings")).click()
    expect(panel).to_contain_text(SENT)
    expect(panel).to_contain_text(NO_MAILBOX)
    assert shown_link(panel) == link
    look_at_history(page)
    step = panel.get_by_role("listitem").filter(has_text="Bounced: no such address")
    expect(step.get_by_text("550 5.1.1")).to_be_hidden()
    step.get_by_text("Technical details").click()
    expect(step.get_by_text("550 5.1.1")).to_be_visible()
    check(page, "delivery-bounced", inside="#member-reset")
    expect(page.get_by_label("First name")).to_have_value("Maria")
    page.reload()
    page.get_by_role("tab", name=re.compile("Settings")).click()
    expect(page.locator("#member-reset")).to_contain_text(NO_MAILBOX)
    expect(badge(page)).to_be_visible()


def test_address_is_corrected_in_one_go(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    service("no_mailbox")
    later(page)
    panel.get_by_role("link", name="Correct the address").click()
    field = panel.get_by_label("New address")
    expect(field).to_have_value("mia@members.example")
    field.fill("mia@")
    panel.get_by_role("button", name="Save the address and send").click()
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("Enter a valid email address.")
    check(page, "delivery-correct-error", inside="#member-reset")

    field.fill("mia@club.example")
    field.press("Enter")

    expect(panel).to_contain_text("Emails go to mia@club.example")
    expect(panel).to_contain_text(WAITING)
    expect(badge(page)).to_be_hidden()
    panel.get_by_text("Earlier links").click()
    expect(panel.get_by_text("Bounced: no such address")).to_be_visible()
    expect(panel.get_by_text("Ended: the address was changed")).to_be_visible()
    member.refresh_from_db()
    assert member.email == "mia@club.example"
    later(page)  # Wagtail looks for unsaved edits from time to time
    expect(page.get_by_text("unsaved edits")).to_be_hidden()
    page.get_by_role("tab", name="Account").click()
    expect(page.get_by_label("Email")).to_have_value("mia@club.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("updated.")).to_be_visible()
    member.refresh_from_db()
    assert member.email == "mia@club.example"


def test_what_staff_typed_on_the_account_tab_outlives_the_correction(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    page.get_by_role("tab", name="Account").click()
    page.get_by_label("Email").fill("typed@members.example")
    service("no_mailbox")
    later(page)
    expect(badge(page)).to_be_visible()
    page.get_by_role("tab", name=re.compile("Settings")).click()
    panel.get_by_role("link", name="Correct the address").click()
    panel.get_by_label("New address").fill("mia@club.example")
    panel.get_by_role("button", name="Save the address and send").click()
    expect(panel).to_contain_text("Emails go to mia@club.example")

    expect(page.locator("#id_email")).to_have_value("typed@members.example")


def test_asking_slows_down_and_rests_while_nobody_looks(browsers, service, member, office):
    page = browsers.open(office)
    sent_by(page, member)
    asked = polls(page)
    for _ in range(12):
        page.clock.run_for(1000)
        page.wait_for_timeout(60)
    in_the_first_seconds = len(asked)
    page.evaluate(HIDE, True)
    asked.clear()
    later(page)
    while_hidden = len(asked)
    page.evaluate(HIDE, False)
    later(page)

    assert 2 <= in_the_first_seconds <= 6  # after 1, 1.5, 2.25 … seconds
    assert while_hidden == 0
    assert asked


def test_asking_ends_where_the_site_does_not_answer(browsers, service, member, office):
    page = browsers.open(office)
    sent_by(page, member)
    asked = polls(page)
    page.route("**/*?seen=*", lambda route: route.fulfill(status=503))
    for _ in range(12):
        later(page)

    assert 1 <= len(asked) <= 8
    browsers.forgive("503")


def test_site_without_reports_says_so_and_is_asked_only_for_what_the_member_does(browsers, mailbox, member, office):
    page = browsers.open(office)
    page.clock.install()
    send(open_tab(page, member))
    panel = handed_over(page, member)
    asked = polls(page)
    later(page)

    expect(panel).to_contain_text("We cannot see whether it arrived, since this site gets no delivery reports.")
    assert len(asked) <= 1


@pytest.mark.parametrize("control", ["Copy link", "Send again"])
def test_news_leaves_the_focus_where_it_is(browsers, service, member, office, control):
    page = browsers.open(office)
    panel = sent_by(page, member)
    focused = panel.get_by_text(control, exact=True).locator("xpath=ancestor-or-self::*[self::a or self::button]")
    focused.focus()

    service("no_mailbox")
    later(page)
    expect(panel).to_contain_text(NO_MAILBOX)

    expect(focused).to_be_focused()


def test_news_does_not_take_an_open_question_away(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    ask_to_send(panel, "Send a new link instead")
    service("no_mailbox")
    later(page)

    expect(panel.get_by_role("button", name="Send the same link again")).to_be_visible()
    panel.get_by_role("link", name="Back").click()
    expect(panel).to_contain_text(NO_MAILBOX)


def test_message_is_copied_and_noted(browsers, service, member, office):
    page = browsers.open(office)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browsers.url)
    panel = sent_by(page, member)
    with page.expect_response("**/copied/"):
        panel.get_by_role("button", name="Copy message").click()

    letter = resets.letter(resets.status(member))
    expect(panel.locator(".member-reset__letter [aria-live=polite]")).to_contain_text("Message copied.")
    assert page.evaluate("navigator.clipboard.readText()").strip() == letter.text.strip()
    expect(panel.get_by_role("listitem").filter(has_text="Link copied by")).to_be_visible()


def test_message_is_shown_and_selected_where_no_copying_is_allowed(browsers, service, member, office):
    page = browsers.open(office)
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(); document.execCommand = () => false")
    panel = sent_by(page, member)
    panel.get_by_role("button", name="Copy message").click()

    text = panel.get_by_label("Message with the link")
    expect(text).to_be_visible()
    expect(text).to_be_focused()
    assert shown_link(panel) in page.evaluate("window.getSelection().toString()")
    expect(panel.locator(".member-reset__letter [aria-live=polite]")).to_contain_text("The text is selected: press")
    check(page, "delivery-message", inside="#member-reset")


def test_own_email_program_is_noted_as_a_copy(browsers, service, member, office):
    page = browsers.open(office)
    panel = sent_by(page, member)
    program = panel.get_by_role("link", name="Open in my email program")
    mailto = urlsplit(program.get_attribute("href"))
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    with page.expect_response("**/copied/") as noted:
        program.click()

    assert noted.value.status == 204
    assert (mailto.scheme, mailto.path) == ("mailto", "mia@members.example")
    assert shown_link(panel) in parse_qs(mailto.query)["body"][0]


def test_history_is_asked_for_when_it_is_looked_at(browsers, service, member, office):
    resets.send(member, by=office)
    page = browsers.open(office)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/history/" in request.url else None)
    page.goto(edit_url(member))
    page.wait_for_timeout(500)
    before = len(asked)
    page.get_by_role("tab", name=re.compile("Settings")).click()

    look_at_history(page)
    expect(page.get_by_role("listitem").filter(has_text="Created by")).to_be_visible()
    assert (before, len(asked)) == (0, 1)


def test_without_script_a_reload_shows_the_same(browsers, service, member, office):
    page = browsers.open(office)
    sent_by(page, member)
    service("no_mailbox")
    plain = browsers.open(office, java_script_enabled=False)
    plain.goto(edit_url(member))

    expect(plain.locator("#member-reset")).to_contain_text(NO_MAILBOX)
    plain.goto(staff_url("history", member))
    expect(plain.get_by_text("Bounced: no such address")).to_be_attached()


def test_small_screen_and_large_type_need_no_sideways_scrolling(browsers, clock, service, member, office):
    page = browsers.open(office, viewport={"width": 320, "height": 1000})
    panel = sent_by(page, member)
    clock.shift(timedelta(seconds=2))
    service("no_mailbox")
    later(page)
    expect(panel).to_contain_text(NO_MAILBOX)
    panel.get_by_text("Technical details").click()
    assert overflow(page) == 0
    check(page, "phone-delivery-bounced", inside="#member-reset")

    page.set_viewport_size({"width": 640, "height": 900})  # as a window of 1280 at 200 %
    assert overflow(page) == 0
    shoot(page, "phone-delivery-zoomed")
