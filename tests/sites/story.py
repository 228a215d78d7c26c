"""
Walks the story on the site that SITE names, and prints what became of it as JSON.

Run by tests in a process of its own: what is installed is read once, when Django starts.
"""

import json
import logging
import os
import re
import shutil
import sys

import django
from django.conf import settings

LINK = re.compile(r"https://club\.example(/\S*account/r/\w+)")


class Heard(logging.Handler):
    """What an administrator would find in the site's log."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.said = []

    def emit(self, record):
        if record.name.split(".")[0] in ("wagtail_member_reset", "django"):
            self.said.append(record.getMessage())


def create(staff):
    """Staff create a member; whether the form offers the link, and the page that they come to says that it went."""
    form = staff.get("/admin/users/new/").content.decode()
    who = {"email": "mia@members.example", "username": "mia", "first_name": "Mia", "last_name": "Sample"}
    saved = staff.post("/admin/users/new/", {**who, "member_reset_password": "link"}, follow=True)
    return ['name="member_reset_password"' in form, WELCOMED in words(saved.content.decode())]


def look_at_tab(staff):
    page = staff.get(edit_url(people.account_of("mia"))).content.decode()
    return [page.count('href="#tab-settings"'), page.count('id="member-reset"')]


def choose_password(name):
    """The member follows the newest link, chooses a password, and signs in with it; whether both succeed."""
    visitor = people.browser()
    link = [found for message in people.emails_to(name) for found in LINK.findall(message.body)][-1]
    opened = visitor.get(link)["Location"]
    selector = re.search(r'name="link" value="(\w+)"', visitor.get(opened).content.decode())[1]
    done = visitor.post(opened, {"link": selector, "new_password1": people.PASSWORD}, follow=True)
    return ["Your password is saved" in done.content.decode(), people.sign_in(name, people.PASSWORD)]


def mail_a_few(staff):
    """Staff start a mailing to all who have not got in; who was mailed, and how it ended."""
    names = ["ida", "ole", "pia"]
    for name in names:
        make_person(name.title(), username=name)
    staff.post("/admin/member-reset/mailings/new/", {"name": "Renewal", "kind": "never_signed_in"}, follow=True)
    mailing = Mailing.objects.get()
    preview = staff.get(f"/admin/member-reset/mailings/{mailing.pk}/").content.decode()
    seen = {"seen": re.search(r'name="seen" value="(\w+)"', preview)[1]}
    page = staff.post(f"/admin/member-reset/mailings/{mailing.pk}/start/", seen, follow=True)
    mailed = [name for name in names if people.emails_to(name)]
    mailing.refresh_from_db()
    return [page.status_code, mailed, mailing.state]


def ask():
    """The member asks on the website; how many emails come of it."""
    before = len(people.emails_to("mia"))
    asked = {"email": "MIA@members.example"}
    answer = people.browser().post(reverse("wagtail_member_reset:password_reset"), asked, follow=True)
    return [answer.status_code, len(people.emails_to("mia")) - before]


def found_by_checks():
    found = checks.run_checks(include_deployment_checks=True, databases=["default"])
    return sorted(number for check in found if (number := check.id.partition("wagtail_member_reset.")[2]))


def walk(heard):
    wanted = {"allauth", "axes"} & settings.HERE if "--without-recipes" not in sys.argv else ()
    receivers = [recipes.of(name) for name in wanted]
    staff = people.office()
    told = {
        "created": create(staff),
        "tab": look_at_tab(staff),
        "welcome": choose_password("mia"),
        "mailing": mail_a_few(staff),
        "on the way": neighbours.on_the_way(),
        "request": ask(),
        "reset": choose_password("mia"),
        "at the end": neighbours.at_the_end(staff),
        "checks": found_by_checks(),
        "log": heard.said,
    }
    del receivers  # Django keeps its receivers by a weak reference: until here, then
    return told


def build():
    """The tables, and what Wagtail's migrations put into them."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    Locale.objects.get_or_create(language_code="en")
    root = Page.objects.first() or Page.add_root(title="Root")
    Site.objects.get_or_create(is_default_site=True, defaults={"hostname": "club.example", "root_page": root})


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.sites.settings"
    from tests.custom.probe import NoMigrations

    if settings.SITE != "all":
        settings.MIGRATION_MODULES = NoMigrations()
    django.setup()

    from django.core import checks
    from django.core.management import call_command
    from django.urls import reverse
    from wagtail.models import Locale, Page, Site

    from tests.conftest import make_person
    from tests.sites import neighbours, people, recipes
    from tests.staff.pages import WELCOMED, edit_url, words
    from wagtail_member_reset.models import Mailing

    listener = Heard()
    logging.getLogger().addHandler(listener)
    try:
        build()
        told = json.dumps(walk(listener))
        sys.stdout.write(f"\n{told}\n")  # neighbours print, too
    finally:
        shutil.rmtree(settings.PLACE, ignore_errors=True)
