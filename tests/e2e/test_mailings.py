"""Many members at once: chosen, looked at, sent, watched, paused and stopped."""

import pytest
import wagtail
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing, MailingState, PasswordReset, SkipReason

from .browsers import check, overflow, shoot
from .mailbox import link_in
from .test_hardship import PHONE, tab_to

# The browser has much to do: CI runs them.
pytestmark = pytest.mark.slow

MAILINGS = reverse("wagtail_member_reset_admin:mailings")
NEW = reverse("wagtail_member_reset_admin:mailing_new")
STRICT = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:"


@pytest.fixture
def rowers(db):
    group = Group.objects.create(name="Rowers")
    for name in ("Anna", "Ben", "Clara"):
        make_person(name).groups.add(group)
    make_person("Nowhere", email="").groups.add(group)
    make_person("Somebody")
    return group


def slow_mailing(by, group, name=""):
    """A mailing that has just begun, and takes hours."""
    mailing = mailings.draft(
        Choice(kind=Kind.GROUPS, groups=(group.pk,)), by=by, per_hour=1, name=name or f"Slow {by.pk}"
    )
    mailings.start(mailing, wake=False)
    Mailing.objects.filter(pk=mailing.pk).update(chosen=2412, handed_over=998, skipped=4)
    mailing.skips.create(reason=SkipReason.NO_ADDRESS, count=4)
    return mailing


def url(mailing, name="mailing"):
    return reverse(f"wagtail_member_reset_admin:{name}", args=[mailing.pk])


def addresses(mails):
    return {mail["To"] for mail in mails}


def test_all_that_a_filter_leaves_are_chosen_sent_to_and_watched(browsers, mailbox, mailing_office, rowers):
    page = browsers.open(mailing_office)
    page.goto(f"{reverse('wagtailusers_users:index')}?group={rowers.pk}")
    page.get_by_role("checkbox", name="Select all").first.check()
    expect(page.get_by_text("All 4 users on this screen selected")).to_be_visible()
    page.get_by_role("link", name="Send password resets to the selected users").click()

    expect(page.get_by_role("heading", name="3 people will get an email")).to_be_visible()
    expect(page.locator(".member-reset")).to_contain_text("1 – No email address")
    assert not PasswordReset.objects.exists()
    check(page, "mailing-preview", inside=".member-reset")
    page.get_by_role("button", name="Send 3 emails").click()

    # Without a reload: the page was loaded when the mailing had only begun.
    expect(page.get_by_role("heading", name="Sent to 3 members")).to_be_visible()
    expect(page.locator(".member-reset")).to_contain_text("4 of 4 done. Finished.")
    mails = mailbox.take(3)
    assert addresses(mails) == {f"{name}@members.example" for name in ("anna", "ben", "clara")}
    assert len({link_in(mail) for mail in mails}) == 3
    check(page, "mailing-finished", inside=".member-reset")
    page.get_by_role("link", name="Show members").click()
    expect(page.get_by_role("row", name="Anna Sample")).to_contain_text("Sent")
    check(page, "mailing-members", inside=".member-reset")


def test_people_in_a_file_are_chosen_and_the_other_lines_told(browsers, mailbox, mailing_office, rowers):
    page = browsers.open(mailing_office)
    page.goto(NEW)
    expect(page.get_by_label("CSV file")).to_be_hidden()
    check(page, "mailing-form", inside=".member-reset")
    page.get_by_label("People in a file").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#member-reset-errors")).to_be_focused()
    expect(page.locator("#member-reset-errors")).to_contain_text("CSV file: Choose a file.")
    expect(page.locator(".error-message")).to_have_text("Choose a file.")
    expect(page.get_by_role("group", name="Who gets an email")).to_be_visible()
    expect(page.get_by_label("Rowers")).to_be_hidden()
    check(page, "mailing-form-error", inside=".member-reset")
    data = "Name;Email\nAnna;ANNA@members.example\nGone;gone@members.example\n".encode("utf-16")
    page.get_by_label("CSV file").set_input_files({"name": "m.csv", "mimeType": "text/csv", "buffer": data})
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("heading", name="1 person will get an email")).to_be_visible()
    page.get_by_text("Show some").click()
    expect(page.get_by_text("Line 3: gone@members.example – No account has this address")).to_be_visible()
    check(page, "mailing-preview-file", inside=".member-reset")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these lines").click()
    assert "gone@members.example" in download.value.path().read_text(encoding="utf-8-sig")
    page.get_by_role("button", name="Send 1 email").click()
    assert addresses(mailbox.take(1)) == {"anna@members.example"}


