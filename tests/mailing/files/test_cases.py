"""The cases from the world, each with its right value: files as they come from spreadsheets and mail programs."""

import pytest
from django.contrib.auth import get_user_model

from wagtail_member_reset.exceptions import ChoiceError

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="these accounts have usernames"),
]

MIA, OLE = "mia-user", "ole-user"
NAMED = {
    "c06": (
        ('Name,Email,Notes\nMia,mia@club.example,"Phoned 3 May.\nWas a@old.example, now b@old.example"\n'
         "Ole,ole@club.example,\n"),
        [MIA, OLE]),
    "c08": ("Name,Email\nMia,mailto:mia@club.example\n", [MIA]),
    "c11": ("Name,Email\nMia,'mia@club.example'\n", [MIA]),
    "c13": ("Name,Email\nMia,mia@club.example\u00a0\n", [MIA]),
    "c14": ("Name,Email\nMia,mia@club.example\u200b\n", [MIA]),
    "c18": ("Name,Email\nMia,mia@club.example;\n", [MIA]),
    "c20": ("Name,Email\nMia,Mia Sample (mia@club.example)\n", [MIA]),
    "c22": ("sep=;\nName;Email\nMia;mia@club.example\n", [MIA]),
    "c24": ('Nr,Email,Groups\n1,mia@club.example,"A;B;C;D;E;F;G"\n2,ole@club.example,"A;B;C;D;E"\n', [MIA, OLE]),
    "c27": ("Name\tEmail\r\nMia\tmia@club.example\r\n".encode("utf-16"), [MIA]),
    "c30": ("Name,Email,Guardian email\nMia,mia@club.example,ole@club.example\n", [MIA]),
    "c33": ("username,twitter\nole-user,@olesays\n", [OLE]),
    "c35": ('"Sample, Mia" <mia@club.example>; "Ole S" <ole@club.example>\n', [MIA, OLE]),
    "c36": ("Mia Sample <mia@club.example>; Ole Sample <ole@club.example>;\n", [MIA, OLE]),
    "c37": ("Name,Email\nIna,ina@xn--mnchen-3ya.example\n", ["ina"]),
    "c39": ("Name,Email\nTed,ted@club.example\n", ["ted"]),
    "c41": ("Name,Email\nQu,'quinn@club.example\n", ["qu"]),
    "c44": ('"Name","Email"\r\n"Mia","mia@club.example"\r\n', [MIA]),
    "c46": ('Name,Email,Note\nMia,mia@club.example,6" tall\nOle,ole@club.example,x\n', [MIA, OLE]),
    "d02": ("username;email\nmia-user;mia.old@elsewhere.example\n", [MIA]),
    "d06": ("Members, active, paid, 2026, list\nName;Email\nMia;mia@club.example\nOle;ole@club.example\n", [MIA, OLE]),
    "d09": ("Name,Email,Handled by\nMia,mia@club.example,admin@club.example\n", [MIA]),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_file_names_these_people_and_reports_no_line(club, said, case):
    text, names = NAMED[case]

    found = said(text)

    assert (found.mailed, found.held, found.unclear, found.unmatched) == (names, [], [], [])
    assert found.reading.is_encoding_known


TWO_IN_A_CELL = {
    "c01": 'Name,Email\nMia,"mia@club.example; ole@club.example"\n',
    "c02": 'Name;Email\nMia;"mia@club.example, ole@club.example"\n',
    "c05": 'Name,Email\nMia,"mia@club.example\nole@club.example"\n',
}


@pytest.mark.parametrize("case", TWO_IN_A_CELL)
def test_two_addresses_in_one_cell_of_a_table_are_shown_and_mail_nobody(club, said, case):
    found = said(TWO_IN_A_CELL[case])

    assert (found.mailed, found.unclear, found.unmatched) == ([], [(2, [MIA, OLE])], [])
    assert found.names(found.column.chosen(each=True)) == [MIA, OLE]


def test_role_that_reads_as_the_superusers_name_names_nobody(club, said):
    found = said("Name;Email;Role\nMia;mia@club.example;member\nIda;;admin\n")  # d07

    assert (found.mailed, found.held, found.unclear) == ([MIA], [], [])
    assert found.column.unmatched == [(3, "Ida, admin", "empty")]
    assert (found.column.number, found.column.name, found.column.samples) == (2, "Email", ["mia@club.example"])
    assert [column.name for column in found.reading.columns] == ["Email", "Role"]


def test_encoding_that_is_not_known_is_said(club, said):
    found = said("Name;Email\nJörg;jörg@club.example\n".encode("mac_roman"))  # c55

    assert not found.reading.is_encoding_known
    assert (found.mailed, found.unmatched) == ([], [(2, "unreadable")])


def test_web_page_is_called_one(club, said):
    with pytest.raises(ChoiceError, match=r"web page: .*save it as CSV"):
        said("<html><table>\n<tr><td>Mia</td><td>mia@club.example</td></tr>\n</table></html>\n")  # d03
