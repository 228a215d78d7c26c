"""The suite's site, with a page to sign in on, and what further apps ask for."""

from django.apps import apps
from django.contrib.auth.views import LoginView
from django.urls import include, path

from tests.urls import urlpatterns as site

urlpatterns = [path("members/login/", LoginView.as_view()), *site]
if apps.is_installed("debug_toolbar"):
    urlpatterns.insert(0, path("__debug__/", include("debug_toolbar.urls")))
