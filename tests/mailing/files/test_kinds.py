"""Further members of the kinds behind the cases, as people who do this job report them elsewhere."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="these accounts have usernames"),
]

MIA, OLE = "mia-user", "ole-user"
HEAD = "Name,Email\n"
IN_ITS_CELL = {
    "capital mailto": "MAILTO:Mia@Club.example",
    "link with a subject": "mailto:mia@club.example?subject=Hello%20you",
    "encoded at": "mailto:mia%40club.example",
    "Exchange": "SMTP:mia@club.example",
    "label": "E-Mail: mia@club.example",
    "markdown": "[mia@club.example](mailto:mia@club.example)",
    "HTML": '"<a href=""mailto:mia@club.example"">mia@club.example</a>"',
    "formula": '"=HYPERLINK(""mailto:mia@club.example"",""Mail"")"',
    "quoted formula": '"=""mia@club.example"""',
    "Outlook's double": "mia@club.example<mailto:mia@club.example>",
    "address as name": "'mia@club.example' <mia@club.example>",
    "old address as name": "ole@club.example <mia@club.example>",
    "name in brackets": "mia@club.example (Mia Sample)",
    "square brackets": "[mia@club.example]",
    "pointed brackets alone": "<mia@club.example>",
    "brackets twice": "<<mia@club.example>>",
    "trailing comma": '"mia@club.example,"',
    "trailing dot": "mia@club.example.",
    "trailing slash": "mia@club.example/",
    "exclamation mark": "mia@club.example!",
    "typographic quotes": "“mia@club.example”",
    "guillemets": "«mia@club.example»",
    "curly apostrophes": "\u2018mia@club.example\u2019",
    "backtick": "`mia@club.example`",
    "bullet": "• mia@club.example",
    "dash": "– mia@club.example",
    "number before": "1. mia@club.example",
    "note behind": "mia@club.example - checked 3 May",
    "blanks around the at": "mia @ club.example",
    "tab": "\tmia@club.example\t",
    "byte order mark": "\ufeffmia@club.example",
    "soft hyphen": "mia@club\u00ad.example",
    "direction": "\u202amia@club.example\u202c",
    "wide at": "mia\uff20club.example",
    "wide letters": "\uff4d\uff49\uff41@\uff43lub.example",
    "narrow blank": "\u202fmia@club.example\u2003",
    "twice the same": "mia@club.example; MIA@club.example",
    "one of two known": "mia@club.example; mia@elsewhere.example",
    "Google's separator": "mia@club.example ::: mia@elsewhere.example",
    "apostrophe of a spreadsheet": "'mia@club.example",
    "link with a copy": "mailto:mia@club.example?bcc=gone@old.example",
    "slash between": "mia@club.example/mia@elsewhere.example",
    "handle beside": "@miasays mia@club.example",
}


@pytest.mark.parametrize("case", IN_ITS_CELL)
def test_address_is_found_in_its_cell(club, said, case):
    found = said(f"{HEAD}M,{IN_ITS_CELL[case]}\n")

    assert (found.mailed, found.unclear, found.unmatched) == ([MIA], [], [])


@pytest.mark.parametrize(
    "cell",
    [
        *("@", "@@", "mia@", "@club.example", "mia at club.example", "<>", "<@>", "mailto:", "mia@club"),
        *("mia@club.example.evil.example", "mia@club.example@evil.example", "evil@mia@club.example"),
        *("xmia@club.example", "mi\u0430@club.example"),
    ],
)
def test_what_is_no_address_of_an_account_names_nobody(club, said, cell):
    found = said(f"{HEAD}M,{cell}\nOle,ole@club.example\n")

    assert (found.mailed, [line for line, _reason in found.unmatched]) == ([OLE], [2])


def test_apostrophe_that_belongs_to_the_stored_address_stays(club, said):
    found = said(
        f"{HEAD}Qu,''quinn@club.example\nPat,pat.o\u2019neil@club.example\nPat,\"'pat.o'neil@club.example'\"\n"
    )

    assert found.mailed == ["pat", "qu"]
    assert [line for line, _reason in found.unmatched] == [3]


