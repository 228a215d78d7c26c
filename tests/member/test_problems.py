"""The pages for links that open nothing: each says what happened, and how to get a new one."""

import html
import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string

from tests.conftest import grant
from wagtail_member_reset import resets
from wagtail_member_reset.exceptions import LinkProblem

from .conftest import SET, choose, path_of, state_of, url


def expired(client, reset, later):
    later(timedelta(days=8))


def superseded(client, reset, later):
    resets.rotate(reset.member, by=None)


def used(client, reset, later):
    resets.redeem(resets.open(path_of(reset)), password="a quiet harbour 7")


def revoked(client, reset, later):
    resets.revoke(reset, by=None)


def deactivated(client, reset, later):
    type(reset.member).objects.filter(pk=reset.member_id).update(is_active=False)


def readdressed(client, reset, later):
    type(reset.member).objects.filter(pk=reset.member_id).update(email="mia@elsewhere.example")


def password_changed(client, reset, later):
    reset.member.set_password("changed by other means")
    reset.member.save()


def deleted(client, reset, later):
    reset.member.delete()


def given_rights(client, reset, later):
    resets.note_shown(reset, by=reset.issued_by)
    grant(reset.member, "delete_site")


ENDS = {
    expired: ("expired", "This link has expired"),
    superseded: ("superseded", "A newer link has replaced this one"),
    used: ("used", "This link was already used"),
    revoked: ("revoked", "This link no longer works"),
    deactivated: ("revoked", "This link no longer works"),
    readdressed: ("revoked", "This link no longer works"),
    given_rights: ("rights_gained", "You need a new link"),
    password_changed: ("revoked", "This link no longer works"),
    deleted: ("unknown", "This link cannot be used"),
}


@pytest.mark.parametrize(("end", "told"), ENDS.items(), ids=[end.__name__ for end in ENDS])
def test_page_says_what_became_of_the_link(client, sent, later, end, told):
    reset = sent()
    path = path_of(reset)
    end(client, reset, later)

    response = client.get(path, follow=True)

    page = html.unescape(response.content.decode())
    assert response.status_code == 200
    assert (response.context["problem"], re.search("<h1>(.*)</h1>", page)[1]) == told
    assert f"<title>{told[1]} – Example Club</title>" in page
    assert "Nothing was changed" in page
    assert f'<form action="{url("password_reset")}" method="post">' in page
    assert "mia@" not in page


# Of the other two, a deleted member has nothing to change, and test_set.py has the form sent too late.
@pytest.mark.parametrize("end", [end for end in ENDS if end not in (deleted, expired)], ids=lambda end: end.__name__)
def test_form_opened_before_the_end_is_refused(client, sent, later, end):
    reset = sent()
    client.get(path_of(reset))
    assert client.get(SET).context["reset"] == reset
    end(client, reset, later)
    before = state_of(reset.member)[0]

    response = choose(client, reset, "the late one 99")

    assert response.context["problem"] == ENDS[end][0]
    assert state_of(reset.member)[0] == before
    assert not reset.member.check_password("the late one 99")


def test_link_of_a_deactivated_member_stays_dead_when_the_account_comes_back(client, sent, member, later):
    reset = sent()
    path = path_of(reset)
    deactivated(client, reset, later)
    client.get(path, follow=True)
    type(member).objects.update(is_active=True)

    response = client.get(path, follow=True)

    assert response.context["problem"] == "revoked"


def test_page_without_a_cookie_explains_cookies(client, db):
    page = client.get(SET).content.decode()

    assert "<h1>Please open the link again</h1>" in page
    assert "30\xa0minutes" in page
    assert "cookies" in page


def test_page_of_a_damaged_link_says_how_to_repair_it(client, db):
    page = client.get("/account/r/abc", follow=True).content.decode()

    assert "<h1>This link is damaged</h1>" in page
    assert "Copy the whole link" in page


def test_page_of_a_used_link_leads_to_the_way_in(client, sent, later, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/members/enter/"
    reset = sent()
    path = path_of(reset)
    used(client, reset, later)

    page = client.get(path, follow=True).content.decode()

    assert '<a class="mr-button" href="/members/enter/">Sign in</a>' in page


def test_every_problem_has_a_title_of_its_own():
    problems = [*(problem.value for problem in LinkProblem), "no_grant"]

    titles = {render_to_string("wagtail_member_reset/member/problem_title.html", {"problem": p}) for p in problems}

    assert len(titles) == len(problems)


def test_new_link_can_be_asked_for_in_place(client, sent, later, member):
    reset = sent()
    path = path_of(reset)
    expired(client, reset, later)
    page = client.get(path, follow=True).content.decode()
    action = re.search('<form action="([^"]+)"', page)[1]

    response = client.post(action, {"email": "mia@members.example"})

    assert response.url == url("password_reset_done")
