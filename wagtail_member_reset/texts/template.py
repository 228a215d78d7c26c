"""The emails of the template files: ours, or a site's override."""

from __future__ import annotations

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils import translation

from .. import languages
from ..exceptions import TemplateSlotError
from ..models import WITHOUT_LINK
from .pieces import SLOTS, Compiled, Pieces, cut, marker

# What every template of an email with a link has to hold, where there is something to say.
NEEDED = ("link", "paragraph")
PARTS = {"subject": "{}_subject.txt", "text": "{}.txt", "html": "{}.html"}


def compile_template(purpose: str, language: str, filled: frozenset[str]) -> Compiled:
    """
    The email of a purpose in a language, for members with these slots filled.

    Raises `TemplateSlotError` where a template changes a slot or lacks one, and what the template raises.
    """
    context = context_of(language, filled)
    with translation.override(language):
        parts = {
            part: cut(render_to_string(template, context), template)
            for part, path in PARTS.items()
            for template in [f"wagtail_member_reset/emails/{path.format(purpose)}"]
        }
    if purpose not in WITHOUT_LINK:
        _require_slots(purpose, filled, parts)
    return Compiled(**parts, language=language)


def context_of(language: str, filled: frozenset[str]) -> dict[str, object]:
    """Slots and nothing else; an empty one is left out by the template."""
    with translation.override(language):
        bidi = languages.is_right_to_left()
    slots = {name: marker(name) if name in filled else "" for name in SLOTS}
    return {**slots, "language": language, "bidi": bidi}


def _require_slots(purpose: str, filled: frozenset[str], parts: Mapping[str, Pieces]) -> None:
    for part in ("text", "html"):
        template = f"wagtail_member_reset/emails/{PARTS[part].format(purpose)}"
        for slot in NEEDED:
            if slot in filled and slot not in parts[part][1::2]:
                where = "without filters, where it belongs."
                raise TemplateSlotError(f"{template} has no {slot}: write {{{{ {slot} }}}}, {where}")
