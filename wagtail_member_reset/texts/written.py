"""A text that editors wrote, compiled into what one member's mail is filled from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from ..models import WITHOUT_LINK
from . import marks
from .outcomes import HERE, MAY_BE_EMPTY
from .own import OwnPages
from .pieces import SLOTS, Compiled, cut, marker
from .template import context_of
from .words import MAY_LACK, Words, without

TEMPLATE = "wagtail_member_reset/emails/text.html"


@dataclass(frozen=True, slots=True)
class Written:
    """The words, and where the paths in them begin: scheme and host of the mail's site."""

    words: Words
    origin: str


def compile_written(
    written: Written, purpose: str, language: str, filled: frozenset[str], *, own: OwnPages | None = None
) -> Compiled:
    """
    The email of a text, for members with these slots filled.

    Whatever the text holds, it does no more than its marks say; a link that leads elsewhere is no link. Whether it is
    fit to be mailed is asked before.
    """
    missing = MAY_LACK - filled
    words, has_link = written.words, purpose not in WITHOUT_LINK
    address = partial(marks.own_address, origin=written.origin, is_own=own or OwnPages())
    body = marks.paragraphs(without(_with_paragraph(words.body, filled), missing))
    footer = marks.paragraphs(without(words.footer, missing))
    text = [*[marks.as_text(each, address) for each in (*body, *footer)], marker("site_name")]
    context = {
        **context_of(language, filled),
        "subject": marks.plain(without(words.subject, missing)),
        "heading": marks.plain(without(words.heading, missing)),
        "button": marks.plain(without(words.button, missing)),
        "blocks": [(each == marks.LINK_ALONE, _html(each, address)) for each in _with_button(body, has_link=has_link)],
        "footer_paragraphs": [_html(each, address) for each in footer],
        "has_link": has_link,
    }
    with translation.override(language):
        return Compiled(
            subject=cut(str(context["subject"]), "The subject"),
            text=cut("\n\n".join(text), "The text"),
            html=cut(render_to_string(TEMPLATE, context), TEMPLATE),
            language=language,
        )


def can_be_made(words: Words, purpose: str, language: str, *, own: OwnPages) -> bool:
    """
    Whether the templates of the site make an email of the text, for members who have a value for everything and for
    those who lack what they may. What the text itself may do to an email in between, `problems` looks at.
    """
    always = frozenset(SLOTS) - MAY_BE_EMPTY
    try:
        for filled in (frozenset(SLOTS), always):
            compile_written(Written(words, f"https://{HERE}"), purpose, language, filled, own=own)
    except Exception:  # whatever a template of the site's raises
        return False
    return True


def _html(paragraph: str, address: marks.Address) -> SafeString:
    return mark_safe(marks.as_html(paragraph, address))  # noqa: S308 - escaped there, piece by piece


def _with_paragraph(body: str, filled: frozenset[str]) -> str:
    """With the paragraph of a mailing below the first one, where the text has no place for it: it is never lost."""
    if "paragraph" not in filled or "{paragraph}" in body:
        return body
    first, *rest = marks.paragraphs(body) or [""]
    return "\n\n".join([first, "{paragraph}", *rest])


def _with_button(body: list[str], *, has_link: bool) -> list[str]:
    """With the button below the paragraph that has the link, where no paragraph is the link alone."""
    if not has_link or marks.LINK_ALONE in body:
        return body
    at = next((at for at, each in enumerate(body, 1) if marks.LINK_ALONE in each), len(body))
    return [*body[:at], marks.LINK_ALONE, *body[at:]]
