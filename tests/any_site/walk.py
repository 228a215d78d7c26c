"""
Starts a site of its own, walks through the story as people do, and prints, as JSON, what came of each step.

Run by tests in a process of its own: most of what is tried here is read once, when Django starts. The arguments name
the site (`SITES`), and a folder for its database.
"""

import json
import os
import re
import sys
import threading
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import django
import time_machine
from django.conf import settings

SITES = {
    "stock": {},
    "naive": {"USE_TZ": False},
    "forced-path": {"FORCE_SCRIPT_NAME": "/app", "STATIC_URL": "static/"},
    "servers-path": {"STATIC_URL": "/app/static/", "WAGTAIL_MEMBER_RESET_BASE_URL": "https://club.example/app"},
    "unnamed-path": {"STATIC_URL": "/app/static/"},
    "toolbar": {"DEBUG": True, "app": "debug_toolbar", "middleware": "debug_toolbar.middleware.DebugToolbarMiddleware"},
    "multi-table": {"app": "tests.any_site.multi_table", "AUTH_USER_MODEL": "multi_table.Member"},
    "computed-address": {"app": "tests.any_site.computed", "AUTH_USER_MODEL": "computed.Person"},
    "no-password-fields": {"WAGTAILUSERS_PASSWORD_ENABLED": False},
    "audited": {"app": "auditlog", "AUDITLOG_INCLUDE_ALL_MODELS": True},
    "audited-first": {"first": "auditlog", "AUDITLOG_INCLUDE_ALL_MODELS": True},
    "audited-by-wish": {
        "app": "auditlog",
        "AUDITLOG_INCLUDE_ALL_MODELS": True,
        "AUDITLOG_INCLUDE_TRACKING_MODELS": ["wagtail_member_reset.DeliveryEvent"],
    },
}
# What the web server says of where the site is served.
PATHS = {"forced-path": "", "servers-path": "/app", "unnamed-path": "/app"}
FETCH = {"x-requested-with": "XMLHttpRequest"}
PASSWORD = "a quiet harbour 7"


class NoMigrations(dict):
    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return None


def configure(site, folder):
    changes = {
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder, "site.sqlite3"))}},
        "MIGRATION_MODULES": NoMigrations(),
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "WAGTAIL_MEMBER_RESET_DELIVERY": "thread",
        "ROOT_URLCONF": "tests.any_site.urls",
        "INTERNAL_IPS": ["203.0.113.9"],
        "LOGIN_URL": "/members/login/",
        **SITES[site],
    }
    if app := changes.pop("app", None):
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, app]
    if app := changes.pop("first", None):
        settings.INSTALLED_APPS = [app, *settings.INSTALLED_APPS]
    if middleware := changes.pop("middleware", None):
        settings.MIDDLEWARE = [middleware, *settings.MIDDLEWARE]
    for name, value in changes.items():
        setattr(settings, name, value)


def browser(person=None, *, below=""):
    """A browser on a site that a WSGI server serves below a path. An address outside of that is a fault."""
    from django.core.handlers.wsgi import get_script_name
    from django.test import Client
    from django.test.client import ClientHandler
    from django.urls import set_script_prefix

    class Below(ClientHandler):
        def __call__(self, environ):
            environ["SCRIPT_NAME"] = below
            set_script_prefix(get_script_name(environ))
            return super().__call__(environ)

    prefix = settings.FORCE_SCRIPT_NAME or below

    class Browser(Client):
        def generic(self, method, path, *args, **kwargs):
            path = re.sub(r"^https?://[^/]+", "", path)
            if not path.startswith(prefix + "/"):
                raise AssertionError(f"{path} leads out of the site")
            return super().generic(method, path.removeprefix(prefix), *args, **kwargs)

    found = Browser(REMOTE_ADDR="203.0.113.9", SERVER_NAME="club.example")
    found.handler = Below(enforce_csrf_checks=False)
    if person:
        found.force_login(person)
    return found


