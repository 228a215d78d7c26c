"""
The demo. It has settings of its own, so it answers from a process of its own.
"""

import json
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from tests import demo

STANDING = {
    "ana": "nothing_sent",
    "otto": "nothing_sent",
    "june": "nothing_sent",
    "mia": "nothing_sent",
    "ida": "nothing_sent",
    "nora": "nothing_sent",
    "ian": "nothing_sent",
    "will": "waiting",
    "wendy": "waiting",
    "quinn": "quiet",
    "eve": "expired",
    "uma": "used",
    "carl": "revoked",
    "finn": "waiting",
}
# One process answers a module's questions: it reads code, a line of JSON each, and writes what is in `answer`.
ANSWERING = """
import json, sys, django
django.setup()
from io import StringIO
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from example_site.inbox.models import ReceivedEmail
from wagtail_member_reset import resets
from wagtail_member_reset.outbox.background import sender

def manage(*args, **options):
    written = StringIO()
    call_command(*args, stdout=written, **options)
    return written.getvalue()

def browse(username=None):
    client = Client()
    if username:
        client.force_login(get_user_model().objects.get(username=username))
    return client

names = dict(globals())
for line in sys.stdin:
    people = {person.username: person for person in get_user_model().objects.all()}
    scope = {**names, "people": people}
    exec(json.loads(line), scope)
    print(json.dumps(scope["answer"]), flush=True)
"""


class Club:
    """The demo, set up and seeded, with its data in a folder of its own."""

    def __init__(self, folder):
        self._complaints = (folder / "stderr").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", ANSWERING],
            cwd=demo.ROOT,
            env=demo.environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )

    def ask(self, code):
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(code) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait()
            self._complaints.seek(0)
            pytest.fail(self._complaints.read(), pytrace=False)
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._complaints.close()


@pytest.fixture(scope="module")
def club(demo_data):
    with closing(Club(demo_data)) as club:
        yield club


@pytest.mark.slow
def test_seeding_again_changes_nothing(club):
    before, again, after = club.ask("answer = [manage('dumpdata'), manage('seed'), manage('dumpdata')]")

    assert len(json.loads(before)) > 50
    assert again == ""
    assert after == before


@pytest.mark.slow
def test_another_port_changes_the_sites_record_and_nothing_else(club):
    before, _, after, _ = club.ask(
        """
answer = [manage("dumpdata")]
settings.PORT = 18501
answer += [manage("seed"), manage("dumpdata")]
settings.PORT = 18500
answer += [manage("seed")]
"""
    )

    changed = [pair for pair in zip(json.loads(before), json.loads(after), strict=True) if pair[0] != pair[1]]
    assert [(old["model"], old["fields"]["port"], new["fields"]["port"]) for old, new in changed] == [
        ("wagtailcore.site", 18500, 18501)
    ]


@pytest.mark.slow
def test_checks_and_migrations_have_nothing_to_say(club):
    answer = club.ask(
        """
answer = [
    manage("check", databases=["default"], fail_level="WARNING"),
    manage("makemigrations", check_changes=True, dry_run=True),
]
"""
    )

    assert answer == ["System check identified no issues (0 silenced).\n", "No changes detected\n"]


@pytest.mark.slow
def test_everybody_is_in_the_state_of_their_name(club):
    answer = club.ask(
        """
answer = {
    "standing": {name: resets.status(person).standing.value for name, person in people.items()},
    "refusal": {
        name: refusal.value for name, person in people.items() if (refusal := resets.status(person).refusal)
    },
    "failed": [name for name, person in people.items() if person.wagtail_member_reset_emails.filter(state="failed")],
    "without_password": sorted(name for name, person in people.items() if not person.has_usable_password()),
    "superusers": [name for name, person in people.items() if person.is_superuser],
}
"""
    )

    assert answer["standing"] == STANDING
    assert answer["refusal"] == {"nora": "no_address", "ian": "inactive"}
    assert answer["failed"] == ["finn"]
    assert set(STANDING) - set(answer["without_password"]) == {"ana", "otto", "june", "mia", "uma"}
    assert answer["superusers"] == ["ana"]


@pytest.mark.slow
def test_the_printed_logins_work(club):
    printed = club.ask("answer = manage('show_logins')")

    answer = club.ask(
        """
from example_site.club.people import ADMIN, JUNIOR, MEMBER, OFFICE
answer = [
    [name, password, Client().post("/login/", {"username": name, "password": password}).headers.get("Location")]
    for name, password in (ADMIN, OFFICE, JUNIOR, MEMBER)
]
"""
    )

    assert [name for name, _, _ in answer] == ["ana", "otto", "june", "mia"]
    for name, password, leads_to in answer:
        assert f"{name} / {password}" in printed
        assert leads_to == "/members/"
    for address in ("/", "/admin/", "/inbox/"):
        assert f"http://127.0.0.1:18500{address} " in f"{printed} ".replace("\n", " ")


