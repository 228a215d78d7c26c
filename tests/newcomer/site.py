"""
A site that was made a moment ago, on which the pages' steps are followed to the letter.

Any Python will do that has Wagtail and the package, so that a release is tried by this, too.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

from tests.docs import blocks

ANA = {
    "DJANGO_SUPERUSER_USERNAME": "ana",
    "DJANGO_SUPERUSER_EMAIL": "ana@club.example",
    "DJANGO_SUPERUSER_PASSWORD": "-",
}
# What the walk says where all is well.
WALKED = {
    "ticked": True,
    "sentence": True,
    "link": True,
    "saved": True,
    "in": [302, "/", True],
    "same answer": [200, 200],
    "mailed": [["mia@club.example"]] * 3,
}


class NewSite:
    """What `wagtail start` makes in a folder, with the Wagtail of that Python."""

    def __init__(self, folder: Path, python: str) -> None:
        self.python = python
        self.call("-c", "from wagtail.bin.wagtail import main; main()", "start", "mysite", folder=folder)
        self.folder = folder / "mysite"

    def call(self, *command: str, folder: Path | None = None, **more: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        ran = subprocess.run(
            [self.python, *command],
            check=False,
            cwd=folder or self.folder,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def follow_readme(self) -> None:
        settings, urls = blocks.of("python", "README")
        install, commands = blocks.of("sh", "README")
        assert install.code == "pip install wagtail-member-reset\n"
        self.add("settings/base.py", settings)
        self.add("urls.py", urls)
        self.run(commands)
        self.call("manage.py", "createsuperuser", "--noinput", **ANA)

    def follow_tutorial(self) -> None:
        apps, base_url, urls = blocks.of("python", "docs/tutorial")
        self.add("settings/base.py", apps)
        self.add("settings/dev.py", base_url, before="try:")
        self.add("urls.py", urls)
        for block in blocks.of("sh", "docs/tutorial"):
            self.run(block)

    def add(self, name: str, block: blocks.Block, *, before: str = "") -> None:
        """Write what a block shows to a file: imports first, entries into the list, the rest above a line or last."""
        path = self.folder / "mysite" / name
        text = path.read_text("utf-8")
        for statement in ast.parse(block.code).body:
            source = ast.get_source_segment(block.code, statement) or ""
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                text = f"{source}\n{text}"
            elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List):
                text = into_the_list(text, ast.unparse(statement.targets[0]), statement.value, block.code)
            elif before:
                text = text.replace(before, f"{source}\n\n{before}", 1)
            else:
                text += f"\n{source}\n"
        path.write_text(text, "utf-8")

    def run(self, block: blocks.Block) -> None:
        """The commands of a block but for the server. Warnings are errors, but for that of the site's own settings."""
        for line in block.code.splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["python", "manage.py"] and words[2] != "runserver":
                options = ["--noinput"] if words[2] == "createsuperuser" else []
                said = self.call("-W", "error", "-W", "ignore:The EMAIL_", *words[1:], *options, **ANA)
                assert words[2] != "check" or "no issues" in said, said

    def walk(self) -> dict[str, object]:
        walker = Path(__file__).with_name("walk.py")
        told = self.call(str(walker), DJANGO_SETTINGS_MODULE="mysite.settings.dev", PYTHONPATH=str(self.folder))
        return json.loads(told)


def into_the_list(text: str, name: str, shown: ast.List, code: str) -> str:
    """The entries that the file lacks: of addresses, above Wagtail's own, which answer all that are left."""
    sources = [ast.get_source_segment(code, each) or "" for each in shown.elts]
    last = '    path("", include(wagtail_urls)),\n' if name == "urlpatterns" else ""
    for entry in (source for source in sources if source != "..." and source not in text):
        if last:
            assert text.count(last) == 1
            text = text.replace(last, f"    {entry},\n{last}")
        else:
            text = re.sub(
                rf"^({name} = \[.*?)^\]", rf"\1    {entry},\n]", text, count=1, flags=re.MULTILINE | re.DOTALL
            )
    return text
