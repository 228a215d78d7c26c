"""The people of the story: their accounts, browsers and emails."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.shortcuts import resolve_url
from django.test import Client

from wagtail_member_reset.outbox.background import sender

PASSWORD = "a quiet harbour 7"


def browser():
    return Client(headers={"host": "club.example"}, secure=True, REMOTE_ADDR="203.0.113.9")


def account_of(name):
    return get_user_model().objects.get(username=name)


def emails_to(name):
    """What a member has got, oldest first, once all that is due has left."""
    assert sender.wait(60)
    if "post_office" in settings.HERE:
        from post_office.mail import send_queued

        send_queued()
    return [message for message in getattr(mail, "outbox", []) if message.to == [f"{name}@members.example"]]


def sign_in(name, password):
    """On the page that members are led to, with a browser of their own; whether they are in."""
    # SQLite refuses a second writer in the middle of a transaction, and a neighbour does not try again.
    assert sender.wait(60)
    person, visitor = account_of(name), browser()
    fields = {"login": person.email} if "allauth" in settings.HERE else {"username": name}
    visitor.post(resolve_url(settings.WAGTAIL_FRONTEND_LOGIN_URL) + "?next=/", {**fields, "password": password})
    return visitor.session.get("_auth_user_id") == str(person.pk)


def office():
    """A superuser who is signed in, by a second factor where the site wants one."""
    from tests.conftest import make_person

    ana, staff = make_person("Ana", is_superuser=True, is_staff=True), browser()
    staff.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    if "wagtail_2fa" in settings.HERE:
        session = staff.session
        session["otp_device_id"] = ana.totpdevice_set.create(name="Phone", confirmed=True).persistent_id
        session.save()
    return staff
