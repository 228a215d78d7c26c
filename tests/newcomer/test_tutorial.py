"""The steps of the tutorial, followed to the letter on a site that was made a moment ago."""

import sys

import pytest

from .site import WALKED, NewSite

pytestmark = pytest.mark.slow


def test_tutorial_leads_to_a_member_who_signs_in(tmp_path):
    site = NewSite(tmp_path, sys.executable)
    site.follow_tutorial()

    assert site.walk() == WALKED
