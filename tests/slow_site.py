"""
A site's process that sends each mail into a file, slowly: for what is interrupted or killed in the middle.

It runs the command, or, as `first-request`, is a web process that has just been started.
"""

import os
import sys
import time


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = os.environ["SITE_DATABASE"]
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = os.environ["SITE_DELIVERY"]
    backend, inbox = "tests.slow_site.SlowBackend", os.environ["SITE_INBOX"]
    if hasattr(settings, "MAILERS"):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": inbox}}}
    else:
        settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = backend, inbox
    import django
    from django.core.management import call_command
    from django.test import Client

    django.setup()
    if sys.argv[1] == "first-request":
        Client().get("/account/password-reset/")
    else:
        call_command("send_member_resets", *sys.argv[1:])


def __getattr__(name):
    if name != "SlowBackend":
        raise AttributeError(name)
    from django.core.mail.backends.filebased import EmailBackend

    class SlowBackend(EmailBackend):
        def send_messages(self, messages):
            time.sleep(float(os.environ["SITE_PAUSE"]))
            return super().send_messages(messages)

    return SlowBackend


if __name__ == "__main__":
    main()
