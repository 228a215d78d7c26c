"""
The Settings tab and the welcome on create, on whatever user viewset the site has.

`install` points Wagtail at `ComposedUserViewSet`, which is built from the site's own
when Wagtail loads its URLs. A site that composes by hand adds `MemberResetMixin` to
its viewset, and is left alone.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.loader import select_template
from django.utils.cache import patch_cache_control
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from .. import resets
from ..conf import conf
from ..exceptions import SendRefused, SettingError
from ..models import Purpose
from . import panel, permissions
from .forms import WelcomeFormMixin
from .media import MEDIA

COMPOSED = "wagtail_member_reset.staff.viewset.ComposedUserViewSet"


class OwnTemplateMixin:
    """Renders our template, which extends the one that the site's view would have rendered."""

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
    """The user edit view, with the Settings tab. It adds no field, and notes who changed an address."""

    member_reset_template = "wagtail_member_reset/staff/user_edit.html"
    request: HttpRequest
    object: Any
    form: Any

    def save_instance(self) -> Any:
        # Wagtail runs this in a transaction: the address and the note of who changed it, or neither.
        member = super().save_instance()  # type: ignore[misc]
        if member.get_email_field_name() in self.form.changed_data:
            resets.note_address_changed(member, by=self.request.user)
        return member

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        # The form may have put unsaved values on the object: what is shown is what is stored.
        is_stored = self.request.method != "POST"
        member = self.object if is_stored else type(self.object)._base_manager.get(pk=self.object.pk)
        context["member_reset"] = panel.context(self.request.user, member)
        return context

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        patch_cache_control(response, no_store=True, private=True)  # the page may hold a link
        return response


class CreateViewMixin(OwnTemplateMixin):
    """The user create view, with the welcome link as the way to a password."""

    member_reset_template = "wagtail_member_reset/staff/user_create.html"
    request: HttpRequest
    object: Any
    member_reset_sent = False

    def save_instance(self) -> Any:
        # Wagtail runs this in a transaction: the account and its welcome are written together or not at all.
        member = super().save_instance()  # type: ignore[misc]
        if getattr(self.form, "wants_welcome_link", False):  # type: ignore[attr-defined]
            try:
                resets.send(member, by=self.request.user, purpose=Purpose.WELCOME)
                self.member_reset_sent = True
            except SendRefused:
                pass  # the account stands, and its Settings tab says why no link could be sent
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


# The copy view shows the same form, which is posted to the add view.
VIEWS = {"edit_view_class": EditViewMixin, "add_view_class": CreateViewMixin, "copy_view_class": CreateViewMixin}


class MemberResetMixin:
    """For a `UserViewSet` of the site's own, in front of its other bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, mixin in VIEWS.items():
            vars(self)[name] = _composed(mixin, getattr(self, name))

    def get_form_class(self, for_update: bool = False) -> type:
        form_class: type = super().get_form_class(for_update)  # type: ignore[misc]
        return form_class if for_update else _composed(WelcomeFormMixin, form_class)


def install() -> None:
    """Have Wagtail build its user views from the composed viewset; called when the apps are ready."""
    users: Any = apps.get_app_config("wagtailusers")
    try:
        is_wanted = conf.SETTINGS_TAB
    except SettingError:  # a check names it, once Django has started
        return
    if is_wanted and users.user_viewset != COMPOSED:
        users.member_reset_base = users.user_viewset
        users.user_viewset = COMPOSED


def is_installed() -> bool:
    """Whether the user views that Wagtail serves have the tab."""
    users: Any = apps.get_app_config("wagtailusers")
    return issubclass(import_string(users.user_viewset), MemberResetMixin)


def _composed(mixin: type, base: type) -> type:
    return base if issubclass(base, mixin) else type(base.__name__, (mixin, base), {})


def __getattr__(name: str) -> Any:
    # Built at the first look, when every app is ready and the site's own viewset can be imported.
    if name != "ComposedUserViewSet":
        raise AttributeError(name)
    users: Any = apps.get_app_config("wagtailusers")
    base = import_string(getattr(users, "member_reset_base", users.user_viewset))
    globals()[name] = _composed(MemberResetMixin, base)
    return globals()[name]
