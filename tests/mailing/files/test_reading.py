"""Reading a file whatever it is: encodings, quotes, hostile and long ones; nothing is lost in silence."""

import io
import time

import pytest
from django.contrib.auth import get_user_model
from django.utils import translation
from django.utils.functional import lazy

from tests.conftest import make_person
from wagtail_member_reset import tokens
from wagtail_member_reset.exceptions import ChoiceError
from wagtail_member_reset.mailing.files import found, lines, reading, words
from wagtail_member_reset.mailing.files.lines import Note

pytestmark = pytest.mark.django_db
# Far above what any of these takes, and far below what they took if each character were looked at again and again.
SECONDS = 8


@pytest.fixture
def people():
    """Three members, one with letters that encodings differ about."""
    for name, email in (("Mia", "mia@club.example"), ("Ole", "ole@club.example"), ("Jörg", "jörg@club.example")):
        make_person(name, email=email)


@pytest.fixture
def chosen(people, said):
    """The addresses that a file names, and the lines that name nobody."""

    def read(text):
        result = said(text)
        emails = [get_user_model().objects.get(pk=key).email for key in result.column.ids]
        return emails, [(line, text) for line, text, _reason in result.column.unmatched]

    # Keys of some models come in any order.
    return lambda text: (sorted(read(text)[0]), read(text)[1])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "windows-1252"])
def test_encodings_that_spreadsheets_write_are_read(chosen, encoding):
    text = "Vorname;E-Mail\r\nJörg;jörg@club.example\r\nMia;mia@club.example\r\n"

    assert chosen(text.encode(encoding)) == (["jörg@club.example", "mia@club.example"], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_address_stands_in_whichever_column(chosen, delimiter):
    lines = [["Nr.", "Name", "Mail"], ["1", "Mia", "mia@club.example"], ["2", "Ole", "OLE@CLUB.EXAMPLE"]]
    text = "\n".join(delimiter.join(line) for line in lines)

    assert chosen(text) == (["mia@club.example", "ole@club.example"], [])


@pytest.mark.skipif("email" in get_user_model().USERNAME_FIELD, reason="this model has no other username")
def test_usernames_are_understood(chosen):
    username = get_user_model().objects.get(email="ole@club.example").get_username()

    assert chosen(f"{username.upper()}\nnobody") == (["ole@club.example"], [(2, "nobody")])


def test_who_stands_there_twice_is_one(chosen):
    assert chosen("mia@club.example\nMia@Club.example\n mia@club.example \n") == (["mia@club.example"], [])


def test_look_alikes_of_another_alphabet_are_others(chosen):
    cyrillic = "mi\u0430@club.example"

    assert chosen(f"{cyrillic}\nmia@club.example") == (["mia@club.example"], [(1, cyrillic)])


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
        "<" * 50_000 + "@" * 50_000,
        "<" + "@" * 100_000,
        "e" + "\u0301" * 60_000,
        '"' + "x@" * 30_000 + '"',
    ],
    ids=range(15),
)
def test_formulas_and_junk_name_nobody_and_are_reported(chosen, text):
    names, unmatched = chosen(f"mia@club.example\n{text}\nole@club.example")

    assert names == ["mia@club.example", "ole@club.example"]
    assert [number for number, _said in unmatched] == [2]
    assert all(len(said) <= found.LONGEST_TEXT for _number, said in unmatched)


@pytest.mark.parametrize("text", ["", "\n\n\n", ",,,\n,,,\n", "\ufeff", "Email\n", "sep=;\n"])
def test_nothing_is_nobody(chosen, text):
    assert chosen(text) == ([], [])


def test_text_that_is_shown_has_no_directions_and_few_marks(said):
    result = said("Email\n\u202eegro.live@aim\u2066\ne\u0301\u0302\u0303\u0304\u0305\u0306\u0307\x07!\n" + "x" * 300)

    assert [text for _line, text, _why in result.column.unmatched] == [
        "egro.live@aim",
        "e\u0301\u0302\u0303 !",
        "x" * found.LONGEST_TEXT,
    ]


