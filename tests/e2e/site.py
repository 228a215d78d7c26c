"""
What the site has beside the suite's own: a page for members, a strict policy for the admin on
request, and where a mail service may report.
"""

import uuid

from anymail.backends.test import EmailBackend
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path

from tests.urls import urlpatterns as common


def members(request):
    """The page that shows who is signed in."""
    name = request.user.get_username() if request.user.is_authenticated else "nobody"
    page = f'<!doctype html><html lang="en"><title>Members</title><h1>Members</h1><p>Signed in: {name}</p></html>'
    return HttpResponse(page)


class AdminPolicy:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.path.startswith("/admin/") and (policy := getattr(settings, "TEST_ADMIN_POLICY", None)):
            response["Content-Security-Policy"] = policy
        return response


class Postmark(EmailBackend):
    """A mail service that takes every mail and reports only when a test says what."""

    esp_name = "Postmark"

    def get_esp_message_id(self, message):
        return str(uuid.uuid4())


def icon(request):
    """Browsers ask for it by themselves, where a page names none."""
    return HttpResponse(status=204)


urlpatterns = [
    path("members/", members),
    path("favicon.ico", icon),
    path("anymail/", include("anymail.urls")),
    *common,
]
