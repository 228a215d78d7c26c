"""What is measured, and where its pages are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    name: str
    """Also the name of its settings in `sites`."""
    title: str
    request_path: str
    link_part: str
    """What stands in a link to set a password, and in no other."""
    is_ours: bool = False


TARGETS = {
    target.name: target
    for target in (
        Target("ours", "wagtail-member-reset", "/account/password-reset/", "/account/r/", is_ours=True),
        Target("django_view", "Django's PasswordResetView", "/accounts/password_reset/", "/accounts/reset/"),
        Target("wagtail_admin", "Wagtail's admin reset", "/admin/password_reset/", "/admin/password_reset/confirm/"),
        Target("allauth_account", "django-allauth", "/accounts/password/reset/", "/accounts/password/reset/key/"),
    )
}
