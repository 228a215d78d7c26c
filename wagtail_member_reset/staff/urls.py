from django.urls import URLPattern, path

from . import desk, views

app_name = "wagtail_member_reset_admin"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("<str:pk>/", views.panel, name="panel"),
    path("<str:pk>/send/", views.send, name="send"),
    path("<str:pk>/cancel/", views.revoke, name="revoke"),
    path("<str:pk>/address/", views.correct, name="correct"),
    path("<str:pk>/history/", views.history, name="history"),
    path("<str:pk>/link/", views.reveal, name="reveal"),
    path("<str:pk>/copied/", views.copied, name="copied"),
]
