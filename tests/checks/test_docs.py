"""The table of checks names each that there is, and no other."""

import re
from pathlib import Path

import wagtail_member_reset
from tests.settings import ROOT
from wagtail_member_reset.checks.settings import SETTINGS

ID = r"[EWI]\d{3}"


def test_table_has_every_check_and_no_other():
    modules = Path(wagtail_member_reset.__file__).with_name("checks").glob("*.py")
    said = {
        number
        for module in modules
        for number in re.findall(rf'"(?:wagtail_member_reset\.)?({ID})"', module.read_text("utf-8"))
    }
    table = re.findall(rf"^\| ({ID})(?: to ({ID}))? \|", (ROOT / "docs" / "checks.md").read_text("utf-8"), re.MULTILINE)

    assert sorted({first for first, last in table if not last}) == sorted(said - set(SETTINGS.values()))
    assert [row for row in table if row[1]] == [(min(SETTINGS.values()), max(SETTINGS.values()))]
