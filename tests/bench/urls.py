"""Every contestant's own pages, since a link leads to one of them."""

from django.urls import include, path

urlpatterns = [
    path("account/", include("wagtail_member_reset.urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("allauth/", include("allauth.urls")),
    path("admin/", include("wagtail.admin.urls")),
    path("", include("wagtail.urls")),
]
