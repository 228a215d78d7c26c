import pytest
from django.test import Client


@pytest.fixture
def enter(db):
    """A browser of its own for anybody: `enter(person)` is signed in and ready."""

    def sign_in(person, **options):
        client = Client(**options)
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def office_client(enter, office):
    return enter(office)


@pytest.fixture
def admin_client(enter, admin):
    return enter(admin)
