"""The style sheet and the scripts of the staff pages. They are files, since a strict CSP allows no inline code."""

from django.forms import Media

STATIC = "wagtail_member_reset/staff/"
MEDIA = Media(
    css={"all": [STATIC + "member_reset.css"]}, js=[STATIC + "member_reset.js", STATIC + "member_reset_typed.js"]
)
# Of Wagtail's own listing of users, and of forms in its own pages: the style sheet alone.
LISTING_MEDIA = FORM_MEDIA = Media(css={"all": [STATIC + "member_reset.css"]})
MAILING_MEDIA = Media(css={"all": [STATIC + "member_reset.css"]}, js=[STATIC + "member_reset_mailing.js"])
TEXT_MEDIA = Media(css={"all": [STATIC + "member_reset.css"]}, js=[STATIC + "member_reset_text.js"])
