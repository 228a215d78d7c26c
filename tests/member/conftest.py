import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from wagtail_member_reset import resets

PASSWORD = "a quiet harbour 7"
SET = "/account/password-reset/set/"


def url(name):
    return reverse(f"wagtail_member_reset:{name}")


def path_of(reset):
    """The link as the browser asks for it. Only inside the status window."""
    return urlsplit(resets.link(reset)).path


def token_of(reset):
    return path_of(reset).rsplit("/", 1)[1]


def state_of(person):
    """Everything that a refused link must leave alone."""
    person.refresh_from_db()
    return (
        person.password,
        person.is_active,
        sorted(person.wagtail_member_reset_resets.values_list("pk", "state", "used_at")),
        person.wagtail_member_reset_emails.count(),
    )


def choose(client, reset, password=PASSWORD, **more):
    return client.post(SET, {"link": reset.selector, "new_password1": password, **more})


@pytest.fixture
def reset(client, sent):
    """A reset whose link was opened in `client`."""
    reset = sent()
    client.get(path_of(reset))
    return reset


@pytest.fixture
def later(time_machine):
    """`later(timedelta)`: the clock stands that much further on."""
    return lambda delta: time_machine.move_to(timezone.now() + delta, tick=False)


@pytest.fixture
def clock_stands_still(later):
    """For comparing whole answers: one header tells the time."""
    later(timedelta())


@pytest.fixture
def statements():
    """The SQL of a block, without its values."""

    class Recorder:
        def __enter__(self):
            self.seen = []
            self.wrapper = connection.execute_wrapper(self)
            self.wrapper.__enter__()
            return self.seen

        def __exit__(self, *error):
            self.wrapper.__exit__(*error)

        def __call__(self, execute, sql, params, many, context):
            self.seen.append(re.sub(r"s\d+_x\d+", "s", sql))  # each savepoint has a name of its own
            return execute(sql, params, many, context)

    return Recorder()