@pytest.mark.parametrize("pasted", ["https://club.example/account/r/{}/", "{}", "x@y.example?{}", "account/r/{:.20}"])
def test_link_that_somebody_pasted_is_kept_nowhere(people, said, pasted):
    make_person("Mia2", email="mia2@club.example")
    token = tokens.issue("key")[1].text
    link = pasted.format(token)
    both = f"mia@club.example, mia2@club.example {link}"

    column = said(f"Email;Name\n{link};x\n{both};x\nole@club.example;x\n").column

    kept = [*column.samples, *(each.text for each in column.unclear), *(text for _line, text, _why in column.unmatched)]
    assert len(kept) >= 4
    assert not [text for text in kept if token[:20] in text]


def test_quotation_mark_that_is_never_closed_loses_nobody_and_is_said(chosen, said):
    text = 'Name,Email\nMia,mia@club.example\n"Eva,eva@club.example\n' + "Ole,ole@club.example\n" * 5_000

    assert chosen(text) == (["mia@club.example", "ole@club.example"], [(3, "eva@club.example")])
    assert said(text).reading.notes == [(3, Note.UNCLOSED)]


def test_quotation_mark_that_is_closed_within_a_word_is_none(chosen, said):
    text = 'Name,Email,Note\nMia,mia@club.example,"tall\nOle,ole@club.example,"wide\n'

    assert chosen(text) == (["mia@club.example", "ole@club.example"], [])
    assert said(text).reading.notes == [(2, Note.UNCLOSED), (3, Note.UNCLOSED)]


def test_cells_before_the_mark_that_is_not_closed_stay_whole(chosen, said):
    text = 'Name,Email,Note\n"Sample, Mia",mia@club.example,"tall\n"Sample, Ole",ole@club.example,\n'

    assert chosen(text) == (["mia@club.example", "ole@club.example"], [])
    assert said(text).reading.notes == [(2, Note.UNCLOSED)]


def test_quotation_marks_that_swallow_other_lines_are_said(chosen, said):
    text = 'Name,Email,Note\nMia,mia@club.example,"tall\nOle,ole@club.example,wide"\n'

    assert chosen(text) == (["mia@club.example"], [])
    assert said(text).reading.notes == [(2, Note.SPANS)]


def test_quoted_text_longer_than_any_cell_is_bounded(chosen, said):
    text = 'Name,Email\n"' + "x" * 99_000 + "\n" + "y" * 99_000 + '",mia@club.example\nOle,ole@club.example\n'

    assert chosen(text)[0] == ["mia@club.example", "ole@club.example"]
    assert said(text).reading.notes == [(2, Note.UNCLOSED)]


def test_cell_of_several_lines_is_read(chosen):
    assert chosen('"Mia\nSample";mia@club.example\nOle;"ole@club.example\n"\n') == (
        ["mia@club.example", "ole@club.example"],
        [],
    )


def test_lines_are_numbered_as_editors_number_them(chosen):
    text = 'sep=;\n\nName;Email\n"a\nb";mia@club.example\nEva;eva@club.example\n'

    assert chosen(text) == (["mia@club.example"], [(6, "eva@club.example")])


def test_first_line_of_half_a_million_columns_is_answered(chosen, said):
    text = "mia@club.example" + "," * 500_000 + "\nole@club.example\n"

    started = time.process_time()

    assert chosen(text)[0] == ["mia@club.example", "ole@club.example"]
    assert said(text).reading.notes == [(1, Note.LONG)]
    assert time.process_time() - started < SECONDS