TABLES = {
    "pipes": ("Name|Email\nMia|mia@club.example\n", [MIA]),
    "carriage returns alone": ("Name;Email\rMia;mia@club.example\rOle;ole@club.example\r", [MIA, OLE]),
    "no header": ("1;Mia;mia@club.example\n2;Ole;ole@club.example\n", [MIA, OLE]),
    "blank lines": ("\n\nName;Email\n\nMia;mia@club.example\n;;;\n\nOle;ole@club.example\n", [MIA, OLE]),
    "separator that nobody else has": ("sep=^\nName^Email\nMia^mia@club.example\n", [MIA]),
    "separator line in quotes": ('"sep=;"\nName;Email\nMia;mia@club.example\n', [MIA]),
    "separator line that a spreadsheet saved": ("sep=;,\nName,Email\nMia,mia@club.example\n", [MIA]),
    "capital separator line": ("SEP=,\r\nName,Email\r\nMia,mia@club.example\r\n", [MIA]),
    "decimal commas": ("Name;Fee;Email\nMia;12,50;mia@club.example\nOle;9,00;ole@club.example\n", [MIA, OLE]),
    "commas in names": ('Name;Email\n"Sample, Mia";mia@club.example\nSample, Ole;ole@club.example\n', [MIA, OLE]),
    "each line in quotes": ('"Name,Email"\n"Mia,mia@club.example"\n"Ole,ole@club.example"\n', [MIA, OLE]),
    "export's first line with an address": (
        "Exported by office@club.example on 3 May\nEmail;Name\nmia@club.example;Mia\n", [MIA]),
    "several lines above the header": (
        "Club\nMembers 2026\n\nNr;Name;E-Mail-Adresse\n1;Mia;mia@club.example\n2;Ole;ole@club.example\n", [MIA, OLE]),
    "files put together": ("mia@club.example;Mia\nEmail;Name\nole@club.example;Ole\n", [MIA, OLE]),
    "header again": ("Name;Email\nMia;mia@club.example\nName;Email\nOle;ole@club.example\n", [MIA, OLE]),
    "header of two words": ("Full name,E-mail 1 - Value,Notes\nMia,mia@club.example,ole@club.example\n", [MIA]),
    "German": ("Vorname;Nachname;E-Mail-Adresse\nMia;Sample;mia@club.example\n", [MIA]),
    "Russian": ("Имя;Эл. почта\nMia;mia@club.example\n".encode("utf-16"), [MIA]),
    "nothing behind the last quote": ('Name,Email\n"Mia","mia@club.example', [MIA]),
    "doubled quotes": ('Name,Email\n"Mia ""the boss"" Sample",mia@club.example\n', [MIA]),
    "notes of several lines": (
        'Name,Email,Note\nMia,mia@club.example,"a\nb; c\n\nd"\nOle,ole@club.example,\n', [MIA, OLE]),
    "contact first": ("Handled by,Name,Email\nole@club.example,Mia,mia@club.example\n", [MIA]),
    "guardian of two": (
        "Name,Guardian,Email\nMia,office@club.example,mia@club.example\nOle,office@club.example,ole@club.example\n",
        [MIA, OLE]),
    "captains": (
        "Email,Captain\nmia@club.example,\n" + "".join(f"gone{n}@old.example,ole@club.example\n" for n in range(8)),
        [MIA]),
    "login": ("Login;Email\nMIA-USER;gone@old.example\nole-user;ole@club.example\n", [MIA, OLE]),
    "member number": ("Mitglieds-Nr.;E-Mail\nmia-user;\n;ole@club.example\n", [MIA, OLE]),
    "usernames as formulas": ('Login,Email\n"=""mia-user""",\n\'ole-user,gone@old.example\n', [MIA, OLE]),
    "usernames with invisible characters": ("Login\nmia-user\u200b\n\u00a0ole-user\n", [MIA, OLE]),
    "usernames alone": ("mia-user\nole-user\n", [MIA, OLE]),
    "usernames with a header": ("Member\nmia-user\nole-user\n", [MIA, OLE]),
    "one username": ("mia-user", [MIA]),
    "address column with a username in it": ("Name,Email\nMia,mia-user\nOle,ole@club.example\n", [MIA, OLE]),
    "international and plain": ("Email\nina@xn--mnchen-3ya.example\nULF@MÜNCHEN.example\n", ["ina", "ulf"]),
    "staff": ("Name,Email\nOffice,office@club.example\n", ["office"]),
    "cut within a character": (b"Email;Name\nmia@club.example;J" + b"\xc3", [MIA]),
    "null bytes": ("Name;Email\nM\x00ia;mia@club.example\nOle;ole@club.example" + "\n" * 200, [MIA, OLE]),
    "end of file as DOS writes it": ("Email\r\nmia@club.example\r\nole@club.example\r\n", [MIA, OLE]),
    "UTF-16 without a mark": ("Name\tEmail\r\nMia\tmia@club.example\r\n".encode("utf-16-le"), [MIA]),
    "UTF-16 of the other order": ("Name\tEmail\r\nMia\tmia@club.example\r\n".encode("utf-16-be"), [MIA]),
    "UTF-32": ("Name\tEmail\r\nMia\tmia@club.example\r\n".encode("utf-32"), [MIA]),
    "Windows": ("Name;Email\nJörg O\u2019Neil – „é“ œuf;jörg@club.example\n".encode("windows-1252"), ["jörg"]),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_table_names_these_people(club, said, case):
    text, names = TABLES[case]

    found = said(text)

    assert (found.mailed, found.held, found.unclear) == (names, [], [])
    assert found.reading.is_encoding_known and not found.reading.is_list
    assert not [reason for _line, reason in found.unmatched if reason not in ("no_address", "empty")]


LISTS = {
    "commas": "mia@club.example, ole@club.example",
    "names with commas": '"Sample, Mia" <mia@club.example>, "Sample, Ole" <ole@club.example>',
    "apostrophes": "'mia@club.example'; 'ole@club.example'",
    "blanks": "mia@club.example ole@club.example",
    "pointed brackets alone": "<mia@club.example>,<ole@club.example>",
    "names without quotes": "Sample, Mia <mia@club.example>; Sample, Ole <ole@club.example>",
    "one of them twice": "mia@club.example; ole@club.example; MIA@club.example;",
    "folded": "Mia <mia@club.example>,\n Ole <ole@club.example>, Mia <mia@club.example>,\n mia@club.example",
}


@pytest.mark.parametrize("case", LISTS)
def test_list_names_as_many_as_it_has_addresses(club, said, case):
    found = said(LISTS[case])

    assert found.reading.is_list
    assert (found.mailed, found.unclear, found.unmatched) == ([MIA, OLE], [], [])


def test_comma_for_a_dot_in_a_list_mails_nobody_else(club, said):
    found = said("mia@club.example, anna,ole@club.example")

    assert (found.mailed, found.unclear) == ([MIA], [])
    assert [line for line, _reason in found.unmatched] == [2]


def test_what_stands_beside_the_addresses_of_a_list_names_nobody(club, said):
    found = said("Mia;mia@club.example;admin")

    assert (found.mailed, found.held, found.unmatched) == ([MIA], [], [(2, "no_username")])


NOBODY = {
    "role without a header": "Ida;;admin\nMia;mia@club.example;member\n",
    "role in one line": "Name;Email;Role\nIda;;admin\n",
    "staff's roles": "Name;Email;Role\nMia;mia@club.example;editor\nIda;;office\nEva;;editor\n",
    "role called user": "Name;Email;User\nMia;mia@club.example;office\nIda;;\n",
    "role first": "Role,Name,Email\nadmin,Ida,\nmember,Mia,mia@club.example\n",
    "contact where the member's own is empty": "Name,Email,Contact\nIda,,admin@club.example\nMia,mia@club.example,\n",
    "contact by username": "Name,Email,Handled by\nMia,mia@club.example,clerk\nIda,gone@old.example,admin\n",
    "note with the superuser": 'Name,Email,Note\nIda,,"ask\nadmin@club.example, please"\nMia,mia@club.example,\n',
}


@pytest.mark.parametrize("case", NOBODY)
def test_line_without_an_address_of_its_own_names_nobody(club, said, case):
    found = said(NOBODY[case])

    assert set(found.mailed) <= {MIA}
    assert (found.held, found.unclear) == ([], [])
    assert not {"admin", "clerk", "office", "editor"} & set(found.names(found.column.chosen(each=True, admins=True)))


def test_first_names_that_are_usernames_name_nobody(club, account, said):
    account("mia", "another@club.example")
    account("ole", "yet-another@club.example")

    found = said(
        "First name;Last name;Email\nMia;Other;gone@old.example\nOle;Other;lost@old.example\nOle;;ole@club.example\n"
    )

    assert found.mailed == [OLE]


def test_running_numbers_that_are_usernames_name_nobody(club, account, said):
    for number in range(1, 5):
        account(str(number), f"m{number}@club.example")

    found = said(
        "Nr;Name;Email\n1;A;m4@club.example\n2;B;m3@club.example\n3;C;gone@old.example\n4;D;lost@old.example\n"
    )

    assert found.mailed == ["3", "4"]


@pytest.mark.parametrize("role", ["superuser", "clerk"])
def test_who_manages_users_is_held_back_until_asked_for(club, said, role):
    name = {"superuser": "admin", "clerk": "clerk"}[role]

    found = said(f"Email\nmia@club.example\n{name}@club.example\n")

    assert (found.mailed, found.held) == ([MIA], [name])
    assert found.names(found.column.chosen(admins=True)) == sorted([MIA, name])


@pytest.fixture
def couple(account):
    account("mia-1", "both@club.example", first_name="Mia", last_name="Sample")
    account("max-2", "both@club.example", first_name="Max", last_name="Sample")


ONE_OF_TWO = {
    "username": "Login,Email\nMAX-2,both@club.example\n",
    "username in any column": "Email,Remark\nboth@club.example,max-2\n",
    "whole name": "Name,Email\nMax Sample,both@club.example\n",
    "last name first": 'Name,Email\n"Sample, Max",both@club.example\n',
    "title": "Name,Email\nDr. Max Sample,both@club.example\n",
    "two columns": "Vorname,Nachname,Email\nMax,Sample,both@club.example\n",
    "first name alone": "Vorname,Email\nmax,both@club.example\n",
    "name in its cell": "Email\nMax Sample <both@club.example>\nmia@club.example\n",
}


@pytest.mark.parametrize("case", ONE_OF_TWO)
def test_what_stands_in_the_line_decides_between_those_who_share_an_address(couple, said, case):
    found = said(ONE_OF_TWO[case])

    assert (found.mailed, found.unclear) == (["max-2"], [])


def test_blank_in_quotes_is_not_the_name_of_who_has_none(account, said):
    account("mia-1", "both@club.example", first_name="Mia", last_name="Sample")
    account("nameless", "both@club.example")

    found = said("Name,Email\n' ',both@club.example\n")

    assert (found.mailed, found.unclear) == ([], [(2, ["mia-1", "nameless"])])


def test_list_decides_by_the_name_before_the_address(couple, said):
    assert said('"Sample, Max" <both@club.example>; ').mailed == ["max-2"]


TWO_OF_TWO = {
    "nothing": "Email\nboth@club.example\n",
    "both names": "Name,Email\nMia and Max Sample,both@club.example\n",
    "last name": "Name,Email\nSample,both@club.example\n",
    "another name": "Name,Email\nEva Sample,both@club.example\n",
    "both usernames": "A,Email,B\nmia-1,both@club.example,max-2\n",
}  # fmt: skip


@pytest.mark.parametrize("case", TWO_OF_TWO)
def test_couple_that_nothing_tells_apart_is_shown_and_mails_nobody(couple, said, case):
    found = said(TWO_OF_TWO[case])

    assert found.mailed == []
    assert found.unclear == [(2, ["max-2", "mia-1"])]
    assert found.names(found.column.chosen(each=True)) == ["max-2", "mia-1"]


def test_number_with_its_zeros_lost_decides(account, said):
    account("0042", "both@club.example")
    account("0043", "both@club.example")

    assert said("Member no.,Email\n43,both@club.example\n").mailed == ["0043"]
    assert said("Fullname,Email,Mitgliedsnummer\nX,both@club.example,43\n").mailed == ["0043"]


@pytest.mark.parametrize("header", ["Nr,Name,Email", "No.,Name,Email", "ID,Name,Email", "Lfd,Name,Email", ""])
def test_number_of_the_line_decides_nothing(account, said, header):
    account("0003", "both@club.example", first_name="Anna", last_name="Sample")
    account("0007", "both@club.example", first_name="Ben", last_name="Sample")
    lines = [f"{number},Person,p{number}@club.example\n" for number in (1, 2)]

    found = said("".join([f"{header}\n" if header else "", *lines, "3,Samples,both@club.example\n"]))

    assert (found.mailed, found.names(found.column.unclear_ids)) == ([], ["0003", "0007"])


def test_number_that_says_otherwise_than_the_name_decides_nothing(account, said):
    account("0003", "both@club.example", first_name="Anna", last_name="Sample")
    account("0007", "both@club.example", first_name="Ben", last_name="Sample")

    found = said("Email,Name,Lidnr\nboth@club.example,Ben Sample,3\n")

    assert (found.mailed, len(found.unclear)) == ([], 1)


def test_numbers_that_agree_with_the_addresses_in_several_lines_decide(account, said):
    account("0042", "both@club.example")
    account("0043", "both@club.example")
    account("0051", "a@club.example")
    account("0047", "b@club.example")

    found = said("Nr,Email\n51,a@club.example\n47,b@club.example\n43,both@club.example\n")

    assert (found.mailed, found.unclear) == (["0043", "0047", "0051"], [])


def test_numbers_that_count_up_and_agree_by_chance_decide_nothing(account, said):
    for number in range(1, 4):
        account(f"000{number}", f"m{number}@club.example")
    account("0004", "both@club.example")
    account("0005", "both@club.example")
    lines = [f"{number},m{number}@club.example\n" for number in range(1, 4)]

    found = said("".join(["Nr,Email\n", *lines, "4,both@club.example\n"]))

    assert [names for _line, names in found.unclear] == [["0004", "0005"]]


def test_username_with_its_zeros_lost_is_found(account, said):
    account("0042", "a@club.example")
    account("42x", "b@club.example")

    assert said("Member no.,Email\n42,gone@old.example\n").mailed == ["0042"]


@pytest.mark.parametrize("between", ["/", " / ", " & ", "&", " and ", "+", "|", "> <", "\n"])
def test_two_addresses_in_a_cell_are_shown_whatever_is_between(club, said, between):
    found = said(f'Name;Email\nX;"mia@club.example{between}ole@club.example"\n')

    assert (found.mailed, found.unclear) == ([], [(2, [MIA, OLE])])


def test_account_that_is_not_active_keeps_nobody_from_their_mail(couple, account, said):
    for number in range(5):
        account(f"old-{number}", "mia@club.example", is_active=False)
    account("mia-user", "mia@club.example")

    assert said("Email\nmia@club.example\n").mailed == ["mia-user"]


def test_superuser_at_a_members_address_is_held_back_and_the_member_mailed(account, said):
    account("boss", "mia@club.example", is_superuser=True)
    account("mia-user", "mia@club.example")

    found = said("Email,Role\nmia@club.example,boss\n")

    assert (found.mailed, found.held, found.unclear) == (["mia-user"], ["boss"], [])


NEIGHBOURS = {
    "name": "Name,Email\nAnna Boss,info@club.example\n",
    "no header": "Anna Boss,info@club.example\nGone,gone@club.example\n",
    "last name first": 'Name,Email\n"Boss, Anna",info@club.example\n',
    "two columns": "Vorname,Nachname,Email\nAnna,Boss,info@club.example\n",
    "username": "Email,Remark\ninfo@club.example,anna-1\n",
    "first name": "Name,Email\nAnna,info@club.example\n",
    "name in its cell": "Email\nAnna Boss <info@club.example>\ngone@club.example\n",
    "list": "Anna Boss <info@club.example>; gone@club.example",
}


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_line_that_names_a_superuser_mails_no_neighbour(account, said, case):
    account("anna-1", "info@club.example", first_name="Anna", last_name="Boss", is_superuser=True)
    account("mia-user", "info@club.example", first_name="Mia", last_name="Sample")

    found = said(NEIGHBOURS[case])

    assert (found.mailed, found.held, found.unclear) == ([], ["anna-1"], [])


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_line_that_names_who_is_not_active_mails_nobody_and_is_told(account, said, case):
    account("anna-1", "info@club.example", first_name="Anna", last_name="Boss", is_active=False)
    account("mia-user", "info@club.example", first_name="Mia", last_name="Sample")

    found = said(NEIGHBOURS[case])

    assert (found.mailed, found.held, found.unclear) == ([], [], [])
    assert "inactive" in [reason for _line, reason in found.unmatched]


@pytest.mark.parametrize("case", NEIGHBOURS)
def test_superuser_whom_the_line_does_not_mean_is_not_held(account, said, case):
    account("boss", "info@club.example", first_name="Mia", last_name="Sample", is_superuser=True)
    account("anna-1", "info@club.example", first_name="Anna", last_name="Boss")

    found = said(NEIGHBOURS[case])

    assert (found.mailed, found.held, found.column.chosen(admins=True)) == (["anna-1"], [], found.column.ids)


OTHERS = {
    "whole name": "Name,Email\nEva Other,info@club.example\n",
    "no header": "Eva Other,info@club.example\nGone,gone@club.example\n",
    "initial": "Name,Email\nA. Boss,info@club.example\n",
    "initial of who has the same last name": "Name,Email\nA. Sample,info@club.example\n",
    "word": "Function,Email\nboss,info@club.example\n",
    "list": "Eva <info@club.example>; gone@club.example",
}


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("case", OTHERS)
def test_line_that_names_somebody_else_mails_nobody_for_sure(account, said, case, is_active):
    last = "Sample" if "same" in case else "Boss"
    rights = {"is_superuser": True} if is_active else {"is_active": False}
    account("boss", "info@club.example", first_name="Anna", last_name=last, **rights)
    account("mia-user", "info@club.example", first_name="Mia", last_name="Sample")

    found = said(OTHERS[case])

    assert (found.mailed, found.held, len(found.unclear)) == ([], [], 1)


@pytest.mark.parametrize("said_name", ["Mia Sample", "Dr. Mia Sample", "M. Sample", "Mia", ""])
def test_old_account_of_the_same_person_keeps_nobody_from_their_mail(account, said, said_name):
    account("old", "info@club.example", first_name="Mia", last_name="Sample", is_active=False)
    account("mia-user", "info@club.example", first_name="Mia", last_name="Sample")

    found = said(f"Name,Email\n{said_name},info@club.example\n")

    assert (found.mailed, found.unclear, found.unmatched) == (["mia-user"], [], [])


def test_two_superusers_at_one_address_need_both_ticks(account, said):
    account("boss", "mia@club.example", is_superuser=True)
    account("chief", "mia@club.example", is_superuser=True)

    found = said("Email\nmia@club.example\n")

    assert (found.mailed, found.unclear) == ([], [(2, ["boss", "chief"])])
    assert found.column.chosen(each=True) == found.column.chosen(admins=True) == ()
    assert found.names(found.column.chosen(each=True, admins=True)) == ["boss", "chief"]


@pytest.mark.parametrize("column", ["Guardian email", "guardian EMAIL", "3"])
def test_column_is_taken_as_told(club, said, column):
    found = said("Name,Email,Guardian email\nMia,mia@club.example,ole@club.example\n", column=column)

    assert (found.mailed, found.column.number, len(found.reading.columns)) == ([OLE], 3, 1)
