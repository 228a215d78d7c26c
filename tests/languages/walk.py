"""
Walks through the demo with every message in brackets, and prints as JSON what stands outside of them.

Run by a test in a process of its own, on a demo that has been seeded. It reads whatever can be reached by a link from
the pages that staff and members begin with, and the emails. Posted is what mailings,
texts and senders are made of, also what is wrong in their forms, and what a member posts.
"""

import html
import json
import re
import sys
from functools import partial
from urllib.parse import urljoin, urlsplit

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core import mail  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from wagtail.models import Site  # noqa: E402

from tests.languages import pseudo  # noqa: E402
from wagtail_member_reset import mailings, outbox, resets  # noqa: E402
from wagtail_member_reset.mailing import Choice, Kind  # noqa: E402
from wagtail_member_reset.models import DeliveryEvent, EmailText, Mailing, PasswordReset, ResetEmail, SiteSender  # noqa: E402
from wagtail_member_reset.texts import FIELDS  # noqa: E402

TEXTS = "/admin/snippets/wagtail_member_reset/emailtext/"
SENDERS = "/admin/member-reset-sender/"
OURS = re.compile(rf"/admin/member-reset/|/admin/users/(edit/)?\d+/|/account/|{TEXTS}|{SENDERS}")
HOSTS = ["harbour.example", "youth.example"]
FETCH = {"x-requested-with": "XMLHttpRequest"}
LIST = "/admin/member-reset/mailings/"
BEGINNINGS = [
    "/admin/member-reset/",
    "/admin/member-reset/needs-help/",
    LIST,
    TEXTS,
    SENDERS,
    "/admin/users/",
    "/admin/users/new/",
    "/admin/",
]
PERSON = ["", "send/", "hand-out/", "unblock/", "cancel/", "address/", "do-not-email/", "history/", "link/", "erase/"]
MAILING = ["", "details/", "delete/", "bounces/", "stop/", "retry/", "again/", "rest/", "unmatched/", "members/"]
MEMBERS = ["/account/password-reset/", "/account/password-reset/sent/", "/account/password-reset/set/"]


class Walk:
    def __init__(self):
        self.left, self.seen, self.kinds, self.noted = {}, set(), {}, set()

    def read(self, client, path, **options):
        response = client.get(path, **options)
        self.note(path, response)
        return response

    def note(self, path, response):
        self.noted.add(kind_of(path))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            markup = response.content.decode()
            for where, text in pseudo.Page(markup).left:
                self.left.setdefault(text, [kind_of(path), where])
            return re.findall(r'(?:href|action|data-[a-z-]*url[a-z-]*)="(/[^"#]*)', markup)
        return []

    def crawl(self, client, begin):
        """Each kind of page is read at most so many times: what differs is the data."""
        waiting = list(begin)
        while waiting:
            path = html.unescape(waiting.pop(0))
            kind = kind_of(path)
            if path in self.seen or self.kinds.get(kind, 0) >= 25:
                continue
            self.seen.add(path)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if re.search(r"/(start|test|pause|resume|copied)/", path):
                continue
            response = client.get(path, headers=FETCH if "/watch/" in path else {})
            found = [html.unescape(link) for link in self.note(path, response)]
            there = [urljoin(path, link) for link in found if OURS.match(link) and "export" not in link]
            waiting += [urlsplit(link)._replace(fragment="").geturl() for link in there]

    def mails(self):
        for message in mail.outbox:
            for text in [message.subject, message.body]:
                for outside in pseudo.outside_of(text):
                    self.left.setdefault(outside, ["mail", message.subject])
            for content, _kind in message.alternatives:
                for where, text in pseudo.Page(content).left:
                    self.left.setdefault(text, ["mail", where])
        mail.outbox.clear()


def kind_of(path):
    return re.sub(r"\d+", "N", urlsplit(path).path)


def members_story(walk, member):
    """A member asks, gets a link, breaks a rule, saves a password, and comes back to the link."""
    client = Client()
    client.post("/account/password-reset/", {"email": member.email})
    reset = resets.send(member, by=None)
    outbox.drain()
    link = urlsplit(resets.link(reset)).path
    client.get(link)
    for path in MEMBERS:
        walk.read(client, path)
    walk.note("/account/set/", client.post(MEMBERS[2], {"link": reset.selector, "new_password1": "12"}))
    done = client.post(MEMBERS[2], {"link": reset.selector, "new_password1": "a quiet harbour 7"})
    walk.read(client, done["Location"])
    walk.read(client, "/account/password-reset/complete/")
    client.get(link)
    walk.read(client, MEMBERS[2])
    outbox.drain()
    walk.mails()


def two_sites():
    """Staff are asked for the site where there is a second one that can be used."""
    first = Site.objects.get()
    Site.objects.update(hostname=HOSTS[0], port=80)
    return Site.objects.create(hostname=HOSTS[1], site_name="Youth", root_page=first.root_page)


NEW = LIST + "new/"
TABLE = b"""Name,Email,Guardian
Mia,mia@harbour.example,x@y.example
Nobody,nobody@harbour.example,
Broken,not an address,
"""