class Story:
    """What people do, step by step, and what they are told."""

    def __init__(self, site):
        from django.contrib.auth import get_user_model

        self.below, self.told, self.addresses = PATHS.get(site, ""), {}, set()
        self.prefix = settings.FORCE_SCRIPT_NAME or self.below
        self.model = get_user_model()
        self.users = self.model._default_manager
        self.admin = make_member("Ana", is_superuser=True, is_staff=True)
        self.staff = browser(self.admin, below=self.below)
        self.staff.get(f"{self.prefix}/admin/")  # from here on, this thread knows the path

    def page(self, client, name, *args, status=200, **more):
        return self.see(client.get(there(name, *args), **more), status)

    def see(self, response, status=200):
        """The page, of which every address is kept."""
        if response.status_code != status:
            raise AssertionError(f"{response.request['PATH_INFO']} answered {response.status_code}, not {status}")
        text = response.content.decode()
        self.addresses |= set(re.findall(r'(?:href|action|src|data-[a-z-]*url[a-z-]*)="(/[^"]*)"', text))
        return text

    def create(self):
        """Staff create a member, who gets a welcome; the tab has the link that was mailed."""
        self.page(self.staff, "wagtailusers_users:add")
        new = {"email": "nora@members.example", "username": "nora", "first_name": "Nora", "last_name": "S"}
        created = self.staff.post(there("wagtailusers_users:add"), {**new, "member_reset_password": "link"})
        self.nora = self.users.get(first_name="Nora")
        [self.welcome] = mails()
        tab = self.see(self.staff.get(created["Location"].partition("#")[0]))
        shown = re.search(r'id="member-reset-link"[^>]*value="([^"]+)"', tab, re.DOTALL)
        self.told["sentence"] = "Account successfully created and reset password email sent." in tab
        self.told["links"] = sorted({link_in(self.welcome), shown[1], *links_elsewhere(self.nora)})
        self.told["until"] = bool(re.search(r"until \w+day, \w+\.? \d", self.welcome.body))
        self.told["problem"] = "Links lead to the wrong place" in tab
        self.told["toolbar"] = 'id="djDebug"' in tab

    def look(self):
        """Staff read and correct what there is about her."""
        for name in ("panel", "history", "send", "revoke"):
            self.page(self.staff, f"wagtail_member_reset_admin:{name}", self.nora.pk, headers=FETCH)
        correct = there("wagtail_member_reset_admin:correct", self.nora.pk)
        field = f"member-reset-{self.model.get_email_field_name()}"
        self.told["correct"] = self.staff.get(correct).status_code
        self.staff.post(correct, {field: "nora.s@members.example"})
        self.told["corrected"] = [message.to for message in mails()]
        self.nora.refresh_from_db()

    def follow(self):
        """The member opens the last link, chooses a password, and ends on a page that leads to where to sign in."""
        from wagtail_member_reset import resets

        member = browser(below=self.below)
        opened = member.get(resets.link(resets.status(self.nora).reset))["Location"]
        selector = re.search(r'name="link" value="([^"]+)"', self.see(member.get(opened)))[1]
        done = member.post(opened, {"link": selector, "new_password1": PASSWORD})
        page = self.see(member.get(done["Location"]))
        self.nora.refresh_from_db()
        self.told["password"] = self.nora.check_password(PASSWORD), "Your password is saved" in page
        self.told["sign in"] = re.search(r'class="mr-button" href="([^"]+)"', page)[1]
        self.told["cookie paths"] = sorted(
            {morsel["path"] for morsel in member.cookies.values() if morsel.key.startswith("mr_")}
        )
        self.told["confirmed"] = [message.subject for message in mails()]

    def ask(self):
        """She asks on the website for another one; its delivery is reported."""
        from wagtail_member_reset.models import ResetRequest

        visitor, address = browser(below=self.below), resets_address(self.nora)
        self.page(visitor, "wagtail_member_reset:password_reset")
        asked = visitor.post(there("wagtail_member_reset:password_reset"), {"email": address.upper()})
        self.see(visitor.get(asked["Location"]))
        self.told["asked"] = [message.to for message in mails()]
        self.told["requests"] = list(ResetRequest.objects.values_list("address", flat=True))
        self.told["reported"] = reported(self.nora)

    def send_to_many(self):
        """Staff choose all in the listing and start a mailing: it passes over her, who has a link."""
        from wagtail_member_reset.models import Mailing

        for name in ("Mia", "Ole", "Uma"):
            make_member(name)
        model = self.model._meta
        action = there("wagtail_bulk_action", model.app_label, model.model_name, "send_member_resets")
        chosen = f"{action}?id=all&next={there('wagtailusers_users:index')}"
        self.page(self.staff, "wagtailusers_users:index")
        self.see(self.staff.get(chosen))
        started = self.staff.post(chosen)
        self.told["mailed"] = sorted(message.to[0] for message in mails())
        self.see(self.staff.get(started["Location"]))
        mailing = Mailing.objects.get()
        self.told["mailing"] = mailing.state, mailing.chosen, mailing.handed_over, mailing.failed
        desk = self.page(self.staff, "wagtail_member_reset_admin:desk", data={"q": resets_address(self.nora)})
        self.told["found"] = there("wagtailusers_users:edit", self.nora.pk) in desk
        self.page(self.staff, "wagtail_member_reset_admin:mailings")
        self.page(self.staff, "wagtailadmin_reports:site_history")

    def end(self):
        """A link runs out; what ended long ago is forgotten."""
        from django.core.management import call_command
        from django.utils import timezone

        from wagtail_member_reset import resets
        from wagtail_member_reset.models import Mailing, PasswordReset, ResetEmail

        mia = self.users.get(first_name="Mia")
        link, member = resets.link(resets.status(mia).reset), browser(below=self.below)
        self.told["statuses"] = sorted({resets.status(person).standing.value for person in self.users.all()})
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            page = self.see(member.get(member.get(link)["Location"]))
            tab = self.page(self.staff, "wagtailusers_users:edit", mia.pk)
        self.told["expired"] = "This link has expired" in page, "The last link expired unused." in tab
        with time_machine.travel(timezone.now() + timedelta(days=40)):
            call_command("purge_member_resets", stdout=StringIO())
        self.told["kept"] = PasswordReset.objects.count(), ResetEmail.objects.count(), Mailing.objects.count()
        self.told["outside"] = sorted(a for a in self.addresses if not a.startswith(f"{self.prefix}/"))


