"""docs/how-to/data-protection.md names each table, and each field that may hold something about a person."""

import re

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import BinaryField, CharField, JSONField, TextField

from tests.settings import ROOT
from wagtail_member_reset import bad_addresses
from wagtail_member_reset.conf import conf
from wagtail_member_reset.models import PasswordReset

PAGE = (ROOT / "docs" / "how-to" / "data-protection.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))
MODELS = {model.__name__: model for model in apps.get_app_config("wagtail_member_reset").get_models()}


def may_be_personal(field):
    """Whoever a row points to, and whatever is no date, no number and no code with a fixed meaning."""
    if field.is_relation:
        return field.related_model is get_user_model()
    return isinstance(field, (CharField, TextField, JSONField, BinaryField)) and not field.choices


def test_page_names_each_table_and_no_other():
    assert sorted(ROWS) == sorted(MODELS)


def test_page_names_each_field_that_may_be_about_a_person():
    for name, model in MODELS.items():
        fields = {
            field.name for field in [*model._meta.concrete_fields, *model._meta.many_to_many] if may_be_personal(field)
        }
        assert fields - set(re.findall(r"`(\w+)`", ROWS[name])) == set(), name


def test_page_names_no_field_that_is_gone():
    for name, model in MODELS.items():
        known = {field.name for field in model._meta.get_fields()}
        assert set(re.findall(r"`(\w+)`", ROWS[name])) - known == set(), name


def test_page_says_what_is_set(settings):
    prose = " ".join(PAGE.split())
    assert f"{conf.RETENTION.days} days after the link has expired" in prose
    assert f"{conf.STATUS_WINDOW.total_seconds() / 3600:.0f} hours" in prose
    assert f"| {bad_addresses.KEPT.days} days |" in prose
    rights = {words for name, words in PasswordReset._meta.permissions if name.startswith(("export", "erase"))}
    assert all(f"“{words}”" in prose or f'"{words}"' in prose for words in rights)
