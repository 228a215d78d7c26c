"""The accounts of a target's site, and addresses that nobody has."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection

OLD_PASSWORD = "an old password 1"
SITE_SIZE = 2000


@dataclass
class People:
    """
    Addresses to ask for, each handed out once: what was asked before may be answered otherwise.

    All are of one length and drawn by lot, so that nothing but the account itself differs.
    """

    rng: random.Random
    family: str
    """The part of the addresses that no other measure's have."""
    _accounts: list[dict[str, object]] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)

    def existing(self) -> str:
        return self._add()

    def inactive(self) -> str:
        return self._add(is_active=False)

    def unusable(self) -> str:
        return self._add(password=make_password(None))

    def several(self) -> str:
        """One address with three accounts."""
        address = self._add()
        self._add(address=address)
        self._add(address=address)
        return address

    def missing(self) -> str:
        return self._address()

    def settle(self) -> int:
        """Write every account that was asked for, in an order drawn by lot; the size of the site."""
        model = get_user_model()
        for _ in range(SITE_SIZE - model.objects.count() - len(self._accounts)):
            self._add()
        usable = make_password(OLD_PASSWORD)
        people = [model(**{"password": usable, **fields}) for fields in self._accounts]
        self.rng.shuffle(people)
        model.objects.bulk_create(people, batch_size=500)
        if apps.is_installed("allauth.account"):
            _tell_allauth(people)
        self._accounts.clear()
        with connection.cursor() as cursor:
            # Else the planner would learn of the accounts in the middle of a run.
            cursor.execute("ANALYZE")
        return model.objects.count()

    def _add(self, address: str = "", **fields: object) -> str:
        address = address or self._address()
        name = f"person{len(self._accounts)}-{address.partition('@')[0]}"
        self._accounts.append({"username": name, "email": address, "first_name": "Mia", **fields})
        return address

    def _address(self) -> str:
        if not self._numbers:
            self._numbers = self.rng.sample(range(10_000_000), 200_000)
        return f"m{self._numbers.pop():07}@{self.family}.example"


def _tell_allauth(people: list) -> None:
    """A site with allauth has a row of its for each account; a verified address belongs to one of them only."""
    from allauth.account.models import EmailAddress

    first = {person.email: person for person in people}
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=person, email=address, verified=True, primary=True) for address, person in first.items()],
        batch_size=500,
    )
