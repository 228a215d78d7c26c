"""docs/reference/python.md: each example runs, and each table says what the code says."""

import html
import re
from pathlib import Path

import pytest
from django.contrib.contenttypes.models import ContentType
from django.dispatch import Signal
from django.template import engines
from django.test import RequestFactory

import wagtail_member_reset
from tests.conftest import make_person
from tests.settings import ROOT
from wagtail_member_reset import outbox, resets, signals
from wagtail_member_reset.models import MailingState, Origin, PasswordReset, Purpose, ResetEmail

from . import public_api

PAGE = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
TEMPLATES = Path(wagtail_member_reset.__file__).with_name("templates") / "wagtail_member_reset"
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```\w+\n(.+?)```", PAGE, re.DOTALL))


def table(heading):
    """The rows of the first table below a heading."""
    below = PAGE.partition(f"{heading}\n")[2]
    return [line for line in below.partition("|---")[2].partition("\n\n")[0].splitlines()[1:] if line.startswith("| ")]


def run(name):
    namespace = {}
    exec(EXAMPLES[name], namespace)
    return namespace


def test_each_block_of_code_is_an_example_that_is_run():
    used = set(re.findall(r'run\("(\w+)"\)|EXAMPLES\["(\w+)"\]', Path(__file__).read_text("utf-8")))

    assert {first or second for first, second in used} == set(EXAMPLES)
    assert PAGE.count("```") == 2 * len(EXAMPLES)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("### One member: `wagtail_member_reset.resets`", "resets"),
        ("### Many members: `wagtail_member_reset.mailings`", "mailings"),
        ("### One person's data: `wagtail_member_reset.personal_data`", "personal_data"),
        ("### Errors", "errors"),
    ],
)
def test_public_api_is_what_the_page_says(heading, name):
    assert table(heading) == public_api.rows(name)


def test_import_script_creates_accounts_and_welcomes_them(db, by_hand, mailoutbox, capsys, django_user_model):
    welcome, extra = run("one")["welcome"], {}
    if django_user_model.USERNAME_FIELD != "email":
        extra = {"username": "ina"}

    member = welcome("ina@members.example", **extra)
    nobody = welcome("", **({"username": "nobody"} if extra else {}))
    outbox.drain()

    [email] = mailoutbox
    assert (email.to, member.has_usable_password()) == (["ina@members.example"], False)
    reset = PasswordReset.objects.get()
    assert (reset.member, reset.purpose, reset.origin) == (member, Purpose.WELCOME, Origin.IMPORT)
    assert nobody.pk
    assert "got no email: no_address" in capsys.readouterr().out


def test_example_of_where_a_member_stands(member, sent):
    has_got_in, reset = run("standing")["has_got_in"], sent()
    before = has_got_in(member)

    resets.redeem(resets.open(resets.link(reset).rstrip("/").rpartition("/")[2]), password="a brand new one 7")

    assert (before, has_got_in(member)) == (False, True)


def test_import_of_many_welcomes_them_by_a_mailing(db, by_hand, mailoutbox, capsys, django_user_model):
    rows = [{"email": f"m{number}@members.example"} for number in range(3)]
    if django_user_model.USERNAME_FIELD != "email":
        rows = [{**row, "username": row["email"].partition("@")[0]} for row in rows]

    mailing = run("many")["welcome_all"](rows, name="Spring intake")

    assert (mailing.name, mailing.chosen, mailing.state) == ("Spring intake", 3, MailingState.RUNNING)
    assert capsys.readouterr().out == "3 emails to 3 people\n"
    outbox.drain()
    assert set(PasswordReset.objects.values_list("purpose", flat=True)) == {Purpose.WELCOME}


# Signals.


@pytest.fixture(autouse=True)
def content_types_are_read_anew():
    """A test before may have committed, and what it emptied was made anew with other keys."""
    ContentType.objects.clear_cache()


@pytest.fixture
def heard():
    """What each of the signals was sent with, by its name."""
    found, receivers = {name: [] for name in signals.__all__}, []
    for name in signals.__all__:

        def hear(*, signal, name=name, **kwargs):
            found[name].append(kwargs)

        receivers.append((getattr(signals, name), hear))
        getattr(signals, name).connect(hear)
    yield found
    for signal, hear in receivers:
        signal.disconnect(hear)


def documented():
    rows = [re.match(r"\| `(\w+)` \| (.+?) \|", row) for row in table("## Signals")]
    return {row[1]: re.findall(r"`(\w+)`", row[2]) for row in rows}


