"""The members' two forms, and the password rules in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.password_validation import MinimumLengthValidator, NumericPasswordValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

LONGEST_PASSWORD = 4096
# Some of Django's catalogues lack this message of one of its validators. Ours have it: no page mixes two languages.
OF_DJANGO = ngettext_lazy(
    "This password is too short. It must contain at least %d character.",
    "This password is too short. It must contain at least %d characters.",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the site's password rules; `check` names those that a browser can judge while typing."""

    text: str
    check: str = ""
    value: int = 0


class RequestForm(forms.Form):
    email = forms.CharField(
        label=pgettext_lazy("members", "Email address"),
        max_length=320,
        # Not of type "email": browsers refuse letters before the @ that mail servers take.
        widget=forms.TextInput(
            attrs={
                "autocomplete": "email",
                "inputmode": "email",
                "pattern": ".+@.+",
                "title": _("An email address has an @ in the middle."),
                "autocapitalize": "none",
                "spellcheck": "false",
                "maxlength": 320,
                "aria-describedby": "email-help",
            }
        ),
    )


class PasswordForm(forms.Form):
    """One field: it can be shown, so it need not be typed twice."""

    new_password1 = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "aria-describedby": "password-error password-rules"}
        ),
        error_messages={"required": _("Please enter a new password.")},
    )

    def __init__(self, member: Any, *args: Any, **kwargs: Any) -> None:
        self.member = member
        super().__init__(*args, **kwargs)

    def clean_new_password1(self) -> str:
        password: str = self.cleaned_data["new_password1"]
        password_validation.validate_password(password, self.member)
        return password


def password_rules() -> list[Rule]:
    """The help texts of AUTH_PASSWORD_VALIDATORS, as the site has them now."""
    rules = []
    for validator in password_validation.get_default_password_validators():
        text = str(validator.get_help_text())
        if isinstance(validator, MinimumLengthValidator):
            rules.append(Rule(text, "length", validator.min_length))
        elif isinstance(validator, NumericPasswordValidator):
            rules.append(Rule(text, "numeric"))
        elif text:
            rules.append(Rule(text))
    return rules
