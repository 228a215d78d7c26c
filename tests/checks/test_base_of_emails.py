"""A site's own `emails/base.html`, against the blocks that emails fill."""

import pytest
from django.template import engines

from wagtail_member_reset.checks.mail import BASE, BLOCKS, check_base_of_emails

OURS = "".join(f"{{% block {name} %}}{{% endblock %}}" for name in BLOCKS)


@pytest.fixture
def own_templates(settings):
    """`own_templates({name: source})`: those of the site, before the packages' own."""

    def has(sources):
        [engine] = settings.TEMPLATES
        loaders = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
        options = {**engine["OPTIONS"], "loaders": [("django.template.loaders.locmem.Loader", sources), *loaders]}
        settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]

    yield has
    engines.__dict__.pop("templates", None)


def test_base_of_the_package_lacks_none(settings):
    assert check_base_of_emails(None) == []


@pytest.mark.parametrize("name", BLOCKS)
def test_own_base_that_lacks_a_block_is_pointed_out_with_the_way_out(own_templates, name):
    own_templates({BASE: OURS.replace(f"{{% block {name} %}}{{% endblock %}}", "")})

    [warning] = check_base_of_emails(None)

    assert warning.id == "wagtail_member_reset.W032"
    assert f"has no block {name}:" in warning.msg
    assert f"{{% block {name} %}}" in warning.hint


def test_several_are_named_together(own_templates):
    own_templates({BASE: "{% block body %}{% endblock %}"})

    [warning] = check_base_of_emails(None)

    assert "has no blocks title, heading, opening, footer:" in warning.msg


def test_blocks_of_the_template_that_it_extends_count(own_templates):
    own_templates({BASE: '{% extends "club.html" %}{% block opening %}{% endblock %}', "club.html": OURS})

    assert check_base_of_emails(None) == []


@pytest.mark.parametrize(
    "source",
    ["{% extends which %}", '{% extends "gone.html" %}', "{% block body %}", f'{{% extends "{BASE}" %}}'],
    ids=["named by a variable", "of one that is not there", "not finished", "of the packaged one of its name"],
)
def test_what_only_a_rendering_would_tell_is_left_alone(own_templates, source):
    own_templates({BASE: source})

    assert check_base_of_emails(None) == []
