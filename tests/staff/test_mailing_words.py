"""Text of files, as a spreadsheet takes it."""

import csv
import io

import pytest

from wagtail_member_reset.staff.spreadsheets import harmless

SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
BEFORE = ["", "x;", "x,", "x|", "x\t", "x\n", "x\r", 'x";', "x;;", "x; ", 'x;"', "x;'", "x;\u00a0", " ", '"']


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", BEFORE, ids=repr)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"], ids=repr)
def test_no_cell_of_a_download_is_computed_whatever_separates_cells_in_the_readers_language(sign, before, separator):
    file = io.StringIO()
    csv.writer(file).writerow((5, harmless(f"{before}{sign}1+1"), "No account"))
    opened = csv.reader(io.StringIO(file.getvalue(), newline=None), delimiter=separator)

    cells = [cell for row in opened for cell in row]

    assert [cell for cell in cells if cell.strip(" \u00a0\"'")[:1] == sign and not cell.lstrip().startswith("'")] == []


@pytest.mark.parametrize("text", ["Müller; Mia", "mia@members.example", "a=b", "Mia-Sophie", "x; y", ""])
def test_text_that_computes_nothing_stays_as_it_is(text):
    assert harmless(text) == text
