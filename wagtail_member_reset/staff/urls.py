from django.urls import URLPattern, path

from . import desk, runs, views

app_name = "wagtail_member_reset_admin"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/start/", runs.start, name="run_start"),
    path("runs/<int:pk>/pause/", runs.pause, name="run_pause"),
    path("runs/<int:pk>/go-on/", runs.go_on, name="run_go_on"),
    path("runs/<int:pk>/stop/", runs.stop, name="run_stop"),
    path("runs/<int:pk>/retry/", runs.retry, name="run_retry"),
    path("runs/<int:pk>/again/", runs.again, name="run_again"),
    path("runs/<int:pk>/unmatched/", runs.unmatched, name="run_unmatched"),
    path("runs/<int:pk>/members/", runs.members, name="run_members"),
    path("<str:pk>/", views.panel, name="panel"),
    path("<str:pk>/send/", views.send, name="send"),
    path("<str:pk>/cancel/", views.revoke, name="revoke"),
    path("<str:pk>/address/", views.correct, name="correct"),
    path("<str:pk>/history/", views.history, name="history"),
    path("<str:pk>/link/", views.reveal, name="reveal"),
    path("<str:pk>/copied/", views.copied, name="copied"),
]
