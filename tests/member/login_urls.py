"""A site that leaves LOGIN_URL at Django's default, and has a view there."""

from django.contrib.auth.views import LoginView
from django.urls import path

from tests.urls import urlpatterns as site

urlpatterns = [path("accounts/login/", LoginView.as_view()), *site]
