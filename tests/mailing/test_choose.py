"""Files that name members, as offices have them; and choices that are kept with a mailing."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.exceptions import ChoiceError
from wagtail_member_reset.mailing import choose, files
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, ResetEmail

pytestmark = pytest.mark.django_db


def chosen(text):
    found = files.read_file(text if isinstance(text, bytes) else text.encode())
    return [get_user_model().objects.get(pk=key).email for key in found.ids], found.unmatched


@pytest.fixture
def people():
    """Three members, one with letters that encodings differ about."""
    for name, email in (("Mia", "mia@club.example"), ("Ole", "ole@club.example"), ("Jörg", "jörg@club.example")):
        make_person(name, email=email)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "windows-1252"], ids=lambda encoding: encoding
)
def test_encodings_that_spreadsheets_write_are_read(people, encoding):
    text = "Vorname;E-Mail\r\nJörg;jörg@club.example\r\nMia;mia@club.example\r\n"

    assert chosen(text.encode(encoding)) == (["mia@club.example", "jörg@club.example"], [(1, "Vorname")])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_address_stands_in_whichever_column(people, delimiter):
    lines = [["Nr.", "Name", "Mail"], ["1", "Mia", "mia@club.example"], ["2", "Ole", "OLE@CLUB.EXAMPLE"]]
    text = "\n".join(delimiter.join(line) for line in lines)

    assert chosen(text)[0] == ["mia@club.example", "ole@club.example"]


@pytest.mark.skipif("email" in get_user_model().USERNAME_FIELD, reason="this model has no other username")
def test_usernames_are_understood(people):
    username = get_user_model().objects.get(email="ole@club.example").get_username()

    assert chosen(f"{username.upper()}\nnobody")[0] == ["ole@club.example"]


def test_who_stands_there_twice_is_one(people):
    assert chosen("mia@club.example\nMia@Club.example\n mia@club.example \n") == (["mia@club.example"], [])


def test_all_accounts_of_a_shared_address_are_meant(people):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("this model has each address once")
    make_person("Max", email="mia@club.example")

    assert chosen("mia@club.example")[0] == ["mia@club.example"] * 2


def test_look_alikes_of_another_alphabet_are_others(people):
    cyrillic = "mi\u0430@club.example"

    assert chosen(cyrillic) == ([], [(1, cyrillic)])


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example")',
        "+1+1",
        "@SUM(A1)",
        "-2",
        "'=1+1",
        "<script>alert(1)</script>",
        "{{ link }}",
        "\u202emoc.live@aim",
        "a" * 10_000,
        "a@" * 5_000,
        "''''",
    ],
)
def test_formulas_and_junk_name_nobody_and_are_reported(people, text):
    found, unmatched = chosen(f"mia@club.example\n{text}\nole@club.example")

    assert found == ["mia@club.example", "ole@club.example"]
    assert [number for number, _said in unmatched] == ([2] if text.strip("'") else [])
    assert all(len(said) <= files.LONGEST_TEXT for _number, said in unmatched)


@pytest.mark.parametrize("text", ["", "\n\n\n", ",,,\n,,,\n", "\ufeff"])
def test_nothing_is_nobody(people, text):
    assert chosen(text) == ([], [])


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04\x00\x00\x08\x00", b"\x00\x01\x02\x03", b"\xd0\xcf\x11\xe0\x00\x00"],
    ids=["a spreadsheet's own format", "bytes", "an old spreadsheet"],
)
def test_what_is_no_text_is_refused_with_the_way_out(people, data):
    with pytest.raises(ChoiceError, match="CSV"):
        files.read_file(data)


def test_quote_that_is_never_closed_loses_nobody_silently(people):
    """The rest of the file becomes one cell. With one address in it, it may be meant, and is reported."""
    found, unmatched = chosen('mia@club.example\n"Ole\nole@club.example\n')

    assert found == ["mia@club.example"]
    assert len(unmatched) == 1


@pytest.mark.parametrize(
    ("rest", "problem"),
    [(2, "quotation mark in line 2 of"), (200, "quotation mark in line 2 of"), (20_000, "cannot be read")],
)
def test_quote_that_is_never_closed_before_more_addresses_is_refused(people, rest, problem):
    with pytest.raises(ChoiceError, match=problem):
        files.read_file(('mia@club.example\n"' + "ole@club.example\n" * rest).encode())


def test_cell_of_several_lines_is_read(people):
    found, unmatched = chosen('"Mia\nSample";mia@club.example\n"ole@club.example\n"\n')

    assert found == ["mia@club.example", "ole@club.example"]
    assert not unmatched


def test_two_hundred_thousand_lines_are_read_in_one_pass(people, django_assert_num_queries):
    lines = [f"nobody{number}@elsewhere.example" for number in range(200_000)]
    lines[123_456] = "Mia@club.example"

    with django_assert_num_queries(1):
        found = files.read_file("\n".join(lines).encode())

    assert (len(found.ids), found.lines, found.unmatched_count) == (1, 200_000, 199_999)
    assert len(found.unmatched) == files.EXAMPLES


def test_more_lines_than_can_be_meant_are_refused(people, monkeypatch):
    monkeypatch.setattr(files, "MOST_LINES", 10)

    with pytest.raises(ChoiceError, match="more than 10 lines"):
        files.read_file(b"x@y.example\n" * 11)


def test_file_that_is_too_large_is_refused_unread(people, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_FILE", 100)

    with pytest.raises(ChoiceError, match="larger"):
        files.read_file(b"x" * 101)


@pytest.mark.parametrize("key", ["", "x", "-", "9" * 400, "1.5", "\u0663\u20dd", "1; DROP TABLE"])
def test_ids_that_cannot_be_are_refused(key):
    with pytest.raises(ChoiceError, match="no id of an account"):
        choose.with_ids([key])


def test_group_that_is_not_there_is_refused_with_those_that_are():
    Group.objects.create(name="Board")

    with pytest.raises(ChoiceError, match=r"'Bord'.*'Board'"):
        choose.in_groups(["Bord"])


@pytest.mark.parametrize(
    "choice",
    [
        Choice(kind=Kind.NEVER_SIGNED_IN),
        Choice(kind=Kind.ALL),
        Choice(kind=Kind.GROUPS, groups=(1, 2)),
        Choice(kind=Kind.FILE, ids=(3, 5)),
        Choice(kind=Kind.IDS, ids=(str(uuid.uuid4()),)),
        Choice(kind=Kind.LISTING, query="q=mia&group=3"),
        Choice(kind=Kind.MAILING, mailing=7),
    ],
    ids=lambda choice: choice.kind.value,
)
def test_choice_survives_being_kept(choice):
    assert choose.choice_from_json(choice.as_json()) == choice


def names(choice):
    return {member.first_name for accounts in choose.chosen_accounts(choice) for member in accounts}


def set_password_by_link(member):
    reset = resets.send(member, by=None)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 7")


def test_who_has_signed_in_or_set_a_password_by_a_link_has_got_in():
    out, linked = make_person("Out"), make_person("Linked")
    make_person("Signed", last_login=timezone.now())
    set_password_by_link(make_person("Set"))
    resets.send(linked, by=None)
    resets.revoke(resets.rotate(out, by=None), by=None)

    assert names(Choice(kind=Kind.NEVER_SIGNED_IN)) == {"Out", "Linked"}


def test_those_of_a_mailing_who_have_got_in_are_not_chosen_again(settings, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    _out, signed, has_set = make_person("Out"), make_person("Signed"), make_person("Set")
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None)
    mailings.start(mailing)
    outbox.drain()
    make_person("Later")
    get_user_model().objects.filter(pk=signed.pk).update(last_login=timezone.now())
    set_password_by_link(has_set)

    assert ResetEmail.objects.filter(mailing=mailing, state=EmailState.HANDED_OVER).count() == 3
    assert names(Choice(kind=Kind.MAILING, mailing=mailing.pk)) == {"Out"}


@pytest.mark.parametrize("choice", [Choice(kind=Kind.NEVER_SIGNED_IN), Choice(kind=Kind.MAILING, mailing=7)])
def test_site_that_keeps_no_sign_in_is_told_what_to_choose_instead(monkeypatch, choice):
    monkeypatch.setattr(choose, "keeps_last_login", lambda model: False)

    with pytest.raises(ChoiceError, match=r"last_login.*groups or a file"):
        names(choice)


def test_address_behind_a_name_is_found_as_mail_programs_export_it():
    member = make_person("Mia")

    matches = files.read_file(b'"Sample, Mia" <mia@members.example>\n"Mia Sample <mia@members.example>"\nno <no@one>\n')

    assert (list(matches.ids), [number for number, _text in matches.unmatched]) == ([member.pk], [3])
