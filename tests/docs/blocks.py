"""The blocks of code on the pages that people read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^`\n]*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    page: str
    line: int
    language: str
    code: str
    # A test of the page's own runs it.
    is_marked: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def on(path: Path) -> list[Block]:
    text = path.read_text("utf-8")
    return [
        Block(
            page=path.relative_to(ROOT).as_posix(),
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            code=dedent(found["code"]),
            is_marked=bool(re.search(r"<!-- example: \w+ -->\n$", text[: found.start()])),
        )
        for found in FENCE.finditer(text)
        # In braces stand directives of Sphinx.
        if not found["language"].startswith("{")
    ]


BLOCKS = [block for path in PAGES for block in on(path)]


def of(language: str, page: str = "") -> list[Block]:
    return [block for block in BLOCKS if block.language == language and block.page.startswith(page)]
