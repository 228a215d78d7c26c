"""Which column says who is meant, where another one is about somebody else: a parent, a trainer, the office."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="these accounts have usernames"),
]

MIA, OLE = "mia-user", "ole-user"
OWN_FIRST = {
    "guardian of an empty cell": ("Name,Email,Guardian email\nIda,,ole@club.example\n", "Email", []),
    "contact": ("Name;E-Mail;Kontakt\nIda;;office@club.example\n", "E-Mail", []),
    "who pays": (
        ("Name;E-Mail;Rechnung an\nMia;mia@club.example;ole@club.example\nA;a@x.example;office@club.example\n"
         "B;b@x.example;jörg@club.example\n"), "E-Mail", [MIA]),
    "own address unknown": ("Name,Contact,Email\nMia,ole@club.example,gone@old.example\n", "Email", []),
    "trainer first": ("Trainer Email,Name,Email\nole@club.example,Mia,\n", "Email", []),
    "Dutch": ("E-mailadres lid;E-mailadres ouder\n;ole@club.example\n", "E-mailadres lid", []),
    "Dutch, the other way round": ("E-mailadres ouder;E-mailadres lid\nole@club.example;\n", "E-mailadres lid", []),
    "French": ("Courriel;Courriel du tuteur\n;ole@club.example\n", "Courriel", []),
    "Polish": ("Adres e-mail;E-mail opiekuna\n;ole@club.example\n", "Adres e-mail", []),
    "Spanish": ("Correo electrónico;Correo del padre\n;ole@club.example\n", "Correo electrónico", []),
    "Italian": ("Indirizzo e-mail;E-mail genitore\n;ole@club.example\n", "Indirizzo e-mail", []),
    "Google": (
        "Name,E-mail 1 - Value,Relation 1 - Value\nMia,gone@old.example,ole@club.example\n", "E-mail 1 - Value", []),
    "two of one name": ("E-Mail;Vater;E-Mail\n;office@club.example;ole@club.example\n", "E-Mail", []),
    "emergency": ("Email address,Emergency e-mail\n,ole@club.example\n", "Email address", []),
    "one word": ("email,parentEmail\n,ole@club.example\n", "email", []),
    "compound": ("Name;E-Mail;Elternmail\nMia;;ole@club.example\n", "E-Mail", []),
    "unknown other": ("Name;E-Mail;Zuständig\nMia;gone@old.example;ole@club.example\n", "E-Mail", []),
}  # fmt: skip


@pytest.mark.parametrize("case", OWN_FIRST)
def test_column_called_as_addresses_are_stays_first(club, said, case):
    text, name, mailed = OWN_FIRST[case]

    found = said(text)

    assert (found.column.name, found.mailed, found.held, found.unclear) == (name, mailed, [], [])
    assert found.reading.names_anybody


def test_first_of_two_columns_of_one_name_is_taken(club, said):
    assert said("E-Mail;Vater;E-Mail\nx@y.example;office@club.example;ole@club.example\n").column.number == 1


OFFERED = {
    "guardian": ("Name,Guardian email\nIda,ole@club.example\n", "Guardian email"),
    "contact": ("Kontakt;Name\nole@club.example;Ida\nmia@club.example;Eva\n", "Kontakt"),
    "two of them": ("Trainer;Kontakt\nole@club.example;mia@club.example\n", "Trainer"),
    "father": ("Name;E-Mail Vater\nIda;ole@club.example\n", "E-Mail Vater"),
    "created by": ("Name;Created by\nIda;ole-user\n", "Created by"),
    "usernames of staff": ("Name,Betreuer\nIda,ole-user\nEva,mia-user\n", "Betreuer"),
    "usernames of staff first": ("Betreuer,Name\nole-user,Ida\nmia-user,Eva\n", "Betreuer"),
    "usernames beside addresses": (
        "Name,Email,Handled by\nA,gone@x.example,ole-user\nB,lost@x.example,mia-user\n", "Handled by"),
    "usernames in an unknown column": (
        "Name,Email,Zuständig\nA,gone@x.example,ole-user\nB,lost@x.example,mia-user\n", "Zuständig"),
    "who entered it": ("Name,Email,User\nA,gone@x.example,ole-user\nB,lost@x.example,mia-user\n", "User"),
    "mum": ("Mitglied;Mail Mutti\nIda;ole@club.example\n", "Mail Mutti"),
    "login of the coach": ("Name,Coach login\nA,ole-user\nB,mia-user\n", "Coach login"),
}  # fmt: skip


@pytest.mark.parametrize("case", OFFERED)
def test_column_about_somebody_else_is_offered_and_not_chosen(club, said, case):
    text, name = OFFERED[case]

    found = said(text)

    assert (found.mailed, found.held, found.unclear) == ([], [], [])
    assert name in [column.name for column in found.reading.columns[1:]]
    assert said(text, column=name).mailed


@pytest.fixture
def numbered(club, account):
    for number in range(1, 5):
        account(str(number), f"m{number}@club.example")


NUMBERS = {
    "running": "Lfd. Nr.;Name;E-Mail\n1;A;a@x.example\n2;B;b@x.example\n3;C;\n",
    "running alone": "Nr;Name\n1;A\n2;B\n3;C\n",
    "position": "Pos.;Name\n1;A\n2;B\n3;C\n",
    "team": "Name;Mannschaft\nA;1\nB;2\nC;3\n",
    "age": "Name;E-Mail;Alter\nA;a@x.example;4\nB;b@x.example;3\n",
    "UID": "UID;Name;E-Mail\n1;A;a@x.example\n2;B;b@x.example\n3;C;c@x.example\n",
    "member number that counts up": "Mitgliedsnummer;Name;E-Mail\n1;A;a@x.example\n2;B;b@x.example\n3;C;c@x.example\n",
    "no header": "1;A;a@x.example\n2;B;b@x.example\n3;C;c@x.example\n",
}


@pytest.mark.parametrize("case", NUMBERS)
def test_small_numbers_that_are_usernames_name_nobody(numbered, said, case):
    found = said(NUMBERS[case])

    assert (found.mailed, found.held, found.unclear) == ([], [], [])


def test_member_numbers_name_their_members(numbered, said):
    assert said("Name;Mitgliedsnummer\nA;3\nB;1\n").mailed == ["1", "3"]


VAGUE = {
    "empty elsewhere": ("Name,Email,User\nMia,mia@club.example,\nIda,gone@x.example,ole-user\n", [MIA]),
    "superuser": ("Name,Email,User\nMia,mia@club.example,\nIda,gone@x.example,admin\n", [MIA]),
    "clash": ("Name,E-Mail,Benutzer\nMia,mia@club.example,ole-user\nIda,gone@x.example,pat\n", [MIA]),
    "clash and agreement": (
        "Email,Account\nmia@club.example,mia-user\nole@club.example,pat\ngone@x.example,ted\n", [MIA, OLE]),
    "agreement": ("Email,Account\nmia@club.example,mia-user\ngone@x.example,ole-user\n", [MIA, OLE]),
    "login behind addresses of nobody": ("Name,Email,Login\nA,gone@x.example,admin\nB,lost@x.example,ole-user\n", []),
    "login of the superuser": ("Login,Email\nadmin,gone@x.example\nole-user,lost@x.example\n", []),
    "alone": ("Benutzer\nmia-user\nole-user\n", [MIA, OLE]),
}  # fmt: skip


@pytest.mark.parametrize("case", VAGUE)
def test_column_called_user_needs_to_agree_with_the_addresses(club, said, case):
    text, mailed = VAGUE[case]

    found = said(text)

    assert (found.mailed, found.held, found.unclear) == (mailed, [], [])


DISORDER = {
    "all lines": ("Username,Email\nmia-user,ole@club.example\nole-user,mia@club.example\n", [], [2, 3]),
    "one line": ("Username,Email\nmia-user,ole@club.example\n", [], [2]),
    "one of three": (
        "Email;Benutzername\nmia@club.example;mia-user\nted@club.example;ted\nole@club.example;pat\n",
        [MIA, "ted"], [4]),
}  # fmt: skip


@pytest.mark.parametrize("case", DISORDER)
def test_line_whose_username_and_address_are_of_two_people_is_left_to_staff(club, said, case):
    text, mailed, lines = DISORDER[case]

    found = said(text)

    assert (found.mailed, found.held, [line for line, _names in found.unclear]) == (mailed, [], lines)
    assert all(len(names) == 2 for _line, names in found.unclear)


LETTERHEADS = {
    "club": "Tennis Club\noffice@club.example\n\nMia;mia@club.example\nOle;ole@club.example\n",
    "one line": "clerk@club.example\n\nMia;Sample;mia@club.example\nOle;Sample;ole@club.example\n",
    "who to ask": "Questions: office@club.example\n\n1;Mia;mia@club.example\n2;Ole;ole@club.example\n",
}


@pytest.mark.parametrize("case", LETTERHEADS)
def test_letterhead_above_a_table_without_a_header_names_nobody(club, said, case):
    found = said(LETTERHEADS[case])

    assert (found.mailed, found.held, found.unclear) == ([MIA, OLE], [], [])


def test_groups_that_blank_lines_part_are_all_members(club, said):
    found = said("Mia;mia@club.example\n\nOle;ole@club.example\nTed;ted@club.example\n")

    assert (found.mailed, found.unmatched) == ([MIA, OLE, "ted"], [])


def test_lines_of_a_table_that_end_in_separators_are_no_list(club, said):
    found = said("Mia;mia@club.example;ole@club.example;\nQu;'quinn@club.example;admin@club.example;\n")

    assert not found.reading.is_list
    assert (found.mailed, found.held, found.unclear) == ([MIA, "qu"], [], [])


RECIPIENTS = {
    "commas": "mia@club.example, ole@club.example\nted@club.example, admin@club.example\n",
    "semicolons": "mia@club.example; ole@club.example\nted@club.example; admin@club.example\n",
    "separators at the ends": "mia@club.example; ole@club.example;\nted@club.example; admin@club.example;\n",
    "names": "Mia <mia@club.example>, Ole S <ole@club.example>\nTed <ted@club.example>, Admin <admin@club.example>\n",
    "names without blanks": "Mia <mia@club.example>;<ole@club.example>\nTed <ted@club.example>;<admin@club.example>\n",
    "one in the last": "mia@club.example, ole@club.example, ted@club.example\nadmin@club.example\n",
}


@pytest.mark.parametrize("case", RECIPIENTS)
def test_lines_of_several_recipients_are_a_list(club, said, case):
    found = said(RECIPIENTS[case])

    assert found.reading.is_list
    assert (found.mailed, found.held, found.unmatched) == ([MIA, OLE, "ted"], ["admin"], [])


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_two_columns_of_addresses_are_a_table(club, said, between):
    found = said(f"mia@club.example{between}admin@club.example\nole@club.example{between}office@club.example\n")

    assert not found.reading.is_list
    assert (found.mailed, found.held) == ([MIA, OLE], [])


MAILS = {
    "German": "Von: office@club.example\nAn: mia@club.example; ole@club.example\n",
    "English": "From: office@club.example\nTo: mia@club.example, ole@club.example\n",
    "names": (
        'From: Office <office@club.example>\nTo: Mia S <mia@club.example>; "S, Ole" <ole@club.example>\nSubject: Hi\n'),
    "copy": "From: office@club.example\nSent: Monday, 3 May 2026 10:00\nTo: mia@club.example\nCc: ole@club.example\n",
    "copy in German": (
        "Von: Office [mailto:office@club.example]\nGesendet: Montag, 3. Mai 2026\nAn: mia@club.example\n"
        "Cc: ole@club.example\nBetreff: AW: Sommerfest\n"),
    "folded": "From: office@club.example\nTo: mia@club.example,\n ole@club.example\nReply-To: admin@club.example\n",
    "body": (
        "To: mia@club.example, ole@club.example\nFrom: office@club.example\n\nHello,\nask admin@club.example\n"),
    "French": "De : office@club.example\nÀ : mia@club.example; ole@club.example\nObjet : Fête\n",
    "below a line": (
        "-----Original Message-----\nFrom: office@club.example\nTo: mia@club.example, ole@club.example\n"),
    "blind copy": "From: office@club.example\nBcc: mia@club.example, ole@club.example\n",
}  # fmt: skip


@pytest.mark.parametrize("case", MAILS)
def test_mail_that_was_pasted_names_its_recipients(club, said, case):
    found = said(MAILS[case])

    assert found.reading.is_list
    assert (found.mailed, found.held, found.unclear, found.unmatched) == ([MIA, OLE], [], [], [])


FIRST_LINES = {
    "address without its at": ("miaclub.example;Mia\nole@club.example;Ole\n", OLE),
    "domain with mail in it": ("mia.gmail.com;Mia\nole@club.example;Ole\n", OLE),
    "username": ("anna-x\nole-user\n", OLE),
    "username of letters": ("anna\nole-user\n", OLE),
    "number": ("anna7\nole@club.example\n", OLE),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_person_in_the_first_line_is_reported_and_no_header(club, said, case):
    text, named = FIRST_LINES[case]

    found = said(text)

    assert (found.mailed, [line for line, _reason in found.unmatched]) == ([named], [1])


@pytest.mark.parametrize("header", ["Member", "Who?", "Adressen 2026", "Mitglied", "mitglied", "Mitglieds-E-Mail"])
def test_header_of_any_other_name_is_none(club, said, header):
    assert said(f"{header}\nmia@club.example\nole@club.example\n").unmatched == []


AROUND = {
    "letterhead": ("Club\noffice@club.example\n\nEmail;Name\nmia@club.example;Mia\n", [2]),
    "letterhead in two cells": ("Club e.V.;ole@club.example\nName;Email\nMia;mia@club.example\n", [1]),
    "footer": ("Name;Email\nMia;mia@club.example\n\nErstellt von;office@club.example\n", [4]),
    "footer behind separators": ("Name;Email\nMia;mia@club.example\n;\nStand Mai;office@club.example\n", [4]),
    "footer by username": ("Name;Username\nMia;mia-user\n\nErstellt von;ole-user\n", [4]),
    "sentence": ("Email;Name\nmia@club.example;Mia\nFragen an ole@club.example;\n", [3]),
    "sentence in one column": ("Email\nmia@club.example\nFragen an ole@club.example\n", [3]),
    "questions": ("Email,Name\nmia@club.example,Mia\n\"Questions? Please write to ole@club.example\",\n", [3]),
}  # fmt: skip


@pytest.mark.parametrize("case", AROUND)
def test_what_stands_around_the_table_is_reported_and_names_nobody(club, said, case):
    text, lines = AROUND[case]

    found = said(text)

    assert (found.mailed, found.held, found.unclear) == ([MIA], [], [])
    assert [line for line, _reason in found.unmatched] == lines


def test_blank_lines_between_groups_end_no_table(club, said):
    text = "Nr;Email\n1;mia@club.example\n\n2;ole@club.example\n\n3;ted@club.example\n"

    assert said(text).mailed == [MIA, OLE, "ted"]
