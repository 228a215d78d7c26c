"""Links between pages lead somewhere, from an index, too."""

import re
import runpy
from urllib.parse import unquote

import pytest

from . import blocks

PAGES = [*blocks.PAGES, blocks.ROOT / "CHANGELOG.md"]
SETUP = blocks.ROOT / "setup.py"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(path):
    return re.sub(r"`[^`\n]+`", "", blocks.FENCE.sub("", path.read_text("utf-8")))


def anchors(path):
    """The headings of a page, as GitHub and MyST make them addresses, with those of what it includes."""
    text = path.read_text("utf-8")
    for included in re.findall(r"^```{include} (\S+)$", text, re.MULTILINE):
        text += (path.parent / included).read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", blocks.FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(blocks.ROOT).as_posix())
def test_each_link_leads_to_a_file_and_a_heading(path):
    for address in LINK.findall(prose(path)):
        file, _hash, anchor = unquote(address).partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), address
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), address


def test_readme_is_short():
    assert len((blocks.ROOT / "README.md").read_text("utf-8").splitlines()) <= 180


def test_everything_in_docs_that_the_readme_does_not_name_is_in_an_index():
    indexes = "\n".join(path.read_text("utf-8") for path in (blocks.ROOT / "docs").rglob("index.md"))
    pages = [
        path for path in (blocks.ROOT / "docs").rglob("*.md") if path.stem != "index" and "announce" not in path.parts
    ]

    assert [path for path in pages if not re.search(rf"^(?:[\w-]+/)?{path.stem}$", indexes, re.MULTILINE)] == []


# The page of a package index, which knows no other file of this repository.


def description(text, source):
    return runpy.run_path(str(SETUP))["long_description"](text, source=source, version="1.2.3")


def test_links_and_pictures_are_absolute_where_the_source_is_known():
    text = "![a tab](docs/tab.png) [pages](docs/a.md#b) [out](https://wagtail.org/) [here](#install)"

    assert description(text, "https://code.example/club/reset") == (
        "![a tab](https://code.example/club/reset/raw/v1.2.3/docs/tab.png)"
        " [pages](https://code.example/club/reset/blob/v1.2.3/docs/a.md#b)"
        " [out](https://wagtail.org/) [here](#install)"
    )


def test_readme_keeps_no_relative_link_where_the_source_is_known():
    text = description((blocks.ROOT / "README.md").read_text("utf-8"), "https://code.example/club/reset")

    assert [address for address in LINK.findall(text) if not re.match(r"https://|#", address)] == []


def test_links_stay_as_they_are_where_no_source_is_named():
    text = (blocks.ROOT / "README.md").read_text("utf-8")

    assert description(text, "") == text
