"""The tests' site, where mail services can report, too."""

from django.urls import include, path

from .urls import urlpatterns as site

urlpatterns = [path("anymail/", include("anymail.urls")), *site]
