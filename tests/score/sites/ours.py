"""This package, with its own thread for delivery, as a site has it that sets nothing up."""

from tests.score.sites.base import *  # noqa: F403
from tests.score.sites.base import INSTALLED_APPS as BASE_APPS

INSTALLED_APPS = [*BASE_APPS, "anymail", "wagtail_member_reset"]
WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"
WAGTAIL_MEMBER_RESET_DELIVERY = "thread"
# Counted as ever, but high enough for a run.
WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "1000000/h", "address": "1000000/h", "all": "1000000/min"}
