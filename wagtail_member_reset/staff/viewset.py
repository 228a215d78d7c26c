"""
Adds the Settings tab and the welcome on create to the user viewset of the site.

`install` points Wagtail at `ComposedUserViewSet`, which is built from the site's own
when Wagtail loads its URLs. A viewset that has `MemberResetMixin` already, because
the site added it, is used as it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from .. import db, resets
from ..accounts import address_of, replaces_address
from ..conf import conf
from ..exceptions import SendRefused, SettingError
from ..models import Origin, Purpose
from . import panel, permissions, site_choice
from .forms import SITE, WelcomeFormMixin
from .listing_column import ListingMixin
from .media import MEDIA
from .wording import NOTICE

COMPOSED = "wagtail_member_reset.staff.viewset.ComposedUserViewSet"


class OwnTemplateMixin:
    """Renders our template, which extends the template of the site's own view."""

    member_reset_template = ""

    def get_template_names(self) -> list[str]:
        names: list[str] = super().get_template_names()  # type: ignore[misc]
        if getattr(self, "hydrate_create_view", False):
            return names
        return [self.member_reset_template]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        context["member_reset_base"] = select_template(super().get_template_names())  # type: ignore[misc]
        context["media"] = context.get("media", Media()) + MEDIA
        return context


class EditViewMixin(OwnTemplateMixin):
    """
    Adds the Settings tab to the user edit view; adds no field.

    Records who changed an address, be it by a field of any name or by a hook, and has the earlier address told.
    """

    member_reset_template = "wagtail_member_reset/staff/user_edit.html"
    request: HttpRequest
    object: Any
    form: Any
    # What is stored, as far as it was noted, and since when.
    member_reset_address = ""
    member_reset_read_at: datetime | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)  # type: ignore[misc]
        self._remember_address(self.object)

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        field = form.fields.get(self.object.get_email_field_name())
        if field is not None and self.member_reset_address:
            field.help_text = format_html("{} {}", field.help_text, NOTICE) if field.help_text else NOTICE
        return form

    def save_instance(self) -> Any:
        # Wagtail calls this in a transaction, so the address and the record of who changed it are saved together.
        member = super().save_instance()  # type: ignore[misc]
        self._note_new_address()
        return member

    def _note_new_address(self) -> None:
        stored = type(self.object)._base_manager.filter(pk=self.object.pk).first()
        if stored is None or not replaces_address(self.member_reset_address, address_of(stored)):
            return
        resets.note_address_changed(stored, by=self.request.user)
        resets.tell_former_address(
            stored, address=self.member_reset_address, by=self.request.user, changed_at=self.member_reset_read_at
        )
        self._remember_address(stored)

    def _remember_address(self, member: Any) -> None:
        self.member_reset_address, self.member_reset_read_at = address_of(member), timezone.now()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        # A refused form leaves unsaved values on the object. Show what is stored.
        is_stored = self.request.method != "POST"
        member = self.object if is_stored else type(self.object)._base_manager.get(pk=self.object.pk)
        context["member_reset"] = panel.context(self.request.user, member)
        return context

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if request.method == "POST":
            # A hook of the site may have changed it, too.
            with transaction.atomic(using=db.alias()):
                self._note_new_address()
        patch_cache_control(response, no_store=True, private=True)  # the page may hold a link
        return response


class CreateViewMixin(OwnTemplateMixin):
    """Sends the welcome when staff create an account and choose the link."""

    member_reset_template = "wagtail_member_reset/staff/user_create.html"
    request: HttpRequest
    object: Any
    member_reset_sent = False

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        site_choice.begin_with(form, SITE, self.request)
        return form

    def save_instance(self) -> Any:
        # Wagtail calls this in a transaction, so the account and its welcome are saved together.
        member = super().save_instance()  # type: ignore[misc]
        if getattr(self.form, "wants_welcome_link", False):  # type: ignore[attr-defined]
            try:
                resets.send(
                    member,
                    by=self.request.user,
                    purpose=Purpose.WELCOME,
                    origin=Origin.CREATED,
                    site=self.form.welcome_site,  # type: ignore[attr-defined]
                )
                self.member_reset_sent = True
            except SendRefused:
                pass  # the account is saved, and its Settings tab says why no link was sent
        return member

    def get_success_url(self) -> str:
        if self.member_reset_sent and self._may_see_tab():
            return panel.edit_url(self.object)
        return str(super().get_success_url())  # type: ignore[misc]

    def get_success_message(self, instance: Any) -> str | None:
        if self.member_reset_sent and not self._may_see_tab():
            return _("Account successfully created and reset password email sent.")
        message: str | None = super().get_success_message(instance)  # type: ignore[misc]
        return message

    def _may_see_tab(self) -> bool:
        rights = permissions.rights(self.request.user, self.object)
        return rights.change and rights.view


class CopyViewMixin(CreateViewMixin):
    """
    Shows the form for another account, filled in from this one. It is posted to the add view.

    Wagtail's copy view takes a POST, too, and saves it to the account that was to be copied: for whoever may add
    accounts and not change them, that would be a way to the password of anybody.
    """

    http_method_names = ["get", "head", "options"]


VIEWS = {
    "index_view_class": ListingMixin,
    "edit_view_class": EditViewMixin,
    "add_view_class": CreateViewMixin,
    "copy_view_class": CopyViewMixin,
}


class MemberResetMixin:
    """For the site's own `UserViewSet`: name it before the other bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, mixin in VIEWS.items():
            vars(self)[name] = _composed(mixin, getattr(self, name))

    def get_form_class(self, for_update: bool = False) -> type:
        form_class: type = super().get_form_class(for_update)  # type: ignore[misc]
        return form_class if for_update else _composed(WelcomeFormMixin, form_class)


def install() -> None:
    """Point Wagtail at the composed viewset. `AppConfig.ready` calls this, before any URL is loaded."""
    users: Any = apps.get_app_config("wagtailusers")
    try:
        is_wanted = conf.SETTINGS_TAB
    except SettingError:  # a system check reports it
        return
    if is_wanted and users.user_viewset != COMPOSED:
        users.member_reset_base = users.user_viewset
        users.user_viewset = COMPOSED


def is_installed() -> bool:
    """Whether Wagtail's user views have the tab. A system check asks."""
    users: Any = apps.get_app_config("wagtailusers")
    return issubclass(import_string(users.user_viewset), MemberResetMixin)


def _composed(mixin: type, base: type) -> type:
    return base if issubclass(base, mixin) else type(base.__name__, (mixin, base), {})


def __getattr__(name: str) -> Any:
    # Built on first access: by then every app is ready, and the site's own viewset can be imported.
    if name != "ComposedUserViewSet":
        raise AttributeError(name)
    users: Any = apps.get_app_config("wagtailusers")
    base = import_string(getattr(users, "member_reset_base", users.user_viewset))
    globals()[name] = _composed(MemberResetMixin, base)
    return globals()[name]
