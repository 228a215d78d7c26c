"""The one style sheet and the two controllers of the staff room, as files: a strict CSP allows no inline ones."""

from django.forms import Media

STATIC = "wagtail_member_reset/staff/"
MEDIA = Media(css={"all": [STATIC + "member_reset.css"]}, js=[STATIC + "member_reset.js"])
MAILING_MEDIA = Media(css={"all": [STATIC + "member_reset.css"]}, js=[STATIC + "member_reset_mailing.js"])
