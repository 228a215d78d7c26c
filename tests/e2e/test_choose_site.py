"""Staff of an association with two sites choose which one a member's link is for."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from wagtail.models import Site

from wagtail_member_reset.models import PasswordReset, SiteSender

from .browsers import check, fits_a_phone, open_tab
from .mailbox import link_in, text_of


@pytest.mark.slow
def test_staff_choose_the_site_and_are_told_that_another_one_means_a_new_link(
    browsers, clock, mailbox, office, member, settings
):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    club = Site.objects.get()
    Site.objects.filter(pk=club.pk).update(hostname="club.example", site_name="Club")
    Site.objects.create(hostname="youth.example", site_name="Youth", root_page=club.root_page)
    page = browsers.open(office)
    panel = open_tab(page, member)

    panel.get_by_role("link", name="Send password reset").click()
    site = panel.get_by_label("Site")
    expect(site).to_have_value(str(club.pk))
    check(page, "choose-site", inside="#member-reset")
    fits_a_phone(page)
    site.select_option("Youth (youth.example)")
    # The question is asked anew, and nothing is sent that nobody has read.
    expect(page.locator("#member-reset")).not_to_have_attribute("aria-busy", "true")
    panel.get_by_role("button", name="Send password reset now").click()

    (mail,) = mailbox.take(1)
    assert link_in(mail).startswith("http://youth.example/")
    assert "Youth" in text_of(mail)
    panel.get_by_role("link", name="Send again").click()
    expect(site).to_have_value(str(Site.objects.get(site_name="Youth").pk))
    expect(panel.get_by_role("button", name="Send the same link again")).to_be_visible()
    site.select_option("Club (club.example)")
    expect(panel.get_by_text("For another site, a new link is needed.").first).to_be_visible()
    expect(site).to_be_focused()
    expect(panel.get_by_role("button", name="Send the same link again")).not_to_be_attached()
    check(page, "another-site", inside="#member-reset")
    fits_a_phone(page)
    assert PasswordReset.objects.count() == 1

    panel.get_by_role("button", name="Send a new link", exact=True).click()
    assert link_in(mailbox.take(2)[-1]).startswith("https://club.example/")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["sender", "text"])
def test_long_name_of_a_site_is_not_cut_off_on_a_phone(browsers, admin, form):
    club = Site.objects.get()
    Site.objects.filter(pk=club.pk).update(site_name="Rowing Association of the Northern Harbours")
    Site.objects.create(hostname="youth.example", site_name="Youth", root_page=club.root_page)
    sender = SiteSender.objects.create(site=club, from_name="Club")
    page = browsers.open(admin, viewport={"width": 320, "height": 900})

    page.goto(
        reverse("wagtail_member_reset_sender:edit", args=[sender.pk])
        if form == "sender"
        else reverse("wagtailsnippets_wagtail_member_reset_emailtext:add")
    )

    box = page.locator("#id_site").bounding_box()
    assert box["x"] + box["width"] <= 320 - 20
