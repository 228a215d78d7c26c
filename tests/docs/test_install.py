"""The steps of the README and of the tutorial, followed to the letter on a site that was made a moment ago."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from . import blocks

# The site has a database of its own, on SQLite.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(connection.vendor != "sqlite", reason="once is enough")]

WALKED = {
    "ticked": True,
    "sentence": True,
    "link": True,
    "saved": True,
    "in": [302, "/", True],
    "same answer": [200, 200],
    "mailed": [["mia@club.example"]] * 3,
}
ANA = {
    "DJANGO_SUPERUSER_USERNAME": "ana",
    "DJANGO_SUPERUSER_EMAIL": "ana@club.example",
    "DJANGO_SUPERUSER_PASSWORD": "-",
}


def call(folder, *command, **more):
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    # The sources, where the package is installed in place.
    environment["PYTHONPATH"] = str(blocks.ROOT)
    ran = subprocess.run(
        [sys.executable, *command],
        check=False,
        cwd=folder,
        env={**environment, **more},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def site(tmp_path):
    call(tmp_path, "-c", "from wagtail.bin.wagtail import main; main()", "start", "mysite")
    return tmp_path / "mysite"


def add(path: Path, code: str, *, before: str = "") -> None:
    """Write what a block shows to a file: imports first, entries into the list, the rest above a line or at the end."""
    text = path.read_text("utf-8")
    for statement in ast.parse(code).body:
        source = ast.get_source_segment(code, statement)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            text = f"{source}\n{text}"
        elif isinstance(statement.value, ast.List):
            text = into_the_list(text, statement.targets[0].id, statement.value, code)
        elif before:
            text = text.replace(before, f"{source}\n\n{before}", 1)
        else:
            text += f"\n{source}\n"
    path.write_text(text, "utf-8")


def into_the_list(text: str, name: str, shown: ast.List, code: str) -> str:
    """The entries that the file lacks: of addresses, above Wagtail's own, which answer all that are left."""
    lacking = [
        entry
        for entry in (ast.get_source_segment(code, each) for each in shown.elts)
        if entry != "..." and entry not in text
    ]
    last = '    path("", include(wagtail_urls)),\n' if name == "urlpatterns" else ""
    for entry in lacking:
        if last:
            assert text.count(last) == 1
            text = text.replace(last, f"    {entry},\n{last}")
        else:
            text = re.sub(
                rf"^({name} = \[.*?)^\]", rf"\1    {entry},\n]", text, count=1, flags=re.MULTILINE | re.DOTALL
            )
    return text


def run(site: Path, block: blocks.Block) -> None:
    """The commands of a block but for those that made the site, and the server."""
    for line in block.code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:2] == ["python", "manage.py"] and words[2] != "runserver":
            options = ["--noinput"] if words[2] == "createsuperuser" else []
            said = call(site, "-W", "error", *words[1:], *options, **ANA)
            assert words[2] != "check" or "no issues" in said


def walk(site: Path) -> dict[str, object]:
    walker = str(Path(__file__).with_name("newcomer.py"))
    return json.loads(
        call(site, walker, DJANGO_SETTINGS_MODULE="mysite.settings.dev", PYTHONPATH=f"{site}:{blocks.ROOT}")
    )


def test_steps_of_the_readme_lead_to_a_member_who_signs_in(site):
    settings, urls = blocks.of("python", "README")
    install, commands = blocks.of("sh", "README")

    add(site / "mysite" / "settings" / "base.py", settings.code)
    add(site / "mysite" / "urls.py", urls.code)
    run(site, commands)
    call(site, "manage.py", "createsuperuser", "--noinput", **ANA)

    assert install.code == "pip install wagtail-member-reset\n"
    assert walk(site) == WALKED


def test_tutorial_leads_to_a_member_who_signs_in(site):
    apps, base_url, urls = blocks.of("python", "docs/tutorial")

    add(site / "mysite" / "settings" / "base.py", apps.code)
    add(site / "mysite" / "settings" / "dev.py", base_url.code, before="try:")
    add(site / "mysite" / "urls.py", urls.code)
    for block in blocks.of("sh", "docs/tutorial"):
        run(site, block)

    assert walk(site) == WALKED
