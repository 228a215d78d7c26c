"""The text that an email has where editors wrote none, in the marks that editors write: read off the templates."""

from __future__ import annotations

import logging
from html.parser import HTMLParser

from django.utils import translation
from django.utils.translation import gettext as _

from ..conf import conf
from ..models import NAMELESS
from .pieces import SLOTS, Pieces
from .template import compile_template
from .words import Words

logger = logging.getLogger("wagtail_member_reset")

# What stands out in the HTML part.
BOLD = ("username", "valid_until")


def offered_words(purpose: str, language: str) -> Words | None:
    """The same for who writes a text; None where it cannot be made, which the log says."""
    try:
        return default_words(purpose, language)
    except Exception as error:  # whatever a template of the site's raises
        logger.error("The default text of %s cannot be made: %s", purpose, type(error).__name__)
        return None


def default_words(purpose: str, language: str) -> Words:
    """
    Our own text, or that of a site's templates. A paragraph is of the footer where the HTML part has it there.

    Raises what the templates raise.
    """
    filled = frozenset(SLOTS) - {"paragraph"} - ({"support_contact"} if not conf.SUPPORT_CONTACT else set())
    if purpose in NAMELESS:
        filled -= {"first_name", "username"}
    compiled = compile_template(purpose, language, filled)
    page = _Page(_written(compiled.html))
    footer = [_one_line(line) for line in page.footer.split("\n") if line.strip()]
    text = [part.strip() for part in _written(compiled.text).split("\n\n")]
    text = [part for part in text if part and part != "{site_name}" and _one_line(part) not in footer]
    body = "\n\n".join(text)
    for slot in BOLD:
        body = body.replace(f"{{{slot}}}", f"**{{{slot}}}**")
    with translation.override(language):
        button = _one_line(page.button) or (_("Choose your password") if "{link}" in body else "")
    subject = _one_line(_written(compiled.subject))
    return Words(subject, _one_line(page.heading) or subject, body, button, "\n\n".join(footer))


def _written(pieces: Pieces) -> str:
    return "".join(f"{{{piece}}}" if at % 2 else piece for at, piece in enumerate(pieces))


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Page(HTMLParser):
    """What stands in the heading, on the button and below the card of an email in HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.heading = self.button = self.footer = ""
        self._part = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "h1":
            self._part = "heading"
        elif tag == "td" and "button" in classes:
            self._part = "button"
        elif tag == "td" and "soft" in classes:
            self._part = "footer"
        elif tag == "br" and self._part == "footer":
            self.footer += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "td"):
            self._part = ""

    def handle_data(self, data: str) -> None:
        if self._part:
            setattr(self, self._part, getattr(self, self._part) + " ".join(data.split("\n")))
