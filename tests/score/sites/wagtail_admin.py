"""The "Forgotten password?" of Wagtail's admin."""

from tests.score.sites.base import *  # noqa: F403