@pytest.mark.slow
def test_the_members_page_is_for_members(club):
    answer = club.ask(
        """
stranger, member = browse().get("/members/"), browse("mia").get("/members/")
login = browse().get("/login/").content.decode()
answer = {
    "home": browse().get("/").status_code,
    "stranger": [stranger.status_code, stranger.headers.get("Location")],
    "member": ["Boat plan" in member.content.decode(), member.status_code],
    "login_leads_to_reset": 'href="/account/password-reset/"' in login,
    "admin_leads_to_reset": browse().get("/admin/password_reset/").headers.get("Location"),
}
"""
    )

    assert answer == {
        "home": 200,
        "stranger": [302, "/login/?next=/members/"],
        "member": [True, 200],
        "login_leads_to_reset": True,
        "admin_leads_to_reset": "/account/password-reset/",
    }


@pytest.mark.slow
def test_the_office_account_finds_link_and_sentence_on_the_tab(club):
    answer = club.ask(
        """
client = browse("otto")
page = client.get(f"/admin/users/edit/{people['will'].pk}/").content.decode()
answer = {
    "sentence": "Reset password email sent." in page,
    "link": resets.link(resets.status(people["will"]).reset) in page,
    "groups": client.get("/admin/groups/").status_code,
}
"""
    )

    assert answer == {"sentence": True, "link": True, "groups": 302}


@pytest.mark.slow
def test_the_inbox_shows_the_emails(club):
    answer = club.ask(
        """
settings.DEBUG = True
client, mail = browse(), ReceivedEmail.objects.get(to="will@harbour.example")
index, text, html = (client.get(path) for path in ("/inbox/", f"/inbox/{mail.pk}/", f"/inbox/{mail.pk}/html/"))
link = resets.link(resets.status(people["will"]).reset)
answer = {
    "index": all(str(email.to) in index.content.decode() for email in ReceivedEmail.objects.all()),
    "text": f'<a href="{link}" target="_blank" rel="noopener">' in text.content.decode(),
    "frame": 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in text.content.decode(),
    "html": f'href="{link}"' in html.content.decode() and '<base target="_blank">' in html.content.decode(),
    "policy": html["Content-Security-Policy"].split(";")[:2],
    "nobody_there": ReceivedEmail.objects.filter(to__endswith="@nowhere.example").count(),
}
"""
    )

    assert answer == {
        "index": True,
        "text": True,
        "frame": True,
        "html": True,
        "policy": ["sandbox allow-popups allow-popups-to-escape-sandbox", " default-src 'none'"],
        "nobody_there": 0,
    }


@pytest.mark.slow
def test_a_mail_cannot_write_into_the_inbox_page(club):
    answer = club.ask(
        """
settings.DEBUG = True
mail = ReceivedEmail(to="x@harbour.example", subject="<script>1</script>", text="<script>2</script> https://a.example/\\"><b>")
mail.save()
page = browse().get(f"/inbox/{mail.pk}/").content.decode()
mail.delete()
answer = [part in page for part in ("<script>", "<b>", "&lt;script&gt;2&lt;/script&gt;")]
"""
    )

    assert answer == [False, False, True]


@pytest.mark.slow
def test_without_debug_there_is_no_inbox(club):
    answer = club.ask(
        """
settings.DEBUG = False
pk = ReceivedEmail.objects.first().pk
answer = [browse("ana").get(f"/inbox/{path}").status_code for path in ("", f"{pk}/", f"{pk}/html/")]
answer += [browse("ana").post(f"/inbox/{pk}/report/", {"kind": "delivered"}).status_code]
settings.DEBUG = True
"""
    )

    assert answer == [404, 404, 404, 404]


@pytest.mark.slow
def test_a_member_who_forgot_gets_in_by_the_inbox(club):
    answer = club.ask(
        """
import re
address, password = "fay@harbour.example", "fay-came-by-boat-9"
fay = get_user_model().objects.create_user("fay", address)
client = browse()
client.post("/account/password-reset/", {"email": address})
assert sender.wait()
mail = ReceivedEmail.objects.get(to=address)
link = re.search(r"http://127[.]0[.]0[.]1:18500(/account/r/(\\w{12})\\w+)", mail.text)
assert client.get(link[1], follow=True).status_code == 200
done = client.post("/account/password-reset/set/", {"link": link[2], "new_password1": password}, follow=True)
assert sender.wait()
login = browse().post("/login/", {"username": "fay", "password": password})
mails = ReceivedEmail.objects.filter(to=address)
answer = [done.request["PATH_INFO"], login.headers.get("Location"), mails.count()]
mails.delete()
fay.delete()
"""
    )

    assert answer == ["/account/password-reset/complete/", "/members/", 2]


