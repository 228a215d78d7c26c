"""What logs and error reports say of a link, whatever goes wrong while it is opened."""

import copy
import io
import logging
import logging.config
import sys
from collections import namedtuple
from unittest import mock

import pytest
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter

from tests.staff.pages import FETCH
from wagtail_member_reset import outbox, redact, resets
from wagtail_member_reset.redact import CUT_OFF, LONGEST_TEXT, WithoutLinks

from .conftest import SET, choose, path_of, token_of

Seen = namedtuple("Seen", "first last")


class Trouble:
    """A middleware that fails as the header says, with the address in what it says."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        kinds = {"403": PermissionDenied, "404": Http404, "500": ConnectionError}
        if kind := kinds.get(request.headers.get("x-trouble")):
            raise kind(f"no answer for {request.path}")
        return self.get_response(request)


@pytest.fixture
def site(settings):
    settings.MIDDLEWARE = [f"{__name__}.{Trouble.__qualname__}", *settings.MIDDLEWARE]
    settings.ADMINS = [("Ana", "ana@club.example")] if not hasattr(settings, "MAILERS") else ["ana@club.example"]
    return Client(raise_request_exception=False)


@pytest.fixture
def said():
    """All that handlers of a site write: plain text, all that a record has, and what administrators are mailed."""
    written = []

    class Everything(logging.Handler):
        def emit(self, record):
            written.append(logging.Formatter("%(name)s %(message)s").format(copy.copy(record)))
            written.append(repr({name: str(value) for name, value in vars(record).items()}))

    class Mails(AdminEmailHandler):
        def send_mail(self, subject, message, *args, html_message=None, **kwargs):
            written.extend([subject, message, html_message])

    mails = Mails(include_html=True)
    mails.setLevel(logging.WARNING)
    handlers = [Everything(), mails]
    names = ["", *(name for name in logging.root.manager.loggerDict if name.startswith(("django", "wagtail_member")))]
    loggers = [logging.getLogger(name) for name in names]
    before = [(each, each.level, each.propagate, each.handlers) for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
        each.propagate, each.handlers = False, handlers
    yield written
    for each, level, propagate, old in before:
        each.setLevel(level)
        each.propagate, each.handlers = propagate, old


def is_in(token, written):
    text = "\n".join(filter(None, written))
    return token in text or token[12:38] in text


TROUBLES = {
    "server error": {"headers": {"x-trouble": "500"}},
    "refused": {"headers": {"x-trouble": "403"}},
    "not found": {"headers": {"x-trouble": "404"}},
    "wrong host": {"headers": {"host": "evil_host"}},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_no_logger_tells_the_link_whatever_fails_before_our_view(site, sent, said, settings, trouble):
    settings.ALLOWED_HOSTS = ["testserver"]
    token, path = token_of(reset := sent()), path_of(reset)
    said.clear()

    answer = site.get(path, **trouble)

    assert answer.status_code >= 400
    assert any("/account/r/…" in text for text in said if text)
    assert not is_in(token, said)


def test_administrators_still_read_where_it_failed(site, sent, said):
    path = path_of(sent())
    said.clear()

    site.get(path, headers={"x-trouble": "500"})

    mails = [text for text in said if text and text.startswith("Internal Server Error")]
    assert mails
    assert all("in __call__" in mail and "no answer for /account/r/…" in mail for mail in mails)


def test_address_that_leads_nowhere_is_logged_without_the_link(site, sent, said, settings):
    token = token_of(sent())
    said.clear()

    for address in (f"/nowhere/r/{token}/", f"/nowhere/{token.upper()}/"):
        assert site.get(address).status_code == 404

    assert any("Not Found: /nowhere/" in text for text in said if text)
    assert not is_in(token, said)
    assert not is_in(token.upper(), said)


def test_whole_story_leaves_no_token_in_any_log(client, admin, member, said, mailoutbox):
    """With Django's own loggers at DEBUG: templates say what they were given, databases what they are asked."""
    client.force_login(admin)
    with CaptureQueriesContext(connection):  # so that they are logged
        reset = resets.send(member, by=admin)
        token = token_of(reset)
        outbox.drain()
        panel = client.get(f"/admin/member-reset/{member.pk}/", **FETCH)
        client.get(path_of(reset))
        grant = client.cookies["mr_grant_secret"].value
        client.get(SET)
        choose(client, reset, "short")
        choose(client, reset)

    assert token in panel.content.decode()
    assert any(text.startswith("django.db.backends") for text in said if text)
    assert not is_in(token, said)
    assert not any(grant in text for text in said if text)


