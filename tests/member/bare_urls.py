"""A site without Wagtail's own pages: nowhere to sign in, as far as we can know."""

from django.urls import include, path

urlpatterns = [path("account/", include("wagtail_member_reset.urls"))]
