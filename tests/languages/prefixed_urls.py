"""A site that has its pages under the prefix of their language."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = [
    path("admin/", include("wagtail.admin.urls")),
    *i18n_patterns(path("account/", include("wagtail_member_reset.urls"))),
]
