"""The page that asks before what is stored about one person is erased."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from wagtail.admin.utils import get_user_display_name

from tests.conftest import grant
from wagtail_member_reset import resets
from wagtail_member_reset.models import PasswordReset

from .browsers import check, fits_a_phone, open_tab

pytestmark = pytest.mark.slow


def test_erasure_is_asked_about_on_a_page_of_its_own_and_done(browsers, mailbox, member, office):
    grant(office, "export_passwordreset", "erase_passwordreset")
    resets.send(member, by=None)
    mailbox.take(1)
    page = browsers.open(office)
    panel = open_tab(page, member)
    check(page, "data-more", inside="#member-reset")
    panel.get_by_role("link", name="Erase what is stored about this person").press("Enter")
    page.wait_for_url(f"**{reverse('wagtail_member_reset_admin:erase', args=[member.pk])}")
    expect(page.get_by_role("heading", name="Erase what is stored about")).to_be_visible()
    check(page, "data-erase", inside=".member-reset")
    fits_a_phone(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download what is stored about this person").click()
    assert download.value.suggested_filename == f"member-{member.pk}.json"
    assert PasswordReset.objects.exists()

    page.get_by_role("button", name="Erase").press("Enter")

    expect(page.get_by_text(f"What was stored about {get_user_display_name(member)} was erased.")).to_be_visible()
    assert not PasswordReset.objects.exists()
