"""Members help themselves: they ask, they follow the link, they choose a password."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset.outbox.background import sender

from .browsers import SENT, check, choose_password, open_tab, send, shown_link
from .mailbox import link_in, text_of


def ask(visitor, address):
    visitor.goto(reverse("wagtail_member_reset:password_reset"))
    visitor.get_by_label("Email address").fill(address)
    visitor.get_by_role("button", name="Send link").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Check your inbox")


def mailed_link(page, mailbox, member, count=1):
    send(open_tab(page, member))
    return link_in(mailbox.take(count)[-1])


@pytest.mark.slow
def test_request_on_the_website_shows_on_the_tab_and_strangers_learn_nothing(browsers, mailbox, member, office):
    visitor, page = browsers.open(), browsers.open(office)
    visitor.goto(reverse("wagtail_member_reset:password_reset"))
    check(visitor, "member-request")
    ask(visitor, "nobody@members.example")
    for_stranger = (visitor.url, visitor.locator("body").inner_text())
    ask(visitor, "MIA@members.example")

    assert (visitor.url, visitor.locator("body").inner_text()) == for_stranger
    expect(visitor.get_by_role("main")).to_contain_text("1 week")
    check(visitor, "member-sent")
    (mail,) = mailbox.take(1)
    assert sender.wait()
    mailbox.take(1)
    assert mail["To"] == "mia@members.example"
    panel = open_tab(page, member)
    expect(panel.get_by_text(SENT, exact=True)).to_be_visible()
    assert shown_link(panel) == link_in(mail)


@pytest.mark.slow
def test_new_password_ends_every_session_and_signs_nobody_in(browsers, mailbox, member, office):
    phone, visitor = browsers.open(member), browsers.open()
    phone.goto("/members/")
    expect(phone.get_by_text(f"Signed in: {member.get_username()}")).to_be_visible()
    link = mailed_link(browsers.open(office), mailbox, member)
    visitor.goto(link)
    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")

    phone.reload()
    expect(phone.get_by_text("Signed in: nobody")).to_be_visible()
    visitor.goto("/members/")
    expect(visitor.get_by_text("Signed in: nobody")).to_be_visible()
    changed = mailbox.take(2)[1]
    assert changed["Subject"] == "Your password at Example Club was changed"
    assert "/account/r/" not in text_of(changed)
    visitor.goto(link)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("This link was already used")
    check(visitor, "member-used")
    member.refresh_from_db()
    assert member.check_password("a quiet harbour 7")


@pytest.mark.slow
def test_older_of_two_forms_in_one_browser_changes_nothing(browsers, mailbox, member, office):
    page, older = browsers.open(office), browsers.open()
    other = make_person("Max", password="old password 1")
    older.goto(mailed_link(page, mailbox, member))
    newer = older.context.new_page()
    newer.goto(mailed_link(page, mailbox, other, count=2))
    choose_password(older, "a quiet harbour 7")

    expect(older.get_by_role("heading", level=1)).to_have_text("Another link was opened since")
    expect(older.get_by_text("othing was changed")).to_be_visible()
    check(older, "member-other-link")
    member.refresh_from_db()
    other.refresh_from_db()
    assert member.check_password("old password 1")
    assert other.check_password("old password 1")
    choose_password(newer, "a quiet harbour 7")
    expect(newer.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    other.refresh_from_db()
    assert other.check_password("a quiet harbour 7")


@pytest.mark.slow
def test_scanner_that_fetches_the_link_20_times_leaves_it_working(browsers, mailbox, member, office):
    link = mailed_link(browsers.open(office), mailbox, member)
    scanner, visitor = browsers.open().request, browsers.open()
    for _ in range(20):
        assert scanner.get(link).ok
        assert scanner.head(link).ok
    visitor.goto(link)
    choose_password(visitor, "a quiet harbour 7")

    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")


@pytest.mark.slow
def test_damaged_link_and_a_page_without_a_link_say_what_to_do(browsers, mailbox, member, office):
    link = mailed_link(browsers.open(office), mailbox, member)
    visitor = browsers.open()
    visitor.goto(reverse("wagtail_member_reset:password_reset_set"))
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Please open the link again")
    check(visitor, "member-no-link")
    visitor.goto(link[:-5])

    expect(visitor.get_by_role("heading", level=1)).to_have_text("This link is damaged")
    check(visitor, "member-damaged")
    visitor.goto(link.upper().replace(browsers.url.upper(), browsers.url).replace("/ACCOUNT/R/", "/account/r/") + ".")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Choose a new password")


@pytest.mark.slow
def test_token_is_in_no_address_of_a_page_and_in_no_cookie(browsers, mailbox, member, office):
    link = mailed_link(browsers.open(office), mailbox, member)
    visitor = browsers.open()
    visitor.goto(link)

    token = link.rpartition("/")[2]
    assert token not in visitor.url
    assert token not in visitor.content()
    assert token not in str(visitor.context.cookies())
    assert token[12:38] not in str(visitor.context.cookies())


ANALYTICS = """addEventListener("DOMContentLoaded", () => {
    const seen = [location.href, document.referrer, JSON.stringify(performance.getEntries())].join(" ");
    const image = new Image();
    image.src = "https://analytics.example/pixel?seen=" + encodeURIComponent(seen);
    document.body.append(image);
})"""


@pytest.mark.slow
def test_analytics_on_the_members_pages_learn_no_token(browser, site, mailbox, member, office, browsers, settings):
    settings.WAGTAIL_MEMBER_RESET_CSP = None  # a site that lets others watch
    link = mailed_link(browsers.open(office), mailbox, member)
    token, told = link.rstrip("/").rpartition("/")[2], []

    def keep(route):
        told.append((route.request.url, str(route.request.all_headers())))
        route.fulfill(status=204)

    with browser.new_context() as context:
        context.route("https://analytics.example/**", keep)
        context.add_init_script(ANALYTICS)
        visitor = context.new_page()
        visitor.goto(link)
        expect(visitor.get_by_label("New password", exact=True)).to_be_visible()
        choose_password(visitor, "a quiet harbour 7")
        expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
        visitor.wait_for_load_state("networkidle")

    assert [part in str(told) for part in ("password-reset%2Fset", "password-reset%2Fcomplete")] == [True, True]
    assert token[12:38] not in str(told)


@pytest.mark.slow
def test_back_after_saving_leads_to_signing_in(browsers, mailbox, member, office):
    visitor, options = browsers.open(), {"java_script_enabled": False}
    plain = browsers.open(**options)
    link = mailed_link(browsers.open(office), mailbox, member)
    visitor.goto(link)
    plain.goto(link)  # another browser of the member's, whose form stays open
    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    if get_user_model().USERNAME_FIELD != "email":
        expect(visitor.get_by_text(f"Your username: {member.get_username()}")).to_be_visible()
    check(visitor, "member-complete")

    visitor.go_back()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password may be set already")
    expect(visitor.get_by_role("link", name="Sign in")).to_be_visible()
    check(visitor, "member-back")
    visitor.go_forward()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    choose_password(plain, "another harbour 8")
    expect(plain.get_by_role("heading", level=1)).to_have_text("This link was already used")
    expect(plain.get_by_role("link", name="Sign in")).to_be_visible()
    member.refresh_from_db()
    assert member.check_password("a quiet harbour 7")


@pytest.mark.slow
def test_second_submit_of_a_form_that_a_browser_kept_leads_to_signing_in(browsers, mailbox, member, office):
    visitor = browsers.open()
    visitor.goto(mailed_link(browsers.open(office), mailbox, member))
    other = visitor.context.new_page()
    other.goto(visitor.url)
    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")

    choose_password(other, "another harbour 8")

    expect(other.get_by_role("heading", level=1)).to_have_text("Your password may be set already")
    expect(other.get_by_text("Nothing was changed now")).to_be_visible()
    expect(other.get_by_role("link", name="Sign in")).to_be_visible()
    member.refresh_from_db()
    assert member.check_password("a quiet harbour 7")
