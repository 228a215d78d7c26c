"""Every contestant's own pages, since a link leads to one of them."""

from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.urls import include, path

from tests.bench import letters

SUBJECT, TEXT, HTML = letters.OTHERS["django"][0]

urlpatterns = [
    path("account/", include("wagtail_member_reset.urls")),
    path(
        "django/password_reset/",
        # With the same letter as ours.
        PasswordResetView.as_view(
            subject_template_name=SUBJECT, email_template_name=TEXT, html_email_template_name=HTML
        ),
        name="django_password_reset",
    ),
    path(
        "django/<uidb64>/<token>/",
        PasswordResetConfirmView.as_view(template_name="django/confirm.html"),
        name="django_password_reset_confirm",
    ),
    path("accounts/", include("django.contrib.auth.urls")),
    path("allauth/", include("allauth.urls")),
    path("admin/", include("wagtail.admin.urls")),
    path("", include("wagtail.urls")),
]
