"""Registers, nothing else."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import SubmenuMenuItem
from wagtail.log_actions import LogActionRegistry

from .staff import urls
from .staff.bulk_action import SendResetsBulkAction, end_links_of_inactive, keep_to_filter
from .staff.log_words import DraftDeleted, IdentityChecked, NotToBeEmailed, Replaced, Sent, SentAgain, Unblocked
from .staff.menu import member_sign_in
from .staff.needs_help_panel import add_panel
from .staff.sender import SenderViewSet

if apps.is_installed("wagtail.snippets"):
    # Its modules belong to an app that a site may lack: there, the template files say what emails say.
    from wagtail.snippets.models import register_snippet

    from .staff.email_texts import EmailTextViewSet

    register_snippet(EmailTextViewSet)


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLPattern | URLResolver]:
    return [path("member-reset/", include(urls))]


@hooks.register("register_admin_menu_item")
def register_admin_menu_item() -> SubmenuMenuItem:
    return member_sign_in()


@hooks.register("register_admin_viewset")
def register_admin_viewset() -> SenderViewSet:
    return SenderViewSet("wagtail_member_reset_sender", url_prefix="member-reset-sender")


hooks.register("construct_homepage_panels", add_panel)
hooks.register("register_bulk_action", SendResetsBulkAction)
hooks.register("after_bulk_action", end_links_of_inactive)
keep_to_filter()


@hooks.register("register_permissions")
def register_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label="wagtail_member_reset", content_type__model__in=["passwordreset", "sitesender"]
    )


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    for name, label, message in (
        ("hand_out", _("Get a link without email"), _("Password reset link made without an email")),
        ("revoke", _("Cancel password reset"), _("Password reset link cancelled")),
        ("show", _("Show password reset link"), _("Password reset link shown")),
        ("copy", _("Copy password reset link"), _("Password reset link copied")),
        ("use", _("Use password reset"), _("Password set with a personal link")),
        ("address", _("Change address"), _("Email address changed")),
        ("tell", _("Tell earlier address"), _("Notice to the earlier email address")),
        ("flag", _("Flag password reset"), _("Password reset sent by the person who had just changed the address")),
        ("email_again", _("Allow emails again"), _("Noted that this person may be emailed again")),
        ("export", _("Download stored data"), _("What is stored about this person was downloaded")),
        ("erase", _("Erase stored data"), _("What is stored about this person was erased")),
        ("refuse", _("Refuse password reset"), _("Password reset refused")),
        ("test_mailing", _("Test mailing"), _("Test email of a mailing, sent to their own address")),
        ("test_text", _("Test email text"), _("Test email of an email text, sent to their own address")),
        ("refuse_mailing", _("Refuse mailing"), _("Mailing refused")),
    ):
        actions.register_action(f"wagtail_member_reset.{name}", label, message)
    actions.register_action("wagtail_member_reset.send")(Sent)
    actions.register_action("wagtail_member_reset.resend")(SentAgain)
    actions.register_action("wagtail_member_reset.replace")(Replaced)
    actions.register_action("wagtail_member_reset.do_not_email")(NotToBeEmailed)
    actions.register_action("wagtail_member_reset.delete_draft")(DraftDeleted)
    actions.register_action("wagtail_member_reset.unblock")(Unblocked)
    actions.register_action("wagtail_member_reset.check")(IdentityChecked)