def mailings_story(walk, client, users):
    """Mailings in each state, and what is asked while one is made."""
    walk.note(NEW, client.post(NEW, {"name": "", "kind": "groups"}))
    walk.note(NEW, client.post(NEW, {"kind": "file", "file": SimpleUploadedFile("x.pdf", b"%PDF-1.7")}))
    for data in ({"kind": "never_signed_in"}, {"kind": "file", "file": SimpleUploadedFile("members.csv", TABLE)}):
        made = client.post(NEW, {"name": "Renewal", "paragraph": "Dues", **data})
        walk.read(client, made["Location"])
    everybody = Choice(kind=Kind.ALL)
    by = users.get(username="ana")
    finished, failing, paused, stopped, _planned = (
        mailings.draft(everybody, by=by, name=f"Renewal {number}", again=True) for number in range(5)
    )
    for mailing in (finished, failing):
        mailings.start(mailing)
        outbox.drain()
    failed = ResetEmail.objects.filter(mailing=failing)[:2]
    for email, kind in zip(failed, ("bounced", "complained"), strict=True):
        now = email.created_at
        DeliveryEvent.objects.create(
            email=email, event_type=kind, key=kind, happened_at=now, mta_response="550 5.1.1 no"
        )
    for mailing, act in ((paused, mailings.pause), (stopped, partial(mailings.stop, by=by))):
        mailings.start(mailing)
        act(mailing)
    walk.mails()


def texts_story(walk, client, site):
    """A text for all sites and one of a site: what is asked, what is wrong with them, and what a preview shows."""
    walk.note(TEXTS, client.post(f"{TEXTS}add/", {}))
    for data in ({}, {"site": site.pk}, {"site": site.pk}):
        answer = client.post(f"{TEXTS}add/", {"purpose": "welcome", "language": "en", **data})
        walk.note(TEXTS, answer)
    everywhere, own = EmailText.objects.order_by("pk")
    EmailText.objects.filter(pk=everywhere.pk).update(live=True)
    broken = {"subject": "{link}\n", "body": "{oops} [x](https://elsewhere.example) \u202e", "action-publish": "1"}
    for text, data in ((own, broken), (everywhere, {**broken, "body": "{" * 20_001})):
        walk.note(f"{TEXTS}edit/{text.pk}/", client.post(f"{TEXTS}edit/{text.pk}/", data))
        url = f"{TEXTS}preview/{text.pk}/"
        client.post(url, {field: broken.get(field, getattr(text, field)) for field in FIELDS})
        for mode in ("html", "dark", "text"):
            walk.note(f"{url}{mode}/", client.get(url, {"mode": mode, "in_preview_panel": "true"}))
    client.post(f"{TEXTS}edit/{own.pk}/", {field: getattr(own, field) for field in FIELDS})
    client.post(f"/admin/member-reset/texts/{own.pk}/test/")
    EmailText.objects.create(purpose="reset", language="en", site=site, live=True)  # as a script might
    for page in ("edit", "delete", "history", "unpublish", "usage"):
        for text in (everywhere, own):
            walk.read(client, f"{TEXTS}{page}/{text.pk}/")
    return ["oops", "x"]


def senders_story(walk, client, site):
    walk.note(f"{SENDERS}new/", client.post(f"{SENDERS}new/", {"site": site.pk}))
    wrong = {
        "from_name": "x@y",
        "from_address": "x@elsewhere.example",
        "reply_to": "a, b",
        "support_contact": "call us",
    }
    walk.note(f"{SENDERS}new/", client.post(f"{SENDERS}new/", {"site": site.pk, **wrong}))
    row = SiteSender.objects.create(site=site, from_name="Youth", from_address="x@elsewhere.example")
    for page in ("edit", "delete", "history"):
        walk.read(client, f"{SENDERS}{page}/{row.pk}/")
    return wrong.values()


def main():
    users = get_user_model().objects
    pseudo.switch_on()
    walk = Walk()
    backend = "django.core.mail.backends.locmem.EmailBackend"
    change = {"MAILERS": {"default": {"BACKEND": backend}}} if django.VERSION >= (6, 1) else {"EMAIL_BACKEND": backend}
    with override_settings(
        WAGTAIL_MEMBER_RESET_DELIVERY="command",
        WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS=1,
        WAGTAIL_MEMBER_RESET_BASE_URL=None,
        ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, *HOSTS],
        **change,
    ):
        mail.outbox = []
        client = Client()
        client.force_login(users.get(username="ana"))
        youth = two_sites()
        typed = [*texts_story(walk, client, youth), *senders_story(walk, client, youth)]
        mailings_story(walk, client, users)
        for name in ("ana", "otto"):
            client = Client()
            client.force_login(users.get(username=name))
            of_person = [
                f"/admin/member-reset/{pk}/{page}" for pk in users.values_list("pk", flat=True) for page in PERSON
            ]
            of_mailing = [
                f"{LIST}{pk}/{page}" for pk in Mailing.objects.values_list("pk", flat=True) for page in MAILING
            ]
            walk.seen.clear()
            walk.kinds.clear()
            walk.crawl(client, [*BEGINNINGS, *of_person, *of_mailing])
        members_story(walk, users.get(username="mia"))
    data = [str(value) for row in users.values_list("username", "first_name", "last_name", "email") for value in row]
    data += [mailing.name for mailing in Mailing.objects.all()]
    data += [*HOSTS, "Youth", *dict(settings.LANGUAGES).values(), *typed]
    data += [str(value) for row in PasswordReset.objects.values_list("recipient") for value in row]
    json.dump({"left": walk.left, "data": data, "noted": sorted(walk.noted)}, sys.stdout)


main()
