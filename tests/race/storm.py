"""
Visitors who post one address after the other, to a server of one process and four threads, as gunicorn's is.

    PLAIN_FOLDER=… DJANGO_SETTINGS_MODULE=tests.race.plain_site python -m tests.race.storm POSTS VISITORS

Writes to its standard output, as JSON: how often each status was answered, how many mails each member got, and what
is left in the database. With STORM_URL, it posts to a server that somebody else started.
"""

import http.client
import io
import json
import os
import random
import re
import sys
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

import django

THREADS = 4
# Seconds between an answer and the same visitor's next request, at most.
PAUSE = 0.01
# Of so many requests, one is a member's; the others are strangers'.
MEMBERS_EVERY = 20
ADDRESS, CSRF = "/account/password-reset/", "x" * 32
TO = re.compile(r"^To: (\S+)$", re.MULTILINE)


def main(posts, visitors):
    warnings.simplefilter("ignore")
    django.setup()
    members = prepare(posts // MEMBERS_EVERY)
    addresses = [
        members[number // MEMBERS_EVERY] if number % MEMBERS_EVERY == 0 else f"stranger{number}@elsewhere.example"
        for number in range(posts)
    ]
    start = time.monotonic()
    with server() as post:
        statuses, slowest = storm(addresses, visitors, post)
        took = time.monotonic() - start
        left = settled()
    mails = Counter(to for file in mail_folder().glob("*") for to in TO.findall(file.read_text()))
    found = {
        "statuses": statuses,
        "mails": dict(Counter(mails[member] for member in members)),
        "to_strangers": sum(mails.values()) - sum(mails[member] for member in members),
        "left": left,
        "per_second": round(posts / took, 1),
        "slowest_ms": round(slowest * 1000),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def prepare(count):
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    model = get_user_model()
    people = [model(username=f"m{each}", email=f"m{each}@members.example", password="x") for each in range(count)]
    model.objects.bulk_create(people)
    return [person.email for person in people]


def server():
    return Elsewhere(os.environ["STORM_URL"]) if "STORM_URL" in os.environ else Here()


class Here:
    """Django's WSGI application and its threads; nothing of a test client, which would hold connections open."""

    def __enter__(self):
        from django.core.wsgi import get_wsgi_application

        self.application, self.pool = get_wsgi_application(), ThreadPoolExecutor(THREADS)
        return lambda address: self.pool.submit(self._answer, address).result()

    def __exit__(self, *error):
        self.pool.shutdown()

    def _answer(self, address):
        body = urlencode({"email": address, "csrfmiddlewaretoken": CSRF}).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": ADDRESS,
            "REMOTE_ADDR": "192.0.2.7",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_COOKIE": f"csrftoken={CSRF}",
            "wsgi.input": io.BytesIO(body),
        }
        setup_testing_defaults(environ)
        statuses = []
        response = self.application(environ, lambda status, headers, *error: statuses.append(int(status[:3])))
        b"".join(response)
        response.close()
        return statuses[0]


class Elsewhere:
    def __init__(self, url):
        self.netloc = urlsplit(url).netloc

    def __enter__(self):
        return self._answer

    def __exit__(self, *error):
        pass

    def _answer(self, address):
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        body = urlencode({"email": address, "csrfmiddlewaretoken": CSRF})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={CSRF}"}
        connection.request("POST", ADDRESS, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status


def storm(addresses, visitors, post):
    """How often each status was answered, and the longest time that one answer took."""
    statuses, times, errors = Counter(), [], []
    shared = iter(addresses)
    lock = threading.Lock()

    def visit():
        try:
            while True:
                with lock:
                    address = next(shared, None)
                if address is None:
                    return
                start = time.monotonic()
                status = post(address)
                with lock:
                    times.append(time.monotonic() - start)
                    statuses[status] += 1
                time.sleep(random.uniform(0, PAUSE))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=visit, daemon=True) for _ in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return dict(statuses), max(times)


def settled(timeout=300):
    """What is left to be resolved and to be sent, once nothing is, or nothing changes any more."""
    from django.db import connection

    from wagtail_member_reset.models import ResetEmail, ResetRequest

    end, left = time.monotonic() + timeout, None
    while time.monotonic() < end:
        left = {
            "requests": ResetRequest.objects.filter(resolved_at=None).count(),
            "emails": ResetEmail.objects.exclude(state="handed_over").count(),
        }
        connection.close()
        if not any(left.values()):
            break
        time.sleep(0.5)
    return left


def mail_folder():
    from django.conf import settings

    return Path(settings.EMAIL_FILE_PATH)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
