"""The create form's choice between a link for the new member and a password set by staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from ..conf import conf

FIELD = "member_reset_password"
LINK, PASSWORD = "link", "password"
PASSWORDS = ("password1", "password2")


def offers_welcome() -> bool:
    return conf.WELCOME_ON_CREATE and getattr(settings, "WAGTAILUSERS_PASSWORD_ENABLED", True)


class WelcomeFormMixin:
    """
    In front of the site's own creation form.

    A form that is posted without our field behaves as it would without us: scripts and
    sites with a template of their own keep what they had.
    """

    fields: dict[str, forms.Field]
    data: Any
    is_bound: bool
    cleaned_data: dict[str, Any]
    instance: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not offers_welcome() or (self.is_bound and not self._asks_for_choice()):
            return
        self.fields[FIELD] = forms.ChoiceField(
            label=_("How the new person gets a password"),
            choices=[
                (LINK, _("Send this person a link to set their own password (recommended)")),
                (PASSWORD, _("Set a password now")),
            ],
            initial=LINK,
            widget=forms.RadioSelect,
        )
        passwords = [self.fields[name] for name in PASSWORDS if name in self.fields]
        self.was_password_required = any(field.required for field in passwords)
        for field in passwords:
            # Required only with the second choice, which `clean` sees to.
            field.required = False

    def _asks_for_choice(self) -> bool:
        # Wagtail's copy view takes a POST too, and then saves to the account that was copied: no welcome for that one.
        return self.add_prefix(FIELD) in self.data and self.instance._state.adding  # type: ignore[attr-defined]

    @property
    def wants_welcome_link(self) -> bool:
        return bool(self.cleaned_data.get(FIELD) == LINK)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data  # type: ignore[misc]
        if FIELD in self.fields and cleaned.get(FIELD) == PASSWORD and self.was_password_required:
            for name in PASSWORDS:
                if name in self.fields and not cleaned.get(name) and name not in self.errors:  # type: ignore[attr-defined]
                    self.add_error(name, self.fields[name].error_messages["required"])  # type: ignore[attr-defined]
        return cleaned

    def clean_password1(self) -> str:
        return self._typed("password1")

    def clean_password2(self) -> str:
        return self._typed("password2")

    def save(self, commit: bool = True) -> Any:
        if FIELD in self.fields and self.wants_welcome_link:
            self.instance.set_unusable_password()
        return super().save(commit)  # type: ignore[misc]

    def _typed(self, name: str) -> str:
        # With the link chosen, what a browser may have filled in is not looked at.
        if FIELD in self.fields and self.data.get(self.add_prefix(FIELD)) == LINK:  # type: ignore[attr-defined]
            return ""
        own = getattr(super(), f"clean_{name}", None)
        typed: str = own() if own else self.cleaned_data[name]
        return typed
