"""The addresses of the target whose settings are in force, beside those that every site has."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

OWN = {
    "ours": [("account/", "wagtail_member_reset.urls")],
    "django_view": [("accounts/", "django.contrib.auth.urls")],
    "wagtail_admin": [],
    "allauth_account": [("accounts/", "allauth.urls")],
}
EVERY = [("admin/", "wagtail.admin.urls"), ("", "wagtail.urls")]

urlpatterns = [
    # The templates of Django's view are its admin's, and lead there.
    path("django-admin/", admin.site.urls),
    *(path(prefix, include(urls)) for prefix, urls in [*OWN[settings.SCORE_TARGET], *EVERY]),
]
