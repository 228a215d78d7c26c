"""A user model in two tables: what a member has beside an account stands in a table of its own."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Account(AbstractUser):
    pass


class Member(Account):
    number = models.CharField(max_length=20, blank=True)
