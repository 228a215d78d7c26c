"""
Walks the tutorial on a site that somebody has just set up, as its first member, and prints, as JSON, what came of it.

Run by a test in a process of its own, in the site's folder.
"""

import json
import re
import sys
import time

import django
from django.conf import settings

LINK = re.compile(r"http://localhost:8000(/account/r/[0-9a-z]{40})")
PASSWORD = "a quiet harbour 7"


def wait_for_emails(count):
    from django.core import mail

    for _second in range(200):
        if len(getattr(mail, "outbox", [])) >= count:
            break
        time.sleep(0.1)
    return getattr(mail, "outbox", [])


def walk():
    from django.contrib.auth import get_user_model
    from django.test import Client

    told, staff, mia = {}, Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    staff.force_login(get_user_model().objects.get(username="ana"))
    person = {"username": "mia", "email": "mia@club.example", "first_name": "Mia", "last_name": "Mitchell"}
    form = staff.get("/admin/users/new/").content.decode()
    told["ticked"] = bool(re.search(r'<input[^>]*value="link"[^>]*checked', form))
    tab = staff.post("/admin/users/new/", {**person, "member_reset_password": "link"}, follow=True).content.decode()
    told["sentence"] = "Account successfully created and reset password email sent." in tab
    [welcome] = wait_for_emails(1)
    told["link"] = LINK.search(welcome.body)[1] in tab

    page = mia.get(LINK.search(welcome.body)[1], follow=True).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    page = mia.post("/account/password-reset/set/", {**hidden, "new_password1": PASSWORD}, follow=True).content.decode()
    told["saved"] = "Your password is saved" in page
    sign_in = re.search(r'class="mr-button" href="([^"]+)"', page)[1]
    there = mia.post(sign_in, {"username": "mia", "password": PASSWORD})
    told["in"] = [there.status_code, there.headers.get("Location"), "_auth_user_id" in mia.session]

    # The notice that the password was changed, and what is asked for on the website.
    wait_for_emails(2)
    asked = [
        Client(SERVER_NAME="localhost").post("/account/password-reset/", {"email": f"{name}@club.example"}, follow=True)
        for name in ("mia", "nobody")
    ]
    told["same answer"] = [response.status_code for response in asked]
    told["mailed"] = [email.to for email in wait_for_emails(3)]
    return told


if __name__ == "__main__":
    django.setup()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ALLOWED_HOSTS = ["*"]
    sys.stdout.write(json.dumps(walk()))
