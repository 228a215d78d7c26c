"""After mailings: what somebody finds who gets hold of everything that the site has kept, as in `test_dump`."""

import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tests.conftest import grant, make_person, use_backend
from tests.outbox.test_backends import KEYS
from tests.outbox.test_merge import Service, mailgun
from tests.staff.pages import FETCH
from tests.test_dump import (  # noqa: F401 - a fixture is among them
    LINK,
    dump,
    everything_logged,
    raising,
    sign_in_with,
    spellings,
    traceback_of,
)
from wagtail_member_reset import mailings, outbox, tokens
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, PasswordReset, ResetEmail
from wagtail_member_reset.outbox import merge, transport

pytestmark = pytest.mark.slow

MAILINGS = reverse("wagtail_member_reset_admin:mailings")
SIZE = 50


class Quoting(Service):
    """A mail service whose first answers quote all that it was asked, links included."""

    def usual(self, body):
        if len(self.bodies) == 1:
            raise ConnectionError(body)
        return (400, {"message": body}) if len(self.bodies) == 2 else super().usual(body)


@pytest.fixture(params=["mail by mail", "in one call"])
def mails(request, settings, monkeypatch, mailoutbox):
    """The two ways in which a mailing leaves; gives the texts that left. Both fail at first, and quote it."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    if request.param == "mail by mail":
        send, failed = transport.Mailer._send, []

        def fail_first(mailer, content, to, public_id):
            if len(failed) < SIZE // 2:
                raising(failed.append(to) or content.text)
            return send(mailer, content, to, public_id)

        monkeypatch.setattr(transport.Mailer, "_send", fail_first)
        # Those to members: staff are told of the end, and have sent themselves a test.
        return lambda: [mail.body for mail in mailoutbox if not mail.to[0].startswith("otto@")]
    settings.ANYMAIL = KEYS
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    monkeypatch.setattr(merge, "_taken", {})
    monkeypatch.setattr(transport, "_taken", {})
    service = Quoting("mailgun")

    def send(adapter, posted, **options):
        return service(adapter, posted, **options)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    return lambda: [texts[1] for body in service.bodies if "mr_token" in body for _to, texts, _id in mailgun(body)]


@pytest.fixture
def runs(db, office, settings, everything_logged, mails, time_machine):  # noqa: F811
    """Every way to begin and to end a mailing, by staff who look at every page; what the command printed."""
    time_machine.move_to("2026-11-23T12:00:00Z", tick=True)
    staff = Client(raise_request_exception=False)
    staff.force_login(grant(office, "bulk_send_passwordreset"))
    people = [make_person(f"Person{number}") for number in range(SIZE)]
    names = "\n".join(["email", *(person.email for person in people), "nobody@members.example"])
    upload = SimpleUploadedFile("people.csv", names.encode())
    staff.post(f"{MAILINGS}new/", {"name": "Renewal", "kind": "file", "file": upload}, follow=True)
    mailing = Mailing.objects.get()
    page = f"{MAILINGS}{mailing.pk}/"
    looks = [staff.get(page + path) for path in ("", "?mr_show=left-out", "details/", "bounces/")]
    looks += [staff.post(f"{page}test/", follow=True)]
    assert [LINK.search(look.content.decode()) for look in looks] == [None] * 5
    seen = re.search(r'name="seen" value="(\w+)"', looks[0].content.decode())[1]
    for verb, values in (("start", {"column": "1", "seen": seen}), ("pause", {}), ("resume", {})):
        staff.post(f"{page}{verb}/", values, follow=True)
    for _attempt in range(6):
        outbox.drain()
        looks = [staff.get(page), staff.get(page, **FETCH), staff.get(f"{page}members/"), staff.get(MAILINGS)]
        assert [LINK.search(look.content.decode()) for look in looks] == [None] * 4
        ResetEmail.objects.filter(state=EmailState.QUEUED, attempts__gt=0).update(state=EmailState.FAILED)
        staff.post(f"{page}retry/", follow=True)
        time_machine.shift(3700)
    outbox.drain()
    stopped = mailings.draft(Choice(kind=Kind.IDS, ids=(make_person("Late").pk,)), by=office)
    mailings.start(stopped)
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=stopped.created_at)
    stopped.emails.update(state=EmailState.QUEUED, attempts=0)
    staff.post(f"{MAILINGS}{stopped.pk}/stop/")
    said = io.StringIO()
    some = ",".join(str(person.pk) for person in people[:5])
    call_command("send_member_resets", "--ids", some, "--no-input", "--json", stdout=said, stderr=said)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == (MailingState.FINISHED, SIZE)
    return said.getvalue()


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
def test_nothing_kept_or_logged_of_mailings_holds_a_token_a_secret_or_a_link(runs, mails, everything_logged):  # noqa: F811
    live = [tokens.mint(reset) for reset in PasswordReset.objects.live()]
    # The office is told when it has ended, too.
    letters = [text for text in mails() if "/admin/" not in text]
    sent = {LINK.search(text)[0].rstrip("/")[-40:] for text in letters}
    logged = "\n".join(record.getMessage() + traceback_of(record) for record in everything_logged.get_records("setup"))
    everything = (dump() + logged + runs).lower()

    found = [spelling for token in {*live, *sent} for spelling in spellings(token) if spelling in everything]

    assert len(set(live) & sent) == SIZE  # so what is looked for is what left
    assert all(token[:12] in everything for token in live)
    assert ModelLogEntry.objects.filter(action="wagtail_member_reset.send").count() >= SIZE
    assert json.loads(runs.splitlines()[-1])["chosen"] == 5
    assert found == []
    assert "/account/r/" not in everything


def test_dump_of_mailings_opens_no_account(db, mails, settings, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=True)
    chosen = tuple(make_person(f"Person{number}").pk for number in range(SIZE))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=chosen), by=None)
    mailings.start(mailing)
    for _attempt in range(6):
        outbox.drain()
        mailings.try_again(Mailing.objects.get(pk=mailing.pk))
        time_machine.shift(3700)
    mailing.refresh_from_db()
    live = list(PasswordReset.objects.live())

    assert len(live) == mailing.handed_over == SIZE
    assert sign_in_with(live, "a guess of the attacker's", settings) == 0