ROLES = """Name;Email;Role;Guardian email
Anna;ben@members.example;member;anna@members.example
Boss;boss@members.example;admin;boss@members.example
Ida;;admin;
Both;both@members.example;member;both@members.example
Gone;gone@members.example;member;gone@members.example
"""


def upload(page, text):
    page.goto(NEW)
    page.get_by_label("People in a file").check()
    file = {"name": "m.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Preview").click()


@pytest.fixture
def superuser(db):
    names = {"username": "admin"} if get_user_model().USERNAME_FIELD != "email" else {}
    return make_person("Boss", is_superuser=True, **names)


@pytest.fixture
def couple(db):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("this model has each address once")
    return [make_person(name, email="both@members.example") for name in ("Kim", "Lou")]


@pytest.mark.parametrize("has_script", [True, False])
def test_column_of_a_file_is_shown_and_changed_and_who_shares_an_address_ticked(
    browsers, mailbox, admin, superuser, couple, rowers, has_script
):
    page = browsers.open(admin, java_script_enabled=has_script)
    upload(page, ROLES)

    # What was found comes first, and nobody is mailed by a role that reads as the superuser's name.
    email, guardian = page.get_by_role("radio", name="Email: ben@"), page.get_by_role("radio", name="Guardian email")
    expect(email).to_be_checked()
    expect(page.get_by_role("radio", name="Role: member, admin")).not_to_be_checked()
    expect(page.get_by_role("heading", name="1 person will get an email")).to_be_visible()
    expect(page.get_by_text("1 account in the file can manage users or is a superuser.")).to_be_visible()
    if has_script:
        check(page, "mailing-preview-column", inside=".member-reset")
    guardian.check()
    page.get_by_label("Email each of them").check()
    page.get_by_role("button", name="Send 1 email").click()

    expect(page.get_by_text("Nothing was sent: you changed who gets an email.")).to_be_visible()
    expect(guardian).to_be_checked()
    expect(page.get_by_label("Email each of them")).to_be_checked()
    expect(page.get_by_role("heading", name="3 people will get an email")).to_be_visible()
    assert not PasswordReset.objects.exists()
    page.get_by_role("button", name="Send 3 emails").click()

    mails = mailbox.take(3)
    assert sorted(mail["To"] for mail in mails) == ["anna@members.example", *["both@members.example"] * 2]
    assert not PasswordReset.objects.filter(member=superuser).exists()


def test_column_is_changed_by_keyboard_alone(browsers, mailbox, admin, rowers):
    page = browsers.open(admin)
    upload(page, "Email,Guardian email\nanna@members.example,ben@members.example\n")
    tab_to(page, page.get_by_role("radio", name="Email: anna@"))
    page.keyboard.press("ArrowDown")
    tab_to(page, page.get_by_role("button", name="Update the preview"))
    page.keyboard.press("Enter")

    expect(page.get_by_role("radio", name="Guardian email")).to_be_checked()
    expect(page.locator(".member-reset")).to_contain_text("Ben Sample")


def test_preview_of_a_file_on_a_small_screen(browsers, mailbox, admin, superuser, couple, rowers):
    page = browsers.open(admin, viewport=PHONE)
    upload(page, ROLES.replace("anna@", "a-very-long-address-that-has-no-blank-in-it@").replace("Role", "R" * 200))

    assert overflow(page) == 0
    shoot(page, "phone-mailing-preview-file")


def test_list_is_filtered_by_state_without_a_reload(browsers, mailbox, mailing_office, rowers):
    running, stopped = (slow_mailing(mailing_office, rowers, name) for name in ("Renewal", "Welcome"))
    mailings.stop(stopped, by=None)
    page = browsers.open(mailing_office)
    page.goto(MAILINGS)
    expect(page.get_by_role("link", name=running.name, exact=True)).to_be_visible()
    check(page, "mailing-list", inside="#listing-results")
    page.get_by_role("button", name="Show filters").click()
    page.get_by_role("button", name="State").click()
    page.get_by_label("Stopped").check()

    expect(page.get_by_role("link", name=running.name, exact=True)).to_have_count(0)
    page.get_by_role("link", name=stopped.name, exact=True).click()
    expect(page.get_by_role("heading", name="Sending was stopped")).to_be_visible()


