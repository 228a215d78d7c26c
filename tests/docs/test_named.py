"""What the pages of docs/ name is there."""

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
    table = re.findall(
        rf"^\| ({ID})(?: to ({ID}))? \|", (ROOT / "docs" / "reference" / "checks.md").read_text("utf-8"), re.MULTILINE
    )

    [(first, last)] = [row for row in table if row[1]]
    in_one = {number for number in SETTINGS.values() if first <= number <= last}
    assert len(in_one) == int(last[1:]) - int(first[1:]) + 1
    assert sorted(number for number, last in table if not last) == sorted(said - in_one)


def test_each_test_that_holds_a_claim_of_security_exists():
    page = (ROOT / "docs" / "explanation" / "security.md").read_text("utf-8")
    claims = re.findall(r"^\| (?!claim |---)(.+?) \| (.+) \|$", page, re.MULTILINE)
    named = [
        (file, name)
        for _claim, tests in claims
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", tests)
    ]

    assert len(claims) > 30
    assert all("::test_" in tests for _claim, tests in claims)
    assert [
        (file, name)
        for file, name in named
        if not re.search(rf"^ *def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ] == []
