"""Without https, without JavaScript, without a mouse, on a small screen, under a strict policy."""

import re

import pytest
import wagtail
from django.contrib.admin.utils import quote
from django.urls import reverse
from playwright.sync_api import expect

from .browsers import SENT, check, choose_password, edit_url, open_tab, overflow, send, shoot, shown_link
from .mailbox import link_in

# The browser has much to do: CI runs them.
pytestmark = pytest.mark.slow

PHONE = {"width": 320, "height": 1000}
OVERFLOW = "(part) => part.scrollWidth - part.clientWidth"
BUTTON_EDGES = """(part) => {
    const buttons = part.querySelectorAll(".member-reset__actions .button");
    return new Set([...buttons].map((button) => button.getBoundingClientRect().left)).size;
}"""
HAS_VISIBLE_FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


def staff_url(name, member):
    return reverse(f"wagtail_member_reset_admin:{name}", args=[quote(member.pk)])


def plain(url):
    return url.replace("localhost", "members.test")


def tab_to(page, locator):
    """Press Tab until the focus is there, and can be seen there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if locator.evaluate("(element) => element === document.activeElement"):
            assert page.evaluate(HAS_VISIBLE_FOCUS), locator
            return
    pytest.fail(f"The keyboard does not reach {locator}")


def test_copying_works_over_plain_http(browsers, member, office):
    page = browsers.open(office, url=plain(browsers.url))
    panel = open_tab(page, member)
    send(panel)
    assert page.evaluate("isSecureContext") is False
    panel.get_by_role("button", name="Copy link").click()

    expect(panel.locator(".member-reset__link [aria-live=polite]")).to_contain_text("Link copied.")
    expect(panel.get_by_role("button", name="Copy link")).to_be_focused()
    link = shown_link(panel)
    panel.get_by_role("link", name="Change address").click()
    page.get_by_label("First name").fill("")
    page.get_by_label("First name").press("Control+V")
    expect(page.get_by_label("First name")).to_have_value(link)


def test_link_is_selected_where_no_copying_is_allowed(browsers, member, office):
    page = browsers.open(office, url=plain(browsers.url))
    page.add_init_script("document.execCommand = () => false")
    page.clock.install()
    panel = open_tab(page, member)
    send(panel)
    panel.get_by_role("button", name="Copy link").click()

    spoken = panel.locator(".member-reset__link [aria-live=polite]")
    expect(spoken).to_contain_text("The browser did not allow copying. The text is selected: press Ctrl+C")
    page.clock.fast_forward(30_000)
    expect(spoken).to_contain_text("press Ctrl+C")
    field = panel.get_by_label("Personal link")
    expect(field).to_be_focused()
    selected = field.evaluate("(input) => input.value.slice(input.selectionStart, input.selectionEnd)")
    assert selected == shown_link(panel)
    shoot(page, "tab-not-copied")


def test_staff_without_javascript_send_and_cancel(browsers, mailbox, member, office):
    page = browsers.open(office, java_script_enabled=False)
    page.goto(staff_url("send", member))
    page.get_by_role("button", name="Send password reset now").click()

    expect(page).to_have_url(f"{browsers.url}{edit_url(member)}#tab-settings")
    link = link_in(mailbox.take(1)[0])
    assert link in page.content()
    page.goto(staff_url("revoke", member))
    page.get_by_role("button", name="Cancel link").click()
    assert "The last link was cancelled and no longer works." in page.content()
    assert not member.wagtail_member_reset_resets.live().exists()


def test_confirmation_pages_hold_nothing_for_axe(browsers, member, office):
    page = browsers.open(office)
    page.goto(staff_url("send", member))
    check(page, "confirm-send", inside=".member-reset")
    page.get_by_role("button", name="Send password reset now").click()
    expect(page.locator("#member-reset")).to_contain_text(SENT)
    page.goto(staff_url("revoke", member))

    expect(page.locator(".member-reset")).to_contain_text("Cancel Mia’s link?")
    check(page, "confirm-cancel", inside=".member-reset")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#member-reset")).to_contain_text(SENT)


def test_member_without_javascript_gets_in(browsers, mailbox, member):
    visitor = browsers.open(java_script_enabled=False)
    visitor.goto(reverse("wagtail_member_reset:password_reset"))
    visitor.get_by_label("Email address").fill("mia@members.example")
    visitor.get_by_role("button", name="Send link").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    visitor.goto(link_in(mailbox.take(1)[0]))
    expect(visitor.get_by_label("Show password")).to_be_hidden()
    choose_password(visitor, "12345678")
    expect(visitor.get_by_role("alert")).to_contain_text("This password is too common.")
    choose_password(visitor, "a quiet harbour 7")

    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    member.refresh_from_db()
    assert member.check_password("a quiet harbour 7")


def test_staff_send_and_copy_by_keyboard_alone(browsers, member, office):
    page = browsers.open(office)
    page.goto(edit_url(member))
    panel = page.locator("#member-reset")
    tab_to(page, page.get_by_role("tab", name="Account"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Settings")).to_be_focused()
    tab_to(page, panel.get_by_role("link", name="Send password reset"))
    page.keyboard.press("Enter")
    expect(panel.locator(".member-reset__status")).to_be_focused()
    assert page.evaluate(HAS_VISIBLE_FOCUS)
    expect(panel).to_contain_text(SENT)
    tab_to(page, panel.get_by_role("button", name="Copy link"))
    shoot(page, "tab-focus")
    page.keyboard.press("Enter")

    expect(panel.locator(".member-reset__link [aria-live=polite]")).to_contain_text("Link copied.")
    expect(panel.get_by_role("button", name="Copy link")).to_be_focused()


def test_member_gets_in_by_keyboard_alone(browsers, mailbox, member, office):
    page, visitor = browsers.open(office), browsers.open()
    send(open_tab(page, member))
    visitor.goto(link_in(mailbox.take(1)[0]))
    tab_to(visitor, visitor.get_by_label("New password"))
    visitor.keyboard.type("a quiet harbour 7")
    tab_to(visitor, visitor.get_by_label("Show password"))
    visitor.keyboard.press("Space")
    expect(visitor.get_by_label("New password")).to_have_attribute("type", "text")
    tab_to(visitor, visitor.get_by_role("button", name="Save password"))
    visitor.keyboard.press("Enter")

    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    tab_to(visitor, visitor.get_by_role("link", name="Sign in"))


def test_small_screen_needs_no_sideways_scrolling(browsers, mailbox, member, office):
    page, visitor = browsers.open(office, viewport=PHONE), browsers.open(viewport=PHONE)
    page.goto(edit_url(member))
    theirs = overflow(page)
    panel = open_tab(page, member)
    assert overflow(page) <= theirs
    shoot(page, "phone-tab-none")
    send(panel)
    assert overflow(page) <= theirs
    assert panel.evaluate(OVERFLOW) == 0
    assert panel.evaluate(BUTTON_EDGES) == 1
    check(page, "phone-tab-sent", inside="#member-reset")
    page.goto(staff_url("send", member))
    assert page.locator(".member-reset").evaluate(OVERFLOW) == 0
    assert page.locator(".member-reset").evaluate(BUTTON_EDGES) == 1
    shoot(page, "phone-confirm")

    for name in ("password_reset", "password_reset_done", "password_reset_set", "password_reset_complete"):
        visitor.goto(reverse(f"wagtail_member_reset:{name}"))
        assert overflow(visitor) == 0, name
        shoot(visitor, f"phone-{name}")
    visitor.goto(link_in(mailbox.take(1)[0]))
    choose_password(visitor, "12345678")
    expect(visitor.get_by_role("alert")).to_be_visible()
    assert overflow(visitor) == 0
    check(visitor, "phone-form-error")


@pytest.mark.skipif(wagtail.VERSION < (8,), reason="Before 8.0, Wagtail's own pages need inline scripts and styles")
def test_strict_policy_in_the_admin_is_kept(browsers, settings, member, office):
    settings.TEST_ADMIN_POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    panel.get_by_role("button", name="Copy link").click()
    expect(panel.locator(".member-reset__link [aria-live=polite]")).to_contain_text(
        re.compile("Link copied|The link is selected")
    )
    panel.get_by_role("link", name="Cancel link").click()
    panel.get_by_role("button", name="Cancel link").click()
    expect(panel).to_contain_text("The last link was cancelled")
    page.goto(reverse("wagtailusers_users:add"))

    expect(page.locator("#id_password1")).to_be_hidden()
    assert browsers.problems == []