def test_each_signal_is_on_the_page_and_no_other():
    assert sorted(documented()) == sorted(signals.__all__)
    assert all(isinstance(getattr(signals, name), Signal) for name in signals.__all__)


@pytest.mark.django_db(transaction=True)
def test_each_argument_of_a_signal_is_sent_as_the_page_says(heard, by_hand, mailoutbox):
    member = make_person("Mia", password="old password 1")
    reset = resets.send(member, by=None)
    outbox.drain()
    resets.redeem(resets.open(resets.link(reset).rstrip("/").rpartition("/")[2]), password="a brand new one 7")

    for name, arguments in documented().items():
        assert heard[name], name
        assert [sorted(kwargs) for kwargs in heard[name]] == [sorted(arguments)] * len(heard[name])
    [sent], [redeemed] = heard["reset_sent"], heard["reset_redeemed"]
    assert (sent["sender"], sent["reset"], type(sent["email"])) == (PasswordReset, reset, ResetEmail)
    assert (redeemed["sender"], redeemed["reset"], redeemed["member"]) == (PasswordReset, reset, member)
    assert (redeemed["mailed_to"], redeemed["was_shown"]) == ("mia@members.example", False)
    assert heard["delivery_changed"][0]["sender"] is ResetEmail
    assert isinstance(heard["delivery_changed"][0]["email"], ResetEmail)


@pytest.mark.django_db(transaction=True)
def test_request_of_a_visitor_sends_no_signal_before_its_email_has_left(heard, by_hand, mailoutbox):
    make_person("Mia", password="old password 1")

    resets.request("mia@members.example", network="203.0.113.7", site=None, language="en")
    outbox.drain()

    assert len(mailoutbox) == 1
    assert (heard["reset_sent"], bool(heard["delivery_changed"])) == ([], True)


@pytest.mark.django_db(transaction=True)
def test_receiver_of_the_page_hears_of_a_welcome(by_hand, capsys):
    receiver = run("signal")["note_first_sign_in"]
    member = make_person("Mia")
    try:
        reset = resets.send(member, by=None, purpose=Purpose.WELCOME)
        resets.redeem(resets.open(resets.link(reset).rstrip("/").rpartition("/")[2]), password="a brand new one 7")
    finally:
        signals.reset_redeemed.disconnect(receiver)

    assert capsys.readouterr().out == f"{member.pk} has chosen a first password\n"


# Templates.


def blocks_of(path):
    return re.findall(r"{% block (\w+) %}", path.read_text("utf-8"))


def test_each_block_that_the_page_names_exists_and_no_block_of_a_base_is_left_out():
    for row in table("## Templates"):
        name, blocks = re.match(r"\| `([\w/.]+)` \| (.+) \|", row).groups()
        own = [block for block in blocks_of(TEMPLATES / name) if name.endswith("base.html") or block not in PAGES_FILL]
        assert re.findall(r"`(\w+)`", blocks) == own, name


PAGES_FILL = ("title", "extra_head", "content")


def test_pages_and_emails_extend_their_base():
    for folder, base in (("member", "member/base.html"), ("emails", "emails/base.html")):
        pages = [path for path in (TEMPLATES / folder).glob("*.html") if blocks_of(path) and path.name != "base.html"]
        assert pages
        assert all(f'{{% extends "wagtail_member_reset/{base}" %}}' in path.read_text("utf-8") for path in pages)


def test_block_after_success_is_shown_to_who_has_set_a_password_and_to_nobody_else(
    client, member, sent, settings, tmp_path
):
    folder = tmp_path / "wagtail_member_reset" / "member"
    folder.mkdir(parents=True)
    (folder / "password_reset_complete.html").write_text(EXAMPLES["passkeys"])
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    reset = sent()
    before = client.get("/account/password-reset/complete/").content.decode()
    client.get("/account/r/" + resets.link(reset).rstrip("/").rpartition("/")[2])
    client.post("/account/password-reset/set/", {"link": reset.selector, "new_password1": "a quiet harbour 7"})

    after = client.get("/account/password-reset/complete/").content.decode()

    assert "add a passkey" not in before
    assert '<a href="/sign-in/?next=/account/passkeys/">' in after
    assert "<h1>Your password is saved</h1>" in after


def test_link_of_the_sign_in_page_hands_the_page_on(client, db):
    template = engines["django"].from_string(EXAMPLES["next"])
    link = template.render({"next": "/members/?page=2&x=ü"}, RequestFactory().get("/"))

    page = client.get(html.unescape(re.search(r'href="([^"]+)"', link)[1])).content.decode()

    assert 'name="next" value="/members/?page=2&amp;x=ü"' in page
