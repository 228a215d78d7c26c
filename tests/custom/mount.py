"""Serves a user viewset in the place of the one that the suite's site has."""

from django.urls import path
from wagtail.admin.auth import require_admin_access

from tests.urls import urlpatterns


def mount(settings, viewset_class):
    viewset = viewset_class("wagtailusers_users", url_prefix="users")
    settings.ROOT_URLCONF = (
        path("admin/users/edit/<str:pk>/", require_admin_access(viewset.edit_view)),
        path("admin/users/new/", require_admin_access(viewset.add_view)),
        path("admin/users/copy/<str:pk>/", require_admin_access(viewset.copy_view)),
        *urlpatterns,
    )
