"""What stands in the form of an email text beside its fields: a test to who edits, and the default text."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from wagtail.admin.panels import Panel

from ..texts import FIELDS, offered_words
from .email_text_test import WANTED
from .email_text_words import reasons_against_published, used_instead


class TestPanel(Panel):  # type: ignore[misc]
    __test__ = False  # not a test of pytest's

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "wagtail_member_reset/staff/email_text_test.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            return {"wanted": WANTED, **reasons_against_published(self.instance)}


class DefaultPanel(Panel):  # type: ignore[misc]
    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "wagtail_member_reset/staff/email_text_default.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            text = self.instance
            offered = offered_words(text.purpose, text.language)
            words = asdict(offered) if offered else {}
            named = [(text.label_of(name), words[name]) for name in FIELDS if words.get(name)]
            about = {
                "json": json.dumps(words),
                "named": named,
                "language": text.language,
                "instead": used_instead(text),
            }
            return {"words": words, **about}
