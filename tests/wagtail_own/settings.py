"""Wagtail's own test site, with this app added as a site would add it."""

from wagtail.test.settings import *  # noqa: F403
from wagtail.test.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "wagtail_member_reset"]
ROOT_URLCONF = "tests.wagtail_own.urls"
