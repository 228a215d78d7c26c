from django.urls import URLPattern, path

from . import (
    data,
    desk,
    mailing_bounces,
    mailing_details,
    mailing_new,
    mailing_sample,
    mailing_views,
    needs_help_aside,
    views,
)
from .mailing_list import MailingList
from .mailing_members import MailingMembers
from .needs_help_domains import NeedsHelpDomains
from .needs_help_list import NeedsHelpList
from .needs_help_mailing import NeedsHelpMailing

app_name = "wagtail_member_reset_admin"
urlpatterns: list[URLPattern] = [
    path("", desk.desk, name="desk"),
    path("needs-help/", NeedsHelpList.as_view(), name="needs_help"),
    path("needs-help/domains/", NeedsHelpDomains.as_view(), name="needs_help_domains"),
    path("needs-help/mailing/", NeedsHelpMailing.as_view(), name="needs_help_mailing"),
    path("needs-help/<str:pk>/", needs_help_aside.aside, name="needs_help_aside"),
    path("mailings/", MailingList.as_view(), name="mailings"),
    path("mailings/results/", MailingList.as_view(results_only=True), name="mailings_results"),
    path("mailings/new/", mailing_new.new, name="mailing_new"),
    path("mailings/<int:pk>/", mailing_views.mailing, name="mailing"),
    path("mailings/<int:pk>/start/", mailing_views.start, name="mailing_start"),
    path("mailings/<int:pk>/delete/", mailing_details.delete, name="mailing_delete"),
    path("mailings/<int:pk>/details/", mailing_details.details, name="mailing_details"),
    path("mailings/<int:pk>/bounces/", mailing_bounces.bounces, name="mailing_bounces"),
    path("mailings/<int:pk>/test/", mailing_sample.test, name="mailing_test"),
    path("mailings/<int:pk>/file/", mailing_views.choose, name="mailing_choose"),
    path("mailings/<int:pk>/pause/", mailing_views.pause, name="mailing_pause"),
    path("mailings/<int:pk>/resume/", mailing_views.resume, name="mailing_resume"),
    path("mailings/<int:pk>/watch/", mailing_views.watch, name="mailing_watch"),
    path("mailings/<int:pk>/stop/", mailing_views.stop, name="mailing_stop"),
    path("mailings/<int:pk>/retry/", mailing_views.retry, name="mailing_retry"),
    path("mailings/<int:pk>/again/", mailing_views.again, name="mailing_again"),
    path("mailings/<int:pk>/rest/", mailing_views.rest, name="mailing_rest"),
    path("mailings/<int:pk>/unmatched/", mailing_new.unmatched, name="mailing_unmatched"),
    path("mailings/<int:pk>/members/", MailingMembers.as_view(), name="mailing_members"),
    path("<str:pk>/", views.panel, name="panel"),
    path("<str:pk>/send/", views.send, name="send"),
    path("<str:pk>/hand-out/", views.hand_out, name="hand_out"),
    path("<str:pk>/unblock/", views.unblock, name="unblock"),
    path("<str:pk>/cancel/", views.revoke, name="revoke"),
    path("<str:pk>/address/", views.correct, name="correct"),
    path("<str:pk>/do-not-email/", views.do_not_email, name="do_not_email"),
    path("<str:pk>/data/", data.download, name="data"),
    path("<str:pk>/erase/", data.erase, name="erase"),
    path("<str:pk>/history/", views.history, name="history"),
    path("<str:pk>/link/", views.reveal, name="reveal"),
    path("<str:pk>/copied/", views.copied, name="copied"),
]