def mails():
    """What the thread has sent since."""
    from django.core import mail

    from wagtail_member_reset.outbox.background import sender

    if not sender.wait(20):
        raise AssertionError("the thread did not end")
    found, mail.outbox = list(getattr(mail, "outbox", [])), []
    return found


def there(name, *args):
    from django.urls import reverse

    return reverse(name, args=args)


def link_in(message):
    return re.search(r"^https://\S+/r/\S+$", message.body, re.MULTILINE)[0]


def make_member(name, **fields):
    from django.contrib.auth import get_user_model

    model = get_user_model()
    fields = {"username": name.lower(), "first_name": name, "last_name": "Sample", **fields}
    if model.get_email_field_name() == "email":
        fields["email"] = f"{name.lower()}@members.example"
    person = model(**fields)
    person.set_password(None)
    person.save()
    return person


def resets_address(person):
    from wagtail_member_reset import resets

    return resets.status(person).address


def links_elsewhere(person):
    """The link as a thread makes it, in which no request came in; a command has no other."""
    from django.db import connection

    from wagtail_member_reset import resets

    found = []

    def make():
        found.append(resets.link(resets.status(person).reset))
        connection.close()

    elsewhere = threading.Thread(target=make, daemon=True)
    elsewhere.start()
    elsewhere.join()
    return found


def reported(person):
    """What the tab makes of a report of the mail service, with the service's own time zone."""
    from anymail.signals import AnymailTrackingEvent, tracking

    from wagtail_member_reset import resets

    email = resets.status(person).email
    about = {"recipient": email.recipient, "metadata": {"member_reset": str(email.public_id)}}
    at = datetime.now(timezone.utc) - timedelta(seconds=1)
    event = AnymailTrackingEvent(event_type="delivered", timestamp=at, **about)
    tracking.send(sender=None, event=event, esp_name="Postmark")
    verdict = resets.status(person).verdict
    return verdict.outcome.value, bool(abs(verdict.at.timestamp() - at.timestamp()) < 1)


def audited():
    """What of ours django-auditlog keeps, and whether it keeps anything."""
    from django.apps import apps

    if not apps.is_installed("auditlog"):
        return None
    from auditlog.models import LogEntry

    kept = set(LogEntry.objects.values_list("content_type__app_label", flat=True))
    return sorted(kept & {"auth", "wagtail_member_reset"})


def found_by_checks():
    from django.core import checks

    found = checks.run_checks(databases=["default"])
    ours = (each.id.partition("wagtail_member_reset.")[2] for each in found)
    return sorted(number for number in ours if number not in ("", "W003", "W006"))


def walk(site):
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    from wagtail.models import Locale, Page, Site

    root = Page.add_root(title="Root", locale=Locale.objects.create(language_code="en"))
    Site.objects.create(hostname="club.example", port=443, is_default_site=True, root_page=root, site_name="Club")
    story = Story(site)
    story.create()
    if story.told["problem"]:  # nobody could follow the links
        return story.told
    for step in (story.follow, story.ask, story.look, story.send_to_many, story.end):
        step()
    return {**story.told, "checks": found_by_checks(), "audited": audited()}


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    site, folder = sys.argv[1:]
    configure(site, folder)
    django.setup()
    sys.stdout.write(json.dumps(walk(site)))


if __name__ == "__main__":
    main()
