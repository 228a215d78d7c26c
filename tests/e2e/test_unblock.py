"""The mail service has blocked an address: staff have it unblocked, and send again; or the service lets them not."""

import json

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import expect

from tests.reports.played_lists import Played, Server, configure

from .browsers import SENT, check, fits_a_phone, open_tab, send

pytestmark = pytest.mark.slow

OFFER = "Unblock the address and send again"


class Postmark(Played):
    """Takes emails, too."""

    def reply(self, method, target, headers, body):
        if target == "/email":
            return 200, {"ErrorCode": 0, "Message": "OK", "MessageID": f"{len(body)}", "To": json.loads(body)["To"]}
        return super().reply(method, target, headers, body)


@pytest.fixture
def blocking(settings, service):
    """A Postmark that blocks Mia's address, and whose list this site may change."""
    played = Postmark("Postmark")
    played.block("mia@members.example", "bounce")
    with Server(played) as address:
        configure(settings, "Postmark", address)
        settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": "postmark:secret"}
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        yield played


def test_address_is_unblocked_once_the_service_answers(browsers, service, blocking, member, office):
    office.groups.get().permissions.add(Permission.objects.get(codename="unblock_passwordreset"))
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    expect(panel).to_contain_text("We are waiting for Mia’s mail server to answer.")
    service("no_mailbox")
    panel.get_by_role("link", name=OFFER).press("Enter", timeout=20_000)
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Unblock mia@members.example and send again?")
    check(page, "unblock-question", inside="#member-reset")
    assert blocking.calls == []

    blocking.answer = (500, b"")
    panel.get_by_role("button", name="Unblock and send again").press("Enter")
    expect(panel).to_contain_text("The mail service did not answer, so nothing was sent")
    expect(panel.locator(".member-reset__status")).to_be_focused()
    check(page, "unblock-failed", inside="#member-reset")
    fits_a_phone(page)

    blocking.answer = None
    panel.get_by_role("link", name=OFFER).press("Enter")
    panel.get_by_role("button", name="Unblock and send again").press("Enter")

    expect(panel).to_contain_text(SENT)
    expect(panel).to_contain_text("We are waiting for Mia’s mail server to answer.")
    expect(panel.get_by_role("link", name=OFFER)).to_have_count(0)
    assert (blocking.blocked, member.wagtail_member_reset_resets.count()) == (set(), 1)
    check(page, "unblock-sent", inside="#member-reset")
