"""The choice of link or password when staff create an account, and the form that corrects an address."""

from __future__ import annotations

from copy import copy
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.models import Site

from .. import links
from ..accounts import LONGEST_ADDRESS, clean_address, column_of, has_passwords, same_address
from ..conf import conf
from . import site_choice

FIELD = "member_reset_password"
SITE = "member_reset_site"
LINK, PASSWORD, LATER = "link", "password", "later"
# What stands in the panel has the id of a form that does not exist, since Wagtail's own form must not submit it.
NO_FORM = "member-reset-no-form"
ALSO_USERNAME = "also_username"
PASSWORDS = ("password1", "password2")


def _help_of_site() -> str:
    if not conf.BASE_URL:
        return gettext("Where the link leads, and whose text and sender it has.")
    return gettext("Whose text and sender the email has. All links lead to %(address)s.") % {"address": conf.BASE_URL}


def offers_welcome() -> bool:
    return conf.WELCOME_ON_CREATE and has_passwords()


class WelcomeFormMixin:
    """
    Adds a choice to the site's own creation form: send a link, or set a password.

    A POST without our field gets Wagtail's own behaviour, so that scripts and sites with a template
    of their own keep working.
    """

    fields: dict[str, forms.Field]
    data: Any
    is_bound: bool
    cleaned_data: dict[str, Any]
    instance: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (address := self.instance.get_email_field_name()) in self.fields:
            _cleaned_first(self.fields[address])
        if not offers_welcome() or (self.is_bound and not self._asks_for_choice()):
            return
        passwords = [self.fields[name] for name in PASSWORDS if name in self.fields]
        self.fields[FIELD] = forms.ChoiceField(
            label=_("How the new person gets a password"),
            choices=[
                (LINK, _("Send this person a link to set their own password (recommended)")),
                # A site may hide the fields in which staff set passwords.
                (PASSWORD, _("Set a password now")) if passwords else (LATER, _("Send no link now")),
            ],
            initial=LINK,
            widget=forms.RadioSelect,
        )
        if offered := links.offered_sites():
            self.fields[SITE] = site_choice.field(offered, _help_of_site())
        self.was_password_required = any(field.required for field in passwords)
        for field in passwords:
            # Required only for the second choice: `clean` checks that.
            field.required = False

    def _asks_for_choice(self) -> bool:
        return self.add_prefix(FIELD) in self.data  # type: ignore[attr-defined]

    @property
    def wants_welcome_link(self) -> bool:
        return bool(self.cleaned_data.get(FIELD) == LINK)

    @property
    def welcome_site(self) -> Site | None:
        return self.cleaned_data.get(SITE)

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
        # With the link chosen, ignore a password that the browser filled in.
        if FIELD in self.fields and self.data.get(self.add_prefix(FIELD)) == LINK:  # type: ignore[attr-defined]
            return ""
        own = getattr(super(), f"clean_{name}", None)
        typed: str = own() if own else self.cleaned_data[name]
        return typed


class AddressForm(forms.ModelForm):  # type: ignore[type-arg]
    """Changes the address of one account and nothing else. The user model of the site validates it."""

    prefix = "member-reset"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As it is stored: what was pasted with a blank behind it can be corrected, too.
        self.stored = str(getattr(self.instance, self.field_name) or "")
        field = _cleaned_first(self.fields[self.field_name])
        field.required = True
        field.label = _("New address")
        field.help_text = ""
        # The panel stands inside Wagtail's own form, which must not submit this field: no form has this id.
        field.widget.attrs.update({"form": NO_FORM, "autocomplete": "off", "autocapitalize": "none"})
        if self._signs_in_with_it():
            self.fields[ALSO_USERNAME] = forms.BooleanField(
                required=False,
                initial=True,
                label=_("Also sign in with the new address"),
                help_text=_("The name to sign in with is the earlier address. The email says which name to use."),
                widget=forms.CheckboxInput({"form": NO_FORM}),
            )
        for bound in self:
            # Wagtail by itself would have a screen reader read the help, and not the error.
            bound.field.widget.attrs["aria-describedby"] = f"{bound.auto_id}-errors {bound.auto_id}-helptext"

    @property
    def field_name(self) -> str:
        return str(self.instance.get_email_field_name())

    @property
    def address(self) -> str:
        return str(self.cleaned_data[self.field_name])

    @property
    def wants_username(self) -> bool:
        """Whether the name to sign in with is to be the new address, too."""
        return bool(self.cleaned_data.get(ALSO_USERNAME))

    def _signs_in_with_it(self) -> bool:
        name = str(self.instance.get_username() or "")
        if self.field_name == self.instance.USERNAME_FIELD or not column_of(
            type(self.instance), self.instance.USERNAME_FIELD
        ):
            return False
        return "@" in name and same_address(name, self.stored)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.field_name in cleaned and cleaned.get(ALSO_USERNAME):
            self._check_username(cleaned[self.field_name])
        if self.field_name in cleaned and cleaned[self.field_name] == self.stored:
            self.add_error(self.field_name, _("This is the address that is stored already. Correct it first."))
        return cleaned

    def _check_username(self, name: str) -> None:
        field = self.instance._meta.get_field(self.instance.USERNAME_FIELD)
        try:
            field.clean(name, self.instance)
        except ValidationError as error:
            self.add_error(ALSO_USERNAME, error)
            return
        others = type(self.instance)._default_manager.exclude(pk=self.instance.pk)
        if others.filter(**{f"{field.name}__iexact": name}).exists():
            text = _("Somebody else signs in with this address. Untick this, or choose another address.")
            self.add_error(ALSO_USERNAME, text)


def _cleaned_first(field: forms.Field) -> forms.Field:
    """A field of an address that takes out what nobody sees before it validates what was typed or pasted."""
    to_python = field.to_python

    def cleaned(value: Any) -> Any:
        # What is too long is refused as it is.
        is_text = isinstance(value, str) and len(value) <= 2 * LONGEST_ADDRESS
        return to_python(clean_address(value) if is_text else value)

    field.to_python = cleaned  # type: ignore[method-assign]
    return field


def address_form(member: Any, data: Any = None, *, is_page: bool) -> AddressForm:
    """The form that corrects an address. It works on a copy, so `member` keeps the stored address."""
    fields = [member.get_email_field_name()]
    form_class = cast(type[AddressForm], forms.modelform_factory(type(member), form=AddressForm, fields=fields))
    form = form_class(data, instance=copy(member), initial={} if data is None else None)
    if is_page:
        for field in form.fields.values():
            del field.widget.attrs["form"]
    return form
