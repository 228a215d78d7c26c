import io

import pytest
from django.contrib.auth import get_user_model

from tests.conftest import grant, make_person
from wagtail_member_reset.mailing.files import read_file

HAS_USERNAMES = get_user_model().USERNAME_FIELD != "email"


@pytest.fixture
def account(db):
    """An account by username and address; where accounts have no usernames, by address alone."""

    def make(username, email, **fields):
        fields = {"first_name": "", "last_name": "", **fields}
        return make_person(username, email=email, **fields, **({"username": username} if HAS_USERNAMES else {}))

    return make


@pytest.fixture
def club(account, db):
    """The accounts that the cases assume, by their usernames."""
    names = {
        "mia-user": ("mia@club.example", {"first_name": "Mia", "last_name": "Sample"}),
        "ole-user": ("ole@club.example", {"first_name": "Ole", "last_name": "Sample"}),
        "jörg": ("jörg@club.example", {}),
        "ina": ("ina@münchen.example", {}),
        "ulf": ("ulf@xn--mnchen-3ya.example", {}),
        "ted": ("ted@club.example ", {}),
        "pat": ("pat.o'neil@club.example", {}),
        "qu": ("'quinn@club.example", {}),
        "admin": ("admin@club.example", {"is_superuser": True}),
        "office": ("office@club.example", {"is_staff": True}),
        "editor": ("editor@club.example", {"is_staff": True}),
        "clerk": ("clerk@club.example", {}),
    }
    made = {name: account(name, email, **fields) for name, (email, fields) in names.items()}
    model = get_user_model()._meta
    grant(made["clerk"], f"change_{model.model_name}")
    return made


class Said:
    """What a file came to, in words."""

    def __init__(self, reading):
        self.reading, self.column = reading, reading.columns[0]
        model = get_user_model()
        field = "username" if HAS_USERNAMES else "email"
        self._names = dict(model.objects.values_list("pk", field))

    def names(self, keys):
        return sorted(self._names[key].strip().partition("@")[0] for key in keys)

    @property
    def mailed(self):
        return self.names(self.column.chosen())

    @property
    def held(self):
        return self.names(self.column.held)

    @property
    def unclear(self):
        return [(each.line, self.names(each.ids)) for each in self.column.unclear]

    @property
    def unmatched(self):
        return [(line, reason) for line, _text, reason in self.column.unmatched]


@pytest.fixture
def said():
    def read(text, **options):
        data = text if isinstance(text, bytes) else text.encode()
        return Said(read_file(io.BytesIO(data), **options))

    return read
