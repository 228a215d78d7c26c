"""The README as the page of a package index has it; all else is in setup.cfg."""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent


def long_description(text: str, *, source: str, version: str) -> str:
    """
    The README with links to the files of this version, which an index does not have.

    `source` is the address of the repository; without one, the text stays as it is.
    """
    if not source:
        return text

    def absolute(found: "re.Match[str]") -> str:
        picture, words, path = found.groups()
        return f"{picture}[{words}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/v{version}/{path})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)", absolute, text)


def source() -> str:
    """What setup.cfg says under `project_urls`: the one place for it."""
    config = ConfigParser()
    config.read(HERE / "setup.cfg", encoding="utf-8")
    lines = config.get("metadata", "project_urls", fallback="").splitlines()
    urls = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if "=" in line)
    return urls.get("Source", "")


def version() -> str:
    text = (HERE / "wagtail_member_reset" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found
    return found[1]


if __name__ == "__main__":
    readme = (HERE / "README.md").read_text("utf-8")
    setup(long_description=long_description(readme, source=source(), version=version()))
