"""The suite's site without Wagtail's snippets: emails have the texts of the templates there."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "wagtail.snippets"]