def report_of(client, ask):
    """Django's own report of the error in which a request ends, with the variables of every frame."""
    reports = []

    def keep(sender, request, **kwargs):
        reporter = ExceptionReporter(request, *sys.exc_info(), is_email=True)
        reports.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    got_request_exception.connect(keep)
    client.raise_request_exception = False
    try:
        ask()
    finally:
        got_request_exception.disconnect(keep)
    return reports


def test_cookies_of_a_link_are_hidden_in_djangos_reports(client, sent, settings):
    settings.MIDDLEWARE = [f"{__name__}.{Trouble.__qualname__}", *settings.MIDDLEWARE]
    reset = sent()
    client.get(path_of(reset))
    grant = client.cookies["mr_grant_secret"].value

    opened = report_of(client, lambda: client.get("/", headers={"x-trouble": "500"}))
    choose(client, reset)
    used = client.cookies["mr_used_secret"].value
    done = report_of(client, lambda: client.get("/", headers={"x-trouble": "500"}))

    assert all("mr_grant_secret" in report for report in opened)
    assert not any(grant in report or used in report for report in opened + done)


STAFF = {
    "looked": ("get", "", {}),
    "revealed": ("post", "link/", {}),
    "sent": ("post", "send/", {"effect": "same_link"}),
    "ended": ("post", "cancel/", {}),
}


@pytest.mark.parametrize("where", ["wagtail_member_reset.staff.views.render", "wagtail_member_reset.resets.letter"])
@pytest.mark.parametrize("way", STAFF.values(), ids=STAFF)
def test_report_of_a_failing_panel_has_no_link(client, admin, member, sent, where, way):
    token, (method, path, data) = token_of(sent()), way
    client.force_login(admin)

    with mock.patch(where, side_effect=ConnectionError("no")):
        found = report_of(
            client, lambda: getattr(client, method)(f"/admin/member-reset/{member.pk}/{path}", data, **FETCH)
        )

    assert found
    assert not is_in(token, found)


def test_report_of_a_failing_edit_view_has_no_link(client, admin, member, sent):
    token = token_of(sent())
    client.force_login(admin)

    with mock.patch("wagtail_member_reset.staff.panel._mailto", side_effect=ConnectionError("no")):
        found = report_of(client, lambda: client.get(f"/admin/users/edit/{member.pk}/"))

    assert found
    assert not is_in(token, found)


def record(msg, args=(), **more):
    made = logging.makeLogRecord({"name": "some.access", "msg": msg, "args": args, **more})
    assert WithoutLinks().filter(made)
    return made


@pytest.fixture
def token(sent):
    return token_of(sent())


@pytest.mark.parametrize(
    "name", ["django.request", "django.security.RequestDataTooBig", "gunicorn.access", "uvicorn.access"]
)
def test_loggers_of_django_and_of_servers_have_the_filter_by_themselves(name, token):
    made = logging.makeLogRecord({"msg": "%s", "args": (f"GET /account/r/{token} HTTP/1.1",)})

    assert all(each.filter(made) for each in logging.getLogger(name).filters)
    assert made.getMessage() == "GET /account/r/… HTTP/1.1"


def test_filter_keeps_the_parts_of_a_message_apart(token):
    made = record('"%s" %s %s', (f"GET /account/r/{token} HTTP/1.1", 302, "-"), path=f"/account/r/{token}", size=5)

    assert (made.msg, made.args) == ('"%s" %s %s', ("GET /account/r/… HTTP/1.1", 302, "-"))
    assert (made.path, made.size) == ("/account/r/…", 5)


