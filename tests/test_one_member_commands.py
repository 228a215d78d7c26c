"""export_member_resets and erase_member_resets: one member, named by username, address or key."""

import json
import stat
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset.models import EmailState, PasswordReset, ResetEmail

pytestmark = pytest.mark.django_db


def run(name, *args, **options):
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def exported(*args):
    return json.loads(run("export_member_resets", *args))["person"]["id"]


def test_member_is_named_by_username_by_address_or_by_key(member, sent):
    sent()

    found = [exported(member.get_username()), exported("MIA@members.example"), exported("--id", str(member.pk))]

    assert found == [str(member.pk)] * 3


def test_several_with_the_address_are_refused_with_their_list(member, sent):
    if member._meta.get_field("email").unique:
        pytest.skip("addresses are unique")
    sent()
    other = make_person("Max", email=member.email)

    with pytest.raises(CommandError) as refused:
        run("erase_member_resets", member.email, "--no-input")

    lines = str(refused.value).splitlines()
    assert lines[0] == "2 accounts may be meant. Nothing was done. Say which:"
    assert lines[1:] == [f"  --id {each.pk}  {each.get_username()}" for each in (member, other)]
    assert PasswordReset.objects.exists()


def test_username_of_one_that_is_the_address_of_another_is_refused(member):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("usernames are addresses")
    make_person("Max", username=member.email)

    with pytest.raises(CommandError, match="2 accounts may be meant"):
        exported(member.email)


@pytest.mark.parametrize("args", [["nobody"], ["no@body.example"], ["--id", "x\0"], ["--id", "9" * 30]])
def test_nobody_is_said(member, args):
    with pytest.raises(CommandError, match=r"There is no such account\. Nothing was done\."):
        exported(*args)


def test_file_is_new_and_for_its_owner_alone(member, tmp_path):
    path = tmp_path / "mia.json"

    run("export_member_resets", member.get_username(), "-o", str(path))

    assert json.loads(path.read_text())["person"]["id"] == str(member.pk)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="The file was not written"):
        run("export_member_resets", member.get_username(), "-o", str(path))


def test_erasure_asks_before(member, sent, monkeypatch):
    sent()
    monkeypatch.setattr("sys.stdin", StringIO())

    with pytest.raises(CommandError, match="add --no-input"):
        run("erase_member_resets", member.get_username())

    assert PasswordReset.objects.exists()


@pytest.mark.parametrize(("answer", "is_done"), [("", False), ("n", False), ("y", True)])
def test_erasure_does_what_it_is_told(member, sent, monkeypatch, answer, is_done):
    sent()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda asked: answer)

    try:
        said = run("erase_member_resets", member.get_username())
    except CommandError as refused:
        said = str(refused)

    assert said.strip() == ("Erased." if is_done else "Nothing was erased.")
    assert PasswordReset.objects.exists() is not is_done


def test_erasure_under_way_is_refused_with_what_to_do(member, sent):
    sent()
    ResetEmail.objects.update(state=EmailState.SENDING, lease_until=timezone.now() + timedelta(minutes=1))

    with pytest.raises(CommandError, match="try again in a minute"):
        run("erase_member_resets", member.get_username(), "--no-input")

    assert PasswordReset.objects.exists()
