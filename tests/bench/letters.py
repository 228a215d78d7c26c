"""
The letter that everybody sends: ours, which the others get as flat templates with two variables.

That is the cheapest form of it for them: nothing is extended, included or translated.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from wagtail_member_reset.outbox import text

# By contestant: the files, in the order of `Content`, and how a template of theirs has name and link.
OTHERS = {
    "django": (
        ("django/subject.txt", "django/text.txt", "django/mail.html"),
        "{{ user.first_name }}",
        "{{ protocol }}://{{ domain }}{% url 'password_reset_confirm' uidb64=uid token=token %}",
    ),
    "allauth": (
        tuple(f"account/email/password_reset_key_{part}" for part in ("subject.txt", "message.txt", "message.html")),
        "{{ user.first_name }}",
        "{{ password_reset_url }}",
    ),
    "loop": (("loop/subject.txt", "loop/text.txt", "loop/mail.html"), "{{ first_name }}", "{{ link }}"),
}

# The page to choose a password, for Django's view: as plain as it can be. Its admin's templates cost more.
PAGE = """{% load i18n %}<!doctype html>
<html lang="en"><head><title>{{ title }}</title></head>
<body><h1>{% translate "Choose a new password" %}</h1>
<form method="post">{% csrf_token %}
{{ form.as_p }}
<button type="submit">{% translate "Save password" %}</button>
</form>
</body>
</html>
"""


def write(folder: Path) -> None:
    until = text.valid_until(timezone.now() + timedelta(days=7), language="en")
    for files, name, link in OTHERS.values():
        slots = {"first_name": name, "link": link, "valid_until": until, "site_name": "Example Club"}
        content = text.compose("welcome", language="en", slots=slots, html=slots)
        for file, part in zip(files, (content.subject, content.text, content.html), strict=True):
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part)
    (folder / "django/confirm.html").write_text(PAGE)
