from django.urls import URLPattern, path

from . import desk, mailing_views, views

app_name = "wagtail_member_reset_admin"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("mailings/", mailing_views.mailing_list, name="mailings"),
    path("mailings/<int:pk>/", mailing_views.mailing, name="mailing"),
    path("mailings/<int:pk>/start/", mailing_views.start, name="mailing_start"),
    path("mailings/<int:pk>/pause/", mailing_views.pause, name="mailing_pause"),
    path("mailings/<int:pk>/go-on/", mailing_views.go_on, name="mailing_resume"),
    path("mailings/<int:pk>/stop/", mailing_views.stop, name="mailing_stop"),
    path("mailings/<int:pk>/retry/", mailing_views.retry, name="mailing_retry"),
    path("mailings/<int:pk>/again/", mailing_views.again, name="mailing_again"),
    path("mailings/<int:pk>/unmatched/", mailing_views.unmatched, name="mailing_unmatched"),
    path("mailings/<int:pk>/members/", mailing_views.members, name="mailing_members"),
    path("<str:pk>/", views.panel, name="panel"),
    path("<str:pk>/send/", views.send, name="send"),
    path("<str:pk>/cancel/", views.revoke, name="revoke"),
    path("<str:pk>/address/", views.correct, name="correct"),
    path("<str:pk>/history/", views.history, name="history"),
    path("<str:pk>/link/", views.reveal, name="reveal"),
    path("<str:pk>/copied/", views.copied, name="copied"),
]
