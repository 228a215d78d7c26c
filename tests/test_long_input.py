"""
A megabyte where a stranger, or a file, may send it: an answer, and no work that grows with it.

Composing letters takes a time that grows with the square of the marks on one of them, so what reaches `normalize` is
counted in characters. No clock is asked.
"""

import io
import json
import unicodedata
from contextlib import suppress

import idna
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from tests.conftest import grant
from tests.member.conftest import SET, choose, path_of, token_of
from wagtail_member_reset import accounts, outbox, resets, tokens
from wagtail_member_reset.exceptions import ChoiceError
from wagtail_member_reset.mailing.files import read_file
from wagtail_member_reset.member.networks import network_of
from wagtail_member_reset.models import PasswordReset, ResetEmail, ResetRequest
from wagtail_member_reset.staff import desk

pytestmark = pytest.mark.django_db
MARKS = "\u0327\u0301"
MB = 1_000_000
HOSTILE = {
    "marks": "a" + MARKS * (MB // 2),
    "marks before an address": MARKS * (MB // 2) + "mia@members.example",
    "marks in a domain": "mia@" + "e" + MARKS * (MB // 2) + ".example",
    "one long ligature": "\ufdfa" * MB,
    "at signs": "@" * MB,
    "dots": "a." * (MB // 2) + "@" + "b." * (MB // 2),
    "nearly a token": ("0" * 39 + " ") * (MB // 40),
    "slashes": "/r/" * (MB // 3),
    "percent signs": "%25" * (MB // 3),
    "brackets": "<" * (MB // 2) + ">" * (MB // 2),
    "quotation marks": '"' * MB,
    "blanks": " " * MB + "x",
}
# The longest of what is read at all, a line of a file's worth of words, is folded piece by piece.
MOST_CHARACTERS = 10_000


class Spied:
    """How many characters were given to what composes letters: at most at once, and in all."""

    def __init__(self):
        self.most, self.all = 0, 0

    def on(self, function, text_at):
        def spied(*args, **kwargs):
            length = len(args[text_at])
            self.most, self.all = max(self.most, length), self.all + length
            # Not even called for what is too long: it would take half a minute.
            return function(*args, **kwargs) if length <= MOST_CHARACTERS else ""

        return spied


@pytest.fixture
def folded(monkeypatch):
    spied = Spied()
    monkeypatch.setattr(unicodedata, "normalize", spied.on(unicodedata.normalize, 1))
    monkeypatch.setattr(idna, "encode", spied.on(idna.encode, 0))
    yield spied
    assert spied.most <= MOST_CHARACTERS


@pytest.fixture(autouse=True)
def large_posts(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * MB
    settings.DEBUG = False


hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
# For whole requests, which take long to write.
WORST = ["marks", "one long ligature", "nearly a token"]
worst = pytest.mark.parametrize("text", [HOSTILE[name] for name in WORST], ids=WORST)


@worst
def test_request_page_writes_nothing_and_answers_as_ever(client, member, folded, text, django_assert_max_num_queries):
    usual = client.post("/account/password-reset/", {"email": "nobody@members.example"})
    before = ResetRequest.objects.count()

    with django_assert_max_num_queries(6):
        answer = client.post("/account/password-reset/", {"email": text, "other": text, text[:100]: "x"})

    assert (answer.status_code, answer.url) == (302, usual.url)
    assert ResetRequest.objects.count() == before


def test_request_page_refuses_more_fields_than_django_reads(client, member, folded):
    body = "&".join(f"email{number}=x" for number in range(200_000))

    answer = client.post("/account/password-reset/", body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 400
    assert not ResetRequest.objects.exists()


@worst
def test_link_is_damaged_without_a_query(client, folded, text, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/account/r/" + text)

    assert (answer.status_code, answer.url) == (302, SET)
    assert tokens.parse(text) is None


@hostile
@pytest.mark.parametrize("name", ["mr_grant_secret", "mr_used_secret"])
def test_cookie_is_none_of_ours_before_it_is_looked_at(monkeypatch, text, name):
    signers = []
    monkeypatch.setattr(tokens, "_signer", lambda *args: signers.append(args))

    assert (tokens.unseal(text), tokens.unseal_used(text), signers) == (None, None, [])


@worst
def test_password_is_refused_before_any_rule_of_the_site_reads_it(client, member, sent, folded, monkeypatch, text):
    client.get(path_of(reset := sent()))
    read = []
    monkeypatch.setattr("django.contrib.auth.password_validation.validate_password", lambda *args: read.append(args))
    before = member.password

    answer = choose(client, reset, text)

    member.refresh_from_db()
    reset.refresh_from_db()
    assert (answer.status_code, read, member.password, reset.state) == (200, [], before, "active")


def test_longest_password_that_is_read_meets_the_rules_in_bounded_pieces(client, member, sent, folded):
    client.get(path_of(reset := sent()))

    answer = choose(client, reset, ("a" + MARKS * 2048)[:4096])

    assert answer.status_code in (200, 302)


@worst
def test_form_names_a_link_of_any_length(client, member, sent, folded, text):
    client.get(path_of(reset := sent()))

    answer = client.post(SET, {"link": text, "new_password1": "a quiet harbour 7"})

    reset.refresh_from_db()
    assert (answer.context["problem"], reset.state) == ("other_link", "active")


@hostile
def test_headers_of_any_length_name_no_network(rf, settings, folded, text):
    settings.WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES = 1

    found = network_of(rf.get("/", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=text))

    assert found == "192.0.2.7"
    assert network_of(rf.get("/", REMOTE_ADDR=text)) == "unknown"


@pytest.mark.parametrize("name", ["HTTP_ACCEPT_LANGUAGE", "HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_COOKIE"])
@worst
def test_headers_of_any_length_get_the_page(client, folded, text, name):
    header = text.encode().decode("latin-1")  # as servers hand it over

    assert client.get("/account/password-reset/", **{name: header}).status_code == 200


@worst
def test_report_of_a_mail_service_is_kept_cut(client, member, mailoutbox, settings, folded, text):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:password"}
    resets.send(member, by=None)
    outbox.drain()
    email = ResetEmail.objects.get()
    told = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "ID": 1,
        "MessageID": str(email.public_id),
        "Metadata": {"mr": str(email.public_id)},
        "Email": member.email,
        "BouncedAt": "2026-11-23T12:00:00Z",
        "Description": text,
        "Details": text,
    }
    for recipient in (text, member.email):
        answer = client.post(
            "/anymail/postmark/tracking/",
            json.dumps({**told, "Email": recipient}),
            content_type="application/json",
            headers={"authorization": "Basic dXNlcjpwYXNzd29yZA=="},
        )
        assert answer.status_code == 200

    assert all(len(event.mta_response) <= 500 and len(event.description) <= 500 for event in email.events.all())
    assert folded.all <= MOST_CHARACTERS


@hostile
@pytest.mark.parametrize(
    "shape", ["{0}", "Name;Email\nMia;{0}\n", "Email,Name\n{0},Mia\n", '"{0}"\n"{0}"\n', "{0}\n{0}\n"]
)
def test_cells_of_a_file_are_read_in_bounded_pieces(member, folded, shape, text):
    with suppress(ChoiceError):
        read_file(io.BytesIO(shape.replace("{0}", text.replace("\n", "")).encode()))


@hostile
def test_column_that_a_file_should_have_may_be_of_any_length(member, folded, text):
    with pytest.raises(ChoiceError, match="has no column"):
        read_file(io.BytesIO(b"Email,Name\nmia@members.example,Mia\n"), column=text)


@worst
@pytest.mark.slow
def test_staff_search_reads_a_bounded_part(client, member, folded, text):
    client.force_login(grant(member, "access_admin", "send_passwordreset"))

    answer = client.get("/admin/member-reset/", {"q": text})

    assert answer.status_code == 200
    assert len(desk.words_of(text)) <= 10 * desk.LONGEST_SEARCH


@worst
def test_arguments_of_the_command_send_nothing(member, folded, text):
    for arguments in (["--ids", text], ["--group", text], ["--all", "--rate", text]):
        with suppress(CommandError):
            call_command("send_member_resets", *arguments, "--no-input")

    assert not PasswordReset.objects.exists()


@hostile
def test_addresses_of_any_length_have_no_key(folded, text):
    assert (accounts.address_key(text), accounts.accounts_by_address([text])) == ("", {})


@hostile
def test_addresses_as_long_as_they_may_be_are_folded_in_bounded_pieces(folded, text):
    accounts.address_key(text[:320])
    accounts.address_key("x@" + text[:253])


def test_spy_finds_what_is_not_bounded(monkeypatch):
    spied = Spied()
    monkeypatch.setattr(unicodedata, "normalize", spied.on(unicodedata.normalize, 1))

    unicodedata.normalize("NFKC", HOSTILE["marks"])

    assert spied.most == len(HOSTILE["marks"])


def test_token_of_a_member_is_still_read(sent, folded):
    assert tokens.parse(token_of(sent())) is not None


def test_uploaded_file_of_marks_is_answered(client, admin, folded):
    client.force_login(admin)
    file = SimpleUploadedFile("members.csv", ("Email\n" + HOSTILE["marks"] + "\n").encode())

    answer = client.post("/admin/member-reset/mailings/new/", {"name": "Renewal", "kind": "file", "file": file})

    assert answer.status_code in (200, 302)