def test_filter_reads_arguments_that_are_no_text(token):
    class Atoms(dict):
        """As Gunicorn has them: what is missing is a dash."""

        def __missing__(self, key):
            return "-"

    request = mock.Mock(__str__=lambda self: f"<GET /account/r/{token} >")

    assert record("%s failed", (request,)).getMessage() == "<GET /account/r/… > failed"
    assert record("%(r)s %(x)s", Atoms(r=f"GET /account/r/{token} HTTP/1.1")).getMessage() == (
        "GET /account/r/… HTTP/1.1 -"
    )
    assert record("%(r)s %(x)s", Atoms(r="GET / HTTP/1.1")).getMessage() == "GET / HTTP/1.1 -"
    assert record(ConnectionError(f"https://club.example/account/r/{token}")).getMessage() == (
        "https://club.example/account/r/…"
    )


def test_filter_leaves_alone_what_has_no_link():
    error = ConnectionError("no answer")
    info = (ConnectionError, error, None)

    made = record("%s of %d", ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", 3), exc_info=info)

    assert (made.getMessage(), made.exc_info) == ("4b825dc642cb6eb9a060e54bf8d69288fbee4904 of 3", info)


def test_wrong_arguments_stay_the_fault_of_who_logged_them(token):
    made = record("%s %s", (token,))

    assert (made.msg, made.args) == ("%s %s", ("…",))
    with pytest.raises(TypeError):
        made.getMessage()


def test_error_without_a_link_is_left_to_the_sites_own_formatter():
    made = record("%s", ("failed",), exc_info=(ConnectionError, ConnectionError("no answer"), None))

    assert made.exc_text is None


@pytest.mark.parametrize(
    "spelling", ["/account%2Fr%2F{}", "/login/?next=%2Faccount%2fr%2F{}", "/go?to=%252Faccount%252Fr%252F{}"]
)
def test_link_in_an_address_that_was_encoded_is_taken_out(token, spelling):
    for text in (token, token.upper(), token[:30]):
        assert text not in record("GET %s", (spelling.format(text),)).getMessage()


@pytest.mark.parametrize("spelling", ["{} ", "next%3D{}", "{}%20", "x {}"])
def test_token_is_taken_out_however_it_is_spelt(token, spelling):
    lookalike = token.replace("0", "o").replace("1", "l")
    wrapped = token[:20] + "=\r\n" + token[20:]

    for text in (token, token.upper(), lookalike, wrapped):
        assert text not in record("%s", (spelling.format(text),)).getMessage()


def test_text_is_cut_where_it_leaves_no_part_of_a_token(token):
    for length in range(LONGEST_TEXT - 50, LONGEST_TEXT + 200, 7):
        said = record("%s", ("x" * (length - 1) + " " + token + " x" * 200,)).getMessage()

        assert token[:8] not in said


@pytest.mark.django_db
def test_request_with_long_headers_is_cut_and_not_looked_through(client, monkeypatch):
    read = []
    whole = redact.blank_out_readable
    monkeypatch.setattr(redact, "blank_out_readable", lambda text: (read.append(len(text)), whole(text))[1])

    answer = client.get("/no-such-page/", **{f"HTTP_X_{number}": "0 " * 4000 for number in range(98)})

    assert answer.status_code == 404
    assert sum(read) < 10 * LONGEST_TEXT


def test_named_tuple_stays_one(token):
    made = record("%s", (Seen("/account/", f"/account/r/{token}"),))

    assert made.getMessage() == "Seen(first='/account/', last='/account/r/…')"


def test_record_that_cannot_be_looked_through_is_withheld():
    class Broken(dict):
        def items(self):
            raise RuntimeError

    made = record("%s", (Broken(a=1),))

    assert made.getMessage() == "A record was withheld: RuntimeError"


def test_filter_reads_no_more_than_a_bounded_part(monkeypatch):
    read = []
    whole = redact.blank_out_readable
    monkeypatch.setattr(redact, "blank_out_readable", lambda text: (read.append(len(text)), whole(text))[1])

    record("%s", ("x" * 1_000_000,))

    assert max(read) <= LONGEST_TEXT + CUT_OFF


def test_site_switches_it_on_for_a_handler_of_its_own(token):
    stream = io.StringIO()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"without_links": {"()": "wagtail_member_reset.redact.WithoutLinks"}},
            "handlers": {"own": {"class": "logging.StreamHandler", "stream": stream, "filters": ["without_links"]}},
            "loggers": {"club.pages": {"handlers": ["own"], "level": "INFO"}},
        }
    )

    logging.getLogger("club.pages").info("seen: /account/r/%s", token)

    assert stream.getvalue() == "seen: /account/r/…\n"
