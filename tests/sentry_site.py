"""
A site with Sentry, as a process: what it would report of things that go wrong with a link in hand.

Prints the reports as JSON. Sentry's integration changes Django for good, so it needs a process.
"""

import json
import logging
import os
import sys
from unittest import mock
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

import sentry_sdk
from sentry_sdk.transport import Transport


class Kept(Transport):
    reports = []

    def capture_envelope(self, envelope):
        self.reports += [item.payload.json for item in envelope.items if item.payload.json]


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = os.environ["SITE_DATABASE"]
    settings.ALLOWED_HOSTS = ["*"]
    import django

    from wagtail_member_reset.redact import without_links

    redaction = (
        {"before_send": without_links, "before_send_transaction": without_links} if "REDACT" in os.environ else {}
    )
    sentry_sdk.init(
        dsn="https://key@sentry.example/1",
        transport=Kept(),
        traces_sample_rate=1.0,
        attach_stacktrace=True,
        send_default_pii=True,
        max_request_body_size="always",
        release="4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        **redaction,
    )
    django.setup()
    logging.disable(logging.NOTSET)
    go_wrong()
    sentry_sdk.flush()
    json.dump(Kept.reports, sys.stdout)


def go_wrong():
    from django.contrib.auth import get_user_model
    from django.test import Client

    from wagtail_member_reset import outbox, resets, tokens
    from wagtail_member_reset.outbox import text

    model = get_user_model()
    member, admin = model.objects.get(email="mia@members.example"), model.objects.get(is_superuser=True)
    path = urlsplit(resets.link(resets.send(member, by=None))).path
    grant = resets.open(path)
    staff = Client()
    staff.force_login(admin)
    session = f"sessionid={staff.cookies['sessionid'].value}"
    visit(path)
    broken = mock.Mock(side_effect=ConnectionError(path))
    with mock.patch.object(resets, "_holder", broken):
        visit(path)
        cookie = f"mr_grant_secret={tokens.seal(grant.selector, grant.proof)}"
        visit("/account/password-reset/set/", HTTP_COOKIE=cookie)
    with mock.patch("wagtail_member_reset.staff.views.render", broken):
        visit(f"/admin/member-reset/{member.pk}/", HTTP_COOKIE=session, HTTP_X_REQUESTED_WITH="XMLHttpRequest")
    with mock.patch.object(text, "compose", broken):
        outbox.drain()


def visit(path, **headers):
    """A request as a server makes it: only that way does Sentry trace it."""
    from django.core.wsgi import get_wsgi_application

    environ = {"PATH_INFO": path, "SERVER_NAME": "club.example", **headers}
    setup_testing_defaults(environ)
    for _ in get_wsgi_application()(environ, lambda status, headers: None):
        pass


if __name__ == "__main__":
    main()
