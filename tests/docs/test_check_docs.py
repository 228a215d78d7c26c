"""`.ci/check_docs.py` finds what a reader without a network, or with a click, would find broken."""

import runpy

import pytest

from . import blocks

look = runpy.run_path(str(blocks.ROOT / ".ci" / "check_docs.py"))["look"]


@pytest.fixture
def built(tmp_path):
    """Enough pages that lead to each other."""
    for number in range(20):
        (tmp_path / f"page{number}.html").write_text('<h2 id="here"></h2><a href="page0.html#here">x</a>')
    (tmp_path / "site.css").write_text("/* https://elsewhere.example */ a { background: url(data:image/png;base64,x) }")
    return tmp_path


def test_pages_that_lead_to_each_other_are_fine(built):
    assert list(look(built)) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ('<script src="https://cdn.example/a.js"></script>', "loads https://cdn.example/a.js"),
        ('<img src="//cdn.example/a.png">', "loads //cdn.example/a.png"),
        ('<link rel="stylesheet" href="https://fonts.example/a.css">', "loads https://fonts.example/a.css"),
        ('<a href="gone.html">x</a>', "links to gone.html, which is not there"),
        ('<a href="page0.html#gone">x</a>', "links to page0.html#gone, which is not there"),
        ('<a href="../secret.html">x</a>', "links to ../secret.html, which is not there"),
    ],
)
def test_what_is_broken_or_from_elsewhere_is_told(built, code, said):
    (built / "page7.html").write_text(code)

    assert list(look(built)) == [f"page7.html {said}"]


def test_font_from_elsewhere_is_told(built):
    (built / "site.css").write_text(
        '@import "https://fonts.example/a.css"; a { src: url(https://fonts.example/b.woff) }'
    )

    assert list(look(built)) == [
        "site.css loads https://fonts.example/a.css",
        "site.css loads https://fonts.example/b.woff",
    ]
