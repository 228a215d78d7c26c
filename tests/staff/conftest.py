import pytest
from django.contrib.auth.models import Permission
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


@pytest.fixture
def mailing_office(office, client):
    """The office, with the right to mail many at once."""
    office.groups.get().permissions.add(Permission.objects.get(codename="bulk_send_passwordreset"))
    client.force_login(office)
    return office