@pytest.mark.slow
def test_the_demos_terminal_does_not_show_links(club):
    answer = club.ask(
        """
import io, logging
written = io.StringIO()
logger = logging.getLogger("django.server")
logger.addHandler(logging.StreamHandler(written))
logger.info('"%s" %s %s', "GET /account/r/abcdefghjk HTTP/1.1", "302", "0")
answer = written.getvalue()
"""
    )

    assert answer == '"GET /account/r/… HTTP/1.1" 302 0\n'


REPORTED = {
    "delivered": ("Delivered", "Will’s mail server accepted the email."),
    "delayed": ("Delayed", "asked to try again later. The mail service keeps trying."),
    "no_mailbox": ("Bounced", "says that this address does not exist."),
    "full": ("Bounced", "mailbox is full."),
    "unwanted": ("Bounced", "refused the email as unwanted"),
    "complained": ("Marked as spam", "marked the email as spam."),
}


@pytest.mark.parametrize("kind", REPORTED)
@pytest.mark.slow
def test_what_the_inbox_reports_stands_on_the_settings_tab(club, kind):
    badge, sentence = REPORTED[kind]
    answer = club.ask(
        f"""
import html, re
from wagtail_member_reset.models import DeliveryEvent
will, office = people["will"], browse("ana")
DeliveryEvent.objects.all().delete()
mail = ReceivedEmail.objects.filter(to=will.email).order_by("-pk").first()
said = office.post(f"/inbox/{{mail.pk}}/report/", {{"kind": "{kind}"}}, follow=True).content.decode()
tab = office.get(f"/admin/member-reset/{{will.pk}}/", headers={{"x-requested-with": "XMLHttpRequest"}})
told = office.get(f"/admin/member-reset/{{will.pk}}/history/", headers={{"x-requested-with": "XMLHttpRequest"}})
words = lambda page: " ".join(html.unescape(re.sub("<[^>]*>", " ", page.content.decode())).split())
answer = [said, words(tab), words(told), f'/admin/users/edit/{{will.pk}}/#tab-settings']
"""
    )

    said, tab, told, address = answer
    assert "The site has taken it." in said
    assert address in said
    assert sentence in tab
    assert f" {badge} " in tab
    assert badge.partition(" ")[0] in told


@pytest.mark.slow
def test_opened_mail_is_a_note_in_the_history(club):
    told = club.ask(
        """
will, office = people["will"], browse("ana")
mail = ReceivedEmail.objects.filter(to=will.email).order_by("-pk").first()
office.post(f"/inbox/{mail.pk}/report/", {"kind": "opened"})
answer = office.get(f"/admin/member-reset/{will.pk}/history/").content.decode()
"""
    )

    assert "The email seems to have been opened." in told


@pytest.mark.slow
def test_reports_without_the_secret_are_refused_and_write_nothing(club):
    answer = club.ask(
        """
from example_site.inbox import reports
from wagtail_member_reset.models import DeliveryEvent
import logging
logging.disable()
before = DeliveryEvent.objects.count()
mail = ReceivedEmail.objects.filter(to=people["will"].email).first()
said = reports.payload("delivered", recipient=mail.to, message_id=mail.message_id, metadata=mail.metadata)
codes = [reports.post(said, secret=secret).status_code for secret in ("", "postmark:guessed")]
logging.disable(logging.NOTSET)
answer = [codes, DeliveryEvent.objects.count() - before]
"""
    )

    assert answer == [[400, 400], 0]


@pytest.mark.slow
def test_reports_of_the_inbox_are_asked_for_by_its_own_form_alone(club):
    answer = club.ask(
        """
import logging
logging.disable()
mail = ReceivedEmail.objects.first()
path = f"/inbox/{mail.pk}/report/"
strict = Client(enforce_csrf_checks=True)
answer = [
    strict.post(path, {"kind": "delivered"}).status_code,
    browse().get(path).status_code,
    browse().post(path, {"kind": "nonsense"}).status_code,
    browse().post("/inbox/99999/report/", {"kind": "delivered"}).status_code,
]
logging.disable(logging.NOTSET)
"""
    )

    assert answer == [403, 405, 404, 404]


@pytest.mark.slow
def test_whose_link_has_expired_is_listed_as_not_in_yet(club):
    answer = club.ask(
        """
page = browse("otto").get("/admin/member-reset/needs-help/?show=quiet").content.decode()
answer = ["Eve Expired" in page, "Link expired unused" in page]
"""
    )

    assert answer == [True, True]


@pytest.mark.slow
def test_the_inbox_says_in_plain_words_what_became_of_a_report(club):
    answer = club.ask(
        """
settings.DEBUG = True
pk = ReceivedEmail.objects.get(to="will@harbour.example").pk
answer = browse().post(f"/inbox/{pk}/report/", {"kind": "delivered"}, follow=True).content.decode()
"""
    )

    assert "The mail service has reported: Delivered. The site has taken it." in answer