HOSTILE = {
    "one line of marks": "é" + "\u0301" * 5_000_000,
    "quotes": '"' * 2_000_000,
    "quotes and breaks": '"\n' * 100_000,
    "doubled quotes and breaks": '"""\n' * 60_000,
    "at signs": "@" * 5_000_000,
    "blanks before an at": " " * 2_000_000 + "@x",
    "separators": ";" * 5_000_000 + "@",
    "brackets": "<@>" * 1_000_000,
    "lines of one": "x\n" * 100_000,
    "names before an address": "a," * 1_000_000 + "@",
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.slow
def test_hostile_text_is_answered_soon(chosen, case):
    started = time.process_time()

    assert chosen(HOSTILE[case])[0] == []
    assert time.process_time() - started < 3 * SECONDS  # it is read twice


@pytest.mark.slow
def test_two_hundred_thousand_lines_take_the_queries_of_one(people, said, django_assert_num_queries):
    text = [f"nobody{number}@elsewhere.example" for number in range(200_000)]
    text[123_456] = "Mia@club.example"
    data = io.BytesIO("\n".join(text).encode())

    with django_assert_num_queries(3):
        [column] = reading.read_file(data).columns

    assert (len(column.ids), column.lines, column.unmatched_count) == (1, 200_000, 199_999)
    assert len(column.unmatched) == found.EXAMPLES


def test_address_that_very_many_share_costs_little_and_is_nobodys(account, said):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("this model has each address once")
    model = get_user_model()
    model.objects.bulk_create([model(username=f"m-{number}", email="none@club.example") for number in range(2_000)])

    result = said("Email,Login\n" + "none@club.example,\n" * 2_000 + "none@club.example,m-7\n")

    assert result.mailed == ["m-7"]
    assert (result.column.unclear_count, len(result.column.chosen(each=True))) == (2_000, 2_000)


def test_more_lines_than_can_be_meant_are_refused(people, said, monkeypatch):
    monkeypatch.setattr(reading, "MOST_LINES", 10)

    with pytest.raises(ChoiceError, match="more than 10 lines"):
        said("x@y.example\n" * 12)
    with pytest.raises(ChoiceError, match="more than 10 addresses"):
        said("x@y.example, " * 12)


def test_file_that_is_too_large_is_refused_unread(people, said, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_FILE", 100)

    with pytest.raises(ChoiceError, match="larger"):
        said(b"x" * 101)


@pytest.mark.parametrize("column", ["Phone", "0", "4", "9" * 400, "-1", "\u0663"])
def test_column_that_is_not_there_is_refused_with_those_that_are(people, said, column):
    with pytest.raises(ChoiceError, match=r"It has: 1 Nr, 2 Name, 3 Email\."):
        said("Nr,Name,Email\n1,Mia,mia@club.example\n", column=column)


def test_list_has_no_column_to_take(people, said):
    with pytest.raises(ChoiceError, match="list"):
        said("mia@club.example; ole@club.example", column="1")


def test_file_stays_open_for_who_opened_it(people):
    file = io.BytesIO(b"mia@club.example")

    reading.read_file(file)

    assert file.seek(0) == 0
    assert lines.LONGEST_LINE < 131_072  # what Python's reader takes for a cell


@pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="these accounts have usernames")
def test_accounts_that_compute_their_address_are_found_by_username(account, said, monkeypatch):
    mia = account("mia-1", "mia@members.example")
    monkeypatch.setattr(get_user_model(), "EMAIL_FIELD", "computed")
    monkeypatch.setattr(get_user_model(), "computed", property(lambda self: self.email), raising=False)

    assert said("Username\nmia-1\n").column.ids == (mia.pk,)
    with pytest.raises(ChoiceError, match=r"Accounts of this site are not found by address\."):
        said("Email\nmia@members.example\n")


def test_column_is_called_the_same_whoever_asks(monkeypatch):
    field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    monkeypatch.setattr(
        field, "verbose_name", lazy(lambda: {"de": "Zugang"}.get(translation.get_language(), "Door"), str)()
    )

    found = []
    for language in ("en", "de"):
        with translation.override(language):
            found.append((words.is_username("Zugang"), words.is_username("Door")))

    assert found == [(False, True), (False, True)]
