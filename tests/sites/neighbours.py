"""What each neighbour adds to the story: what happens to the member on the way, and what is found at the end."""

import re

from django.conf import settings

from tests.sites.people import PASSWORD, account_of, browser, sign_in
from tests.staff.pages import edit_url


def on_the_way():
    # With allauth, axes counts by what its form calls a name.
    return {"axes": _locked_out()} if settings.SITE == "axes" else {}


def at_the_end(staff):
    looks = {
        "allauth": _verified_addresses,
        "auditlog": _links_in_the_audit_log,
        "debug_toolbar": _toolbar,
        "hijack": _looked_through_the_members_eyes,
        "post_office": _links_in_the_queue,
        "wagtail_localize": _page_in_german,
    }
    return {name: look(staff) for name, look in looks.items() if name in settings.HERE}


def _locked_out():
    """Whether wrong attempts keep the member out, with the right password, too."""
    attempts = [sign_in("mia", "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]
    return not any([*attempts, sign_in("mia", PASSWORD)])


def _verified_addresses(staff):
    from allauth.account.models import EmailAddress

    return list(EmailAddress.objects.order_by("email").values_list("email", "verified", "primary"))


def _links_in_the_audit_log(staff):
    """Whether there are entries, and how many quote a link. What a queue stores of each email, it keeps as well."""
    from auditlog.models import LogEntry

    entries = LogEntry.objects.exclude(content_type__app_label="post_office")
    texts = [f"{entry.changes} {entry.object_repr}" for entry in entries]
    return [bool(texts), sum(bool(re.search(r"/account/r/\w", text)) for text in texts)]


def _toolbar(staff):
    return 'id="djDebug"' in staff.get(edit_url(account_of("mia"))).content.decode()


def _looked_through_the_members_eyes(staff):
    """Staff go on as the member, and come back."""
    mia = account_of("mia")
    staff.post("/hijack/acquire/", {"user_pk": mia.pk, "next": "/account/password-reset/"})
    hijacked = staff.session["_auth_user_id"]
    staff.post("/hijack/release/", {"next": "/account/password-reset/"})
    return [hijacked == str(mia.pk), staff.get(edit_url(mia)).status_code]


def _links_in_the_queue(staff):
    """Each email with its link is in the neighbour's table, as W015 says."""
    from post_office.models import Email

    return Email.objects.filter(message__contains="/account/r/").exists()


def _page_in_german(staff):
    return "Passwort" in browser().get("/de/account/password-reset/").content.decode()
