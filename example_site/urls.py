from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    # The admin's own "Forgotten password?" sends nothing to accounts without a password: lead it to ours.
    path("admin/password_reset/", RedirectView.as_view(pattern_name="wagtail_member_reset:password_reset")),
    path("admin/", include(wagtailadmin_urls)),
    path("account/", include("wagtail_member_reset.urls")),
    # Where a mail service reports what became of an email.
    path("anymail/", include("anymail.urls")),
    path("login/", auth_views.LoginView.as_view(template_name="club/login.html"), name="login"),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("inbox/", include("example_site.inbox.urls")),
    path("", include(wagtail_urls)),
]