def test_page_follows_a_mailing_and_leaves_the_focus_where_it_is(browsers, mailbox, mailing_office, rowers):
    mailing = slow_mailing(mailing_office, rowers)
    page = browsers.open(mailing_office)
    page.goto(url(mailing))
    body = page.locator(".member-reset")
    expect(body).to_contain_text("1,002 of 2,412 done")
    check(page, "mailing-running", inside=".member-reset")
    page.get_by_role("button", name="Pause", exact=True).focus()
    Mailing.objects.filter(pk=mailing.pk).update(handed_over=1500)

    expect(body).to_contain_text("1,504 of 2,412 done")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    page.locator("#member-reset-not_emailed").focus()
    Mailing.objects.filter(pk=mailing.pk).update(handed_over=1600)
    expect(body).to_contain_text("1,604 of 2,412 done")
    expect(page.locator("#member-reset-not_emailed")).to_be_focused()
    page.get_by_role("button", name="Pause", exact=True).focus()
    mailings.stop(mailing, by=None)
    expect(page.get_by_role("heading", name="Sending was stopped")).to_be_focused()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)


def test_mailing_is_paused_gone_on_with_and_stopped_by_keyboard_alone(browsers, mailbox, mailing_office, rowers):
    mailing = slow_mailing(mailing_office, rowers)
    page = browsers.open(mailing_office)
    page.goto(url(mailing))
    for name, heading in (("Pause", "Sending is paused"), ("Resume", "Sending to 2,412 members")):
        tab_to(page, page.get_by_role("button", name=name, exact=True))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=heading)).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Stop sending"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stop sending for good?")).to_be_visible()
    check(page, "mailing-stop", inside=".member-reset")
    mailing.refresh_from_db()
    assert mailing.state == MailingState.RUNNING
    tab_to(page, page.get_by_role("button", name="Yes, stop for good"))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Sending was stopped")).to_be_focused()
    mailing.refresh_from_db()
    assert mailing.state == MailingState.STOPPED


def test_mailing_without_javascript(browsers, mailbox, mailing_office, rowers):
    page = browsers.open(mailing_office, java_script_enabled=False)
    page.goto(MAILINGS)
    page.get_by_role("link", name="New mailing").click()
    page.get_by_label("Members of groups").check()
    page.get_by_label("Rowers").check()
    page.get_by_label("Maximum emails per hour").fill("1")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Send 3 emails").click()
    expect(page.get_by_text("Reload the page to see the progress.")).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("heading", name="Sending is paused")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="Stop sending").click()
    page.get_by_role("button", name="Yes, stop for good").click()

    expect(page.get_by_role("heading", name="Sending was stopped")).to_be_visible()
    assert Mailing.objects.get().state == MailingState.STOPPED


def test_pages_of_mailings_on_a_small_screen(browsers, mailbox, mailing_office, rowers):
    mailing = slow_mailing(mailing_office, rowers)
    draft = mailings.draft(Choice(kind=Kind.GROUPS, groups=(rowers.pk,)), by=mailing_office)
    page = browsers.open(mailing_office, viewport=PHONE)

    for address in (
        MAILINGS,
        NEW,
        url(draft),
        url(mailing),
        url(mailing, "mailing_stop"),
        url(mailing, "mailing_members"),
    ):
        page.goto(address)
        assert overflow(page) == 0, address
        shoot(page, f"phone-{address.strip('/').replace('/', '-')}")


@pytest.mark.skipif(wagtail.VERSION < (8,), reason="Before 8.0, Wagtail's own pages need inline scripts and styles")
def test_strict_policy_is_kept_by_the_pages_of_mailings(browsers, mailbox, settings, mailing_office, rowers):
    settings.TEST_ADMIN_POLICY = STRICT
    mailing = slow_mailing(mailing_office, rowers)
    page = browsers.open(mailing_office)
    for address in (MAILINGS, NEW, url(mailing, "mailing_stop"), url(mailing, "mailing_members"), url(mailing)):
        page.goto(address)
    Mailing.objects.filter(pk=mailing.pk).update(handed_over=1500)

    expect(page.locator(".member-reset")).to_contain_text("1,504 of 2,412 done")
    assert browsers.problems == []
