"""The steps of the README, followed to the letter on a site that was made a moment ago."""

import sys

import pytest

from .site import WALKED, NewSite

pytestmark = [pytest.mark.slow, pytest.mark.newcomer]


@pytest.fixture
def site(tmp_path):
    return NewSite(tmp_path, sys.executable)


def test_steps_of_the_readme_lead_to_a_member_who_signs_in(site):
    site.follow_readme()

    assert site.walk() == WALKED
