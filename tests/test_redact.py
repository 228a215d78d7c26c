"""What error trackers are told of a link."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.conftest import make_person
from wagtail_member_reset import resets, tokens
from wagtail_member_reset.models import PasswordReset
from wagtail_member_reset.redact import Redacted, without_links


@pytest.fixture
def reports(transactional_db, django_db_serialized_rollback):
    """What a site reports to Sentry: `reports(REDACT="1")` with our filter; the token, and the reports as text."""
    member = make_person("Mia")
    make_person("Ana", is_superuser=True)

    def run(**environment):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.sentry_site"],
            env={**os.environ, "SITE_DATABASE": str(connection.settings_dict["NAME"]), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        reset = PasswordReset.objects.get(active_for=member)
        return tokens.mint(reset), json.loads(ended.stdout)

    return run


@pytest.mark.slow
def test_sentry_learns_no_token_with_the_filter_and_would_without(reports):
    token, redacted = reports(REDACT="1")
    _, open_ = reports()

    kinds = [report.get("type", "error") for report in redacted]
    assert (kinds.count("error") >= 3, "transaction" in kinds) == (True, True)
    assert token[12:38] not in json.dumps(redacted)
    parsed = tokens.parse(token)
    in_cookie = f"{parsed.selector}.{parsed.proof}"
    assert (in_cookie in json.dumps(redacted), in_cookie in json.dumps(open_)) == (False, True)
    assert "4b825dc642cb6eb9a060e54bf8d69288fbee4904" in json.dumps(redacted)
    assert token in json.dumps(open_)


def test_what_is_no_link_stays(member):
    token = resets.link(resets.send(member, by=None)).rstrip("/")[-40:]
    event = {
        "release": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "request": {"url": f"https://club.example/account/r/{token}/"},
        "extra": [{"text": f"a {token.upper()} b", "number": 5, "cut": "/account/r/abc"}, None],
    }

    assert without_links(event) == {
        "release": event["release"],
        "request": {"url": "https://club.example/account/r/…/"},
        "extra": [{"text": "a … b", "number": 5, "cut": "/account/r/…"}, None],
    }


def test_cookies_of_a_link_are_taken_out(member):
    grant = resets.open(resets.link(resets.send(member, by=None)))
    opened, used = tokens.seal(grant.selector, grant.proof), tokens.seal_used(grant.selector)
    event = {
        "request": {
            "cookies": {"mr_grant_secret": opened, "__Host-mr_used_secret": used, "sessionid": "abc"},
            "headers": {"Cookie": f"mr_grant_secret={opened}; mr_used_secret={used}; a=b"},
        },
        "vars": {"value": repr(opened)},
    }

    assert without_links(event) == {
        "request": {
            "cookies": {"mr_grant_secret": "…", "__Host-mr_used_secret": "…", "sessionid": "abc"},
            "headers": {"Cookie": "mr_grant_secret=…; mr_used_secret=…; a=b"},
        },
        "vars": {"value": "'…'"},
    }


def test_redacted_text_shows_itself_to_templates_alone():
    redacted = Redacted("the link")

    assert (f"{redacted}", repr(redacted), repr({"link": redacted})) == (
        "the link",
        "<Redacted>",
        "{'link': <Redacted>}",
    )
