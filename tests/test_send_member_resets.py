"""The command for many members: what it says, what it sends, and how it ends."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, resets
from wagtail_member_reset.mailing import choose
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.management.commands import send_member_resets
from wagtail_member_reset.models import EmailState, Mailing, MailingState, Origin, PasswordReset, ResetEmail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


@pytest.fixture
def run():
    """Exit code, what went to standard output, and what was said beside it."""

    def call(*arguments):
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("send_member_resets", *arguments, "--no-input", stdout=out, stderr=err)
        except SystemExit as end:
            return end.code, out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    return call


def last(out):
    return json.loads(out.splitlines()[-1])


@pytest.fixture
def members():
    return {name: make_person(name) for name in ("Mia", "Ole", "Ida")}


def recipients(mailoutbox):
    return sorted(mail.to[0].partition("@")[0] for mail in mailoutbox)


def test_never_signed_in(run, members, admin, mailoutbox):
    type(admin).objects.filter(pk=admin.pk).update(last_login=timezone.now())

    code, out, _err = run("--never-signed-in", "--json")

    mailing = Mailing.objects.get()
    assert code == 0
    assert last(out) == {
        "chosen": 3,
        "sent": 3,
        "failed": 0,
        "skipped": {},
        "mailing": mailing.pk,
        "waiting": 0,
    }
    assert recipients(mailoutbox) == ["ida", "mia", "ole"]
    assert (mailing.origin, mailing.choice, mailing.state) == (
        Origin.IMPORT,
        {"kind": "never_signed_in"},
        MailingState.FINISHED,
    )


def test_never_signed_in_says_what_is_meant_and_leaves_out_who_has_set_a_password(run, members, mailoutbox):
    reset = resets.send(members["Mia"], by=None)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 7")

    _code, out, err = run("--never-signed-in", "--dry-run", "--json")

    assert "Everybody who has not got in yet: never signed in, and no password set by a link." in err
    assert last(out)["would_send"] == 2


def test_site_that_keeps_no_sign_in_is_told_so_in_one_line(run, members, monkeypatch):
    monkeypatch.setattr(choose, "keeps_last_login", lambda model: False)

    with pytest.raises(CommandError, match="last_login"):
        run("--never-signed-in", "--dry-run")


def test_group(run, members, mailoutbox):
    board, other = Group.objects.create(name="Board"), Group.objects.create(name="Juniors")
    members["Mia"].groups.add(board, other)
    members["Ole"].groups.add(other)

    assert run("--group", "Board", "--group", "Juniors")[0] == 0

    assert recipients(mailoutbox) == ["mia", "ole"]


def test_group_that_is_none_names_those_that_are(run, members, mailoutbox):
    with pytest.raises(CommandError, match=r"No group is called 'Bord'\. There is .*'Editors'"):
        run("--group", "Bord")

    assert not mailoutbox
    assert not Mailing.objects.exists()


def test_ids(run, members, mailoutbox):
    code, out, _err = run("--ids", f"{members['Mia'].pk},{members['Ida'].pk} {members['Mia'].pk}", "--json")

    assert (code, last(out)["chosen"]) == (0, 2)
    assert recipients(mailoutbox) == ["ida", "mia"]


def test_ids_that_nobody_has_are_counted(run, members, mailoutbox, django_user_model):
    key = str(members["Mia"].pk)
    nobody = "00000000-0000-4000-8000-000000000000" if "-" in key else "999999"

    code, out, _err = run("--ids", f"{key},{nobody}", "--json")

    assert (code, last(out)["chosen"], last(out)["sent"], last(out)["skipped"]) == (0, 2, 1, {"gone": 1})


def test_what_is_no_id_is_refused(run, members, mailoutbox):
    with pytest.raises(CommandError, match="'me' is no id of an account"):
        run("--ids", "me")

    assert not mailoutbox


def test_all(run, members, mailoutbox):
    assert run("--all")[0] == 0

    assert recipients(mailoutbox) == ["ida", "mia", "ole"]


def test_csv(run, members, mailoutbox, tmp_path):
    file = tmp_path / "members.csv"
    file.write_text("name,email\nMia,MIA@members.example\nNobody,nobody@members.example\nIda,ida@members.example\n")

    code, out, err = run("--csv", str(file), "--json")

    assert (code, last(out)["chosen"], last(out)["sent"]) == (0, 2, 2)
    assert recipients(mailoutbox) == ["ida", "mia"]
    assert "Who is meant: column 2, 'email': MIA@members.example, nobody@members.example, ida@members.example" in err
    assert "Lines: 3. Accounts: 2. Not matched: 1." in err
    assert "line 3: 'nobody@members.example': No account has this address" in err


def test_column_of_a_csv_is_told_by_its_name_or_number(run, members, mailoutbox, tmp_path):
    file = tmp_path / "members.csv"
    file.write_text("Email,Guardian\nmia@members.example,ole@members.example\n")

    _code, _out, err = run("--csv", str(file), "--dry-run")
    assert "or, with --column 2: 2, 'Guardian'; accounts: 1" in err
    run("--csv", str(file), "--column", "guardian")
    assert recipients(mailoutbox) == ["ole"]
    run("--csv", str(file), "--column", "1")

    assert recipients(mailoutbox) == ["mia", "ole"]
    with pytest.raises(CommandError, match=r"no column Phone\. It has: 1 Email, 2 Guardian\."):
        run("--csv", str(file), "--column", "Phone")


def test_csv_whose_only_match_is_about_somebody_else_is_refused_until_it_is_chosen(run, members, mailoutbox, tmp_path):
    file = tmp_path / "members.csv"
    file.write_text("Name,Guardian email\nIda,ole@members.example\n")

    with pytest.raises(CommandError, match="choose by --column"):
        run("--csv", str(file))
    assert recipients(mailoutbox) == []
    run("--csv", str(file), "--column", "Guardian email")

    assert recipients(mailoutbox) == ["ole"]


def test_csv_holds_back_who_manages_users_until_asked_for(run, members, admin, mailoutbox, tmp_path):
    file = tmp_path / "members.csv"
    file.write_text(f"Email\nmia@members.example\n{admin.email}\n")

    _code, _out, err = run("--csv", str(file))
    assert "Held back: 1, superusers and people who may manage users: add --include-admins." in err
    assert recipients(mailoutbox) == ["mia"]
    _code, _out, err = run("--csv", str(file), "--include-admins")

    assert recipients(mailoutbox) == ["ana", "mia"]
    assert "of the emails: 1 to people with access to the admin" in err


def test_csv_mails_each_who_shares_an_address_only_when_asked_to(run, django_user_model, mailoutbox, tmp_path):
    if django_user_model.USERNAME_FIELD == "email":
        pytest.skip("this model has each address once")
    for name in ("Kim", "Lou"):
        make_person(name, email="both@members.example", username=name.lower())
    file = tmp_path / "members.csv"
    file.write_text("Email\nboth@members.example\n")

    _code, _out, err = run("--csv", str(file))
    assert "Lines that may mean more than one account: 1." in err
    assert "line 2: 'both@members.example': kim, lou" in err
    assert mailoutbox == []
    run("--csv", str(file), "--email-each")

    assert recipients(mailoutbox) == ["both", "both"]


def test_csv_from_the_standard_input_whose_encoding_is_not_known(run, members, mailoutbox, monkeypatch):
    data = "Name;Email\nJörg;jörg@members.example\nMia;mia@members.example\n".encode("mac_roman")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    _code, _out, err = run("--csv", "-")

    assert "The file’s encoding is not known" in err
    assert "It has characters that could not be read" in err
    assert recipients(mailoutbox) == ["mia"]


@pytest.mark.parametrize("option", [["--column", "2"], ["--email-each"], ["--include-admins"]])
def test_options_about_a_file_want_a_file(run, members, mailoutbox, option):
    with pytest.raises(CommandError, match="add --csv FILE"):
        run("--all", *option)

    assert mailoutbox == []


def test_csv_that_is_not_there_is_refused(run, members):
    with pytest.raises(CommandError, match=r"nowhere\.csv cannot be read: No such file"):
        run("--csv", "nowhere.csv")


def test_dry_run_says_what_would_be_done_and_does_nothing(run, members, mailoutbox):
    make_person("Nowhere", email="")

    code, out, err = run("--never-signed-in", "--dry-run", "--json")

    assert code == 0
    assert last(out) == {
        "chosen": 4,
        "sent": 0,
        "failed": 0,
        "skipped": {"no_address": 1},
        "mailing": None,
        "would_send": 3,
    }
    assert "not mailed: 1: No email address" in err
    assert not mailoutbox
    assert not Mailing.objects.exists()
    assert not PasswordReset.objects.exists()


@pytest.mark.parametrize("choice", [[], ["--all", "--never-signed-in"], ["--ids", "1", "--group", "x"]])
def test_one_way_of_choosing_is_asked_for(run, choice):
    with pytest.raises(CommandError):
        run(*choice)


@pytest.mark.parametrize("rate", ["fast", "0/hour", "-5/hour", "10/fortnight", "10", ""])
def test_rate_that_is_none_is_refused(run, members, mailoutbox, rate):
    with pytest.raises(CommandError, match="is no rate"):
        run("--all", f"--rate={rate}")

    assert not mailoutbox


@pytest.mark.parametrize(("text", "per_hour"), [("2000/hour", 2000), ("30/min", 1800), ("1/s", 3600), ("5/h", 5)])
def test_rates(text, per_hour):
    assert send_member_resets.rate(text) == per_hour


def test_nobody_there_to_be_asked_is_a_refusal(members, mailoutbox, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="--no-input"):
        call_command("send_member_resets", "--all", stderr=io.StringIO())

    assert not mailoutbox


@pytest.mark.parametrize(("answer", "sent"), [("y", 3), ("", 0), ("n", 0)])
def test_asks_before_it_sends(members, mailoutbox, monkeypatch, answer, sent):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    asked = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or answer)

    expected = nullcontext() if sent else pytest.raises(CommandError, match="Nothing was sent")
    with expected:
        call_command("send_member_resets", "--all", stdout=io.StringIO(), stderr=io.StringIO())

    assert asked == ["Send 3 emails? [y/N] "]
    assert len(mailoutbox) == sent


def test_mails_that_failed_end_with_another_code(run, members, mailoutbox, monkeypatch):
    from smtplib import SMTPRecipientsRefused

    from django.core.mail.backends.locmem import EmailBackend

    def refuse(backend, messages):
        raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"no such user")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)

    code, out, _err = run("--all", "--json")

    assert code == 3
    assert (last(out)["sent"], last(out)["failed"]) == (0, 3)


def test_background_leaves_the_sending_to_others(run, members, mailoutbox):
    code, out, _err = run("--all", "--background", "--json")

    assert (code, last(out)["sent"], last(out)["waiting"]) == (0, 0, 3)
    assert not mailoutbox
    call_command("deliver_member_resets", stdout=io.StringIO())
    assert len(mailoutbox) == 3


def test_resume_goes_on_with_a_mailing_that_was_left(run, members, mailoutbox):
    run("--all", "--background")
    mailing = Mailing.objects.get()

    code, out, _err = run("--resume", str(mailing.pk), "--json")

    assert (code, last(out)["sent"], last(out)["mailing"]) == (0, 3, mailing.pk)


def test_resume_of_a_finished_mailing_changes_nothing(run, members, mailoutbox):
    run("--all")
    mailing = Mailing.objects.get()

    code, out, _err = run("--resume", str(mailing.pk), "--json")

    assert (code, last(out)["sent"]) == (0, 3)
    assert len(mailoutbox) == 3


@pytest.mark.parametrize("beside", [["--dry-run"], ["--again"], ["--rate", "60/hour"]])
def test_resume_takes_nothing_that_it_would_not_heed(run, members, mailoutbox, beside):
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None)
    mailings.start(mailing)

    with pytest.raises(CommandError, match="leave out --dry-run"):
        run("--resume", str(mailing.pk), *beside)

    assert not mailoutbox


def test_resume_of_a_choice_that_the_admin_alone_knows_is_refused(run, members, mailoutbox):
    mailing = mailings.draft(Choice(kind=Kind.LISTING, query="q=mia"), by=None)

    with pytest.raises(CommandError, match="from the admin alone"):
        run("--resume", str(mailing.pk))

    mailing.refresh_from_db()
    assert mailing.state == MailingState.DRAFT


def test_id_written_twice_is_one(run, members, mailoutbox):
    key = str(members["Mia"].pk)
    other = key.upper() if "-" in key else f"0{key}"

    code, out, _err = run("--ids", f"{key},{other}", "--json")

    assert (code, last(out)["chosen"], last(out)["skipped"]) == (0, 1, {})


def test_resume_of_a_mailing_that_is_none_is_refused(run):
    with pytest.raises(CommandError, match="There is no mailing 77"):
        run("--resume", "77")


def test_no_token_is_said(run, members, mailoutbox):
    _code, out, err = run("--all")

    for mail in mailoutbox:
        token = next(line for line in mail.body.splitlines() if "/account/r/" in line).rpartition("/r/")[2].strip("/")
        assert token not in out + err


@pytest.fixture
def process(tmp_path):
    """The command in a process of its own, on this test's database, with a file for each mail."""

    def start(*arguments, pause=0.0, delivery="command"):
        environment = {
            **os.environ,
            "SITE_DATABASE": str(connection.settings_dict["NAME"]),
            "SITE_INBOX": str(tmp_path),
            "SITE_PAUSE": str(pause),
            "SITE_DELIVERY": delivery,
        }
        command = [sys.executable, "-m", "tests.slow_site", *arguments, "--no-input", "--json"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def mails_in(tmp_path):
    """The backend keeps a file for each connection, with a line between two mails."""
    texts = [path.read_text() for path in tmp_path.iterdir() if path.suffix == ".log"]
    return [mail for text in texts for mail in text.split("-" * 79 + "\n") if "Message-ID: " in mail]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_interrupted_mailing_goes_on_where_it_stopped_and_mails_nobody_twice(process, tmp_path):
    for number in range(40):
        make_person(f"Member{number}")

    first = process("--never-signed-in", pause=0.1)
    wait_for(lambda: len(mails_in(tmp_path)) >= 5)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    said = last(out)
    assert 5 <= said["sent"] < 40
    assert Mailing.objects.get().state == MailingState.PAUSED
    assert len(mails_in(tmp_path)) == said["sent"]

    second = process("--resume", str(said["mailing"]))
    out, err = second.communicate(timeout=60)

    assert second.returncode == 0, err
    assert last(out)["sent"] == 40
    to = [line for mail in mails_in(tmp_path) for line in mail.splitlines() if line.startswith("To: ")]
    assert (len(to), len(set(to))) == (40, 40)
    assert ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() == 40


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_killed_mailing_loses_nobody_and_doubles_no_more_than_was_in_flight(process, tmp_path):
    for number in range(60):
        make_person(f"Member{number}")

    first = process("--never-signed-in", pause=0.05)
    wait_for(lambda: ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() >= 10)
    first.kill()
    first.communicate(timeout=60)
    before = len(mails_in(tmp_path))
    recorded = ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count()
    mailing = Mailing.objects.get()
    assert mailing.state == MailingState.RUNNING
    # What the dead worker had claimed is free when its lease is over.
    from django.utils import timezone

    ResetEmail.objects.filter(state=EmailState.SENDING).update(lease_until=timezone.now())

    second = process("--resume", str(mailing.pk))
    out, err = second.communicate(timeout=60)

    assert second.returncode == 0, err
    assert last(out)["sent"] == 60
    mails = mails_in(tmp_path)
    to = [next(line for line in mail.splitlines() if line.startswith("To: ")) for mail in mails]
    ids = {next(line for line in mail.splitlines() if line.startswith("Message-ID: ")) for mail in mails}
    assert len(set(to)) == len(ids) == 60  # nobody lost, and who got it twice got the same
    assert len(to) - 60 <= before - recorded <= 25 + 4


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_mailing_of_a_web_process_that_was_killed_goes_on_with_the_first_request_after_it(process, tmp_path):
    """Without an engine, a command or a sweeper: the thread of one process, then that of the next."""
    from django.utils import timezone

    for number in range(60):
        make_person(f"Member{number}")
    first = process("--never-signed-in", "--background", pause=0.05, delivery="auto")
    wait_for(lambda: ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() >= 10)
    first.kill()
    first.communicate(timeout=60)
    assert Mailing.objects.get().state == MailingState.RUNNING
    ResetEmail.objects.filter(state=EmailState.SENDING).update(lease_until=timezone.now())

    _out, err = process("first-request", delivery="auto").communicate(timeout=60)

    mailing = Mailing.objects.get()
    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 60, 0), err
    mails = mails_in(tmp_path)
    ids = {next(line for line in mail.splitlines() if line.startswith("Message-ID: ")) for mail in mails}
    assert (len(ids), len(mails) - 60 <= 25 + 4) == (60, True)
