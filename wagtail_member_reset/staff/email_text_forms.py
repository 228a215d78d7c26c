"""The forms of an email text: which email it is to be, and what it says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.models import Site

from .. import languages
from ..models import EmailText
from ..texts import (
    FIELDS,
    OwnPages,
    Words,
    can_be_made,
    holds_link,
    offered_words,
    personal_link,
    placeholders,
    problems,
    too_long,
)
from . import site_choice
from .email_text_words import cannot_be_made, edit_url
from .media import FORM_MEDIA, TEXT_MEDIA

HELP = {
    "subject": gettext_lazy("One line. Members see it in their list of emails."),
    "heading": gettext_lazy("Above the email, in large type. The part in plain text has no heading."),
    "body": gettext_lazy(
        "A blank line begins a paragraph. Write **words** for bold, and [words](/page/) for a link to a page of this "
        "site. A line is left out for members who have no value for its placeholder; a missing first name leaves "
        "no gap."
    ),
    "button": gettext_lazy(
        "The words on the button. Put {link} in a paragraph of its own, and the button appears there."
    ),
    "footer": gettext_lazy("Below the email, in small type, with the same marks as the body."),
}


class WithPlaceholders(forms.Widget):
    """A field's own widget, with buttons below that put placeholders in."""

    def __init__(self, widget: forms.Widget, names: tuple[str, ...]) -> None:
        super().__init__()
        self.widget, self.names, self.attrs = widget, names, widget.attrs

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        # By the site's templates, whatever renders its forms.
        context = {"field_id": (attrs or {}).get("id", f"id_{name}"), "placeholders": self.names}
        buttons = render_to_string("wagtail_member_reset/staff/email_text_placeholders.html", context)
        return self.widget.render(name, value, attrs, renderer) + SafeString(buttons)

    @property
    def media(self) -> forms.Media:
        return self.widget.media


class NewForm(WagtailAdminModelForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label=self.fields["language"].label,
            choices=languages.of_emails(),
            initial=languages.spoken(),
        )
        site = self.fields["site"]
        site.required, site.empty_label = False, _("All sites")
        own = _("Members of one site get its own text, where it has one.")
        site.help_text = f"{own} {site_choice.where_links_lead()}".strip()
        if Site.objects.count() < 2:
            del self.fields["site"]

    @property
    def media(self) -> forms.Media:
        own: forms.Media = super().media + FORM_MEDIA
        return own

    def defer_required_fields(self) -> None:
        super().defer_required_fields()
        for name in ("purpose", "language"):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean()
        purpose, language, site = found.get("purpose"), found.get("language"), found.get("site")
        if purpose and language:
            key = EmailText(purpose=purpose, language=language, site=site).key_of()
            if EmailText.objects.filter(key=key).exists():
                self.add_error("purpose", taken(key))
                return found
            self._begin_with_default(purpose, language)
        return found

    def _begin_with_default(self, purpose: str, language: str) -> None:
        words = offered_words(purpose, language)
        for field in FIELDS if words else ():
            setattr(self.instance, field, getattr(words, field))


class EditForm(WagtailAdminModelForm):  # type: ignore[misc]
    """A draft may be anything but too long, and holds nobody's link; what is published is fit to be mailed."""

    is_draft = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FIELDS:
            field = self.fields[name]
            field.help_text = HELP.get(name, "")
            field.strip = False
            field.widget = WithPlaceholders(field.widget, placeholders(self.instance.purpose, name))
            field.widget.attrs["lang"] = self.instance.language

    @property
    def media(self) -> forms.Media:
        own: forms.Media = super().media + TEXT_MEDIA
        return own

    def defer_required_fields(self) -> None:
        """Wagtail calls this before it looks at a draft, and for its preview."""
        super().defer_required_fields()
        self.is_draft = True

    def restore_required_fields(self) -> None:
        super().restore_required_fields()
        self.is_draft = False

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean()
        words = Words.of(found)
        held = [field for field in FIELDS if holds_link(getattr(words, field))]
        for field in held:  # nor in a draft, which is kept
            self.add_error(field, personal_link())
        if words.is_too_long:
            self.add_error("body", too_long())
        elif not held and not self.is_draft:
            self._look_at(words)
        return found

    def _look_at(self, words: Words) -> None:
        text, own = self.instance, OwnPages()
        found = problems(words, text.purpose, own=own)
        for field, messages in found.items():
            if field not in self.errors:
                self.add_error(field, [ValidationError(message) for message in messages])
        if not found and not can_be_made(words, text.purpose, text.language, own=own):
            self.add_error(None, cannot_be_made())


def taken(key: str) -> ValidationError:
    """Another text has this key: which one, to be edited instead."""
    said = _("There is a text for this email already, in this language and for this site.")
    found = EmailText.objects.filter(key=key).first()
    if found is not None:
        said = format_html('{} <a href="{}">{}</a>', said, edit_url(found), _("Edit that one"))
    return ValidationError(said, code="taken")
