"""Staff start the day with who needs help: from the home to the list, and from a selection to a mailing."""

import pytest
from django.core.cache import cache
from model_bakery import baker
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset import needs_help
from wagtail_member_reset.models import EmailState

from .browsers import AT_REST, check, overflow, shoot


@pytest.fixture
def in_need(db):
    cache.clear()
    for name, result in (("Anna", {"result_code": "smtp_550"}), ("Ben", {}), ("Clara", {})):
        person = make_person(name)
        reset = baker.make_recipe("tests.live_reset", member=person, active_for=person, recipient=person.email)
        failed = {"state": EmailState.FAILED, "attempts": 1, **result}
        baker.make_recipe("tests.handed_over_email", member=person, reset=reset, **failed)
    needs_help.rebuild()
    yield
    cache.clear()


@pytest.mark.slow
def test_day_starts_at_the_panel_and_keyboard_selects_for_a_mailing(browsers, mailing_office, in_need):
    page = browsers.open(mailing_office)
    page.goto("/admin/")
    check(page, "needs-help-panel", inside="main")
    page.get_by_role("link", name="Failed: 2").click()
    expect(page.get_by_role("row").filter(has_text="ben@members.example")).to_be_visible()
    expect(page.get_by_text("anna@members.example")).to_have_count(0)
    check(page, "needs-help", inside="main")

    page.get_by_role("checkbox", name="Select everybody on this page").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    page.get_by_role("checkbox", name="Select Clara Sample").press("Space")
    check(page, "needs-help-selected", inside="main")
    page.set_viewport_size({"width": 320, "height": 900})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Prepare a mailing to the people selected").press("Enter")

    expect(page.get_by_role("heading", name="1 person will get an email")).to_be_visible()
    page.goto("/admin/member-reset/needs-help/domains/")
    check(page, "needs-help-domains", inside="main")
    page.get_by_role("link", name="3 at members.example").click()
    expect(page.get_by_text("anna@members.example")).to_be_visible()
    assert overflow(page) == 0


@pytest.mark.slow
def test_label_of_the_bulk_action_is_whole(browsers, mailing_office, member):
    page = browsers.open(mailing_office)
    page.goto("/admin/users/")
    page.get_by_role("checkbox", name="Select", exact=True).first.check()
    button = page.get_by_role("link", name="Send password resets to the selected users")

    expect(button).to_be_visible()
    # The bar slides in from below the window.
    page.wait_for_function(AT_REST, arg="[data-bulk-action-footer]")
    shoot(page, "bulk-action")
    assert button.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "cut off"
    box, footer = button.bounding_box(), page.locator("[data-bulk-action-footer]").bounding_box()
    assert box["y"] >= footer["y"] and box["y"] + box["height"] <= footer["y"] + footer["height"]
    assert box["x"] + box["width"] <= 1280
