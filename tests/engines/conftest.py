"""
A run of these tests is a run on one engine: `pytest --ds tests.engines.on_db tests/engines`, and on_rq.

Without one of these settings, as in the ordinary suite, they are skipped; with them, nothing is: what is
missing fails. `.ci/run engines` brings all that they need.
"""

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests.engines.engines import ENGINE
from tests.engines.processes import Processes
from tests.score import mailserver


def pytest_collection_modifyitems(items):
    if ENGINE is None:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no engine in these settings: .ci/run engines has them"))


@pytest.fixture
def engine():
    engine = ENGINE()
    engine.forget()
    yield engine
    engine.forget()


@pytest.fixture
def mails():
    with mailserver.running() as server:
        yield server


@pytest.fixture
def site(transactional_db, engine, mails):
    environment = {"SITE_DATABASE": str(connection.settings_dict["NAME"]), "SITE_MAIL_PORT": str(mails.port)}
    processes = Processes(engine, environment)
    yield processes
    processes.kill_all()


@pytest.fixture
def people(transactional_db):
    """Imported members, who have no password that works."""

    def make(count):
        model = get_user_model()
        members = [
            model(username=f"member{number}", email=f"member{number}@members.example") for number in range(count)
        ]
        for member in members:
            member.set_unusable_password()
        return model.objects.bulk_create(members)

    return make
