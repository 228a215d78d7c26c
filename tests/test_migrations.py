from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

OURS = {"send_passwordreset", "view_link_passwordreset", "view_passwordreset", "bulk_send_passwordreset"}
GRANTED = OURS - {"bulk_send_passwordreset"}
granting = import_module("wagtail_member_reset.migrations.0002_grant_permissions")


def group(name, *codenames, model=None):
    model = model or get_user_model()
    made = Group.objects.create(name=name)
    made.permissions.add(
        *Permission.objects.filter(content_type__app_label=model._meta.app_label, codename__in=codenames)
    )
    return made


def ours(group):
    return set(group.permissions.filter(codename__in=OURS).values_list("codename", flat=True))


def run(using_apps=apps):
    with connection.schema_editor() as schema_editor:
        granting.grant(using_apps, schema_editor)


@pytest.fixture
def user_model_name():
    return get_user_model()._meta.model_name


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


# Outside a transaction, since SQLite's schema editor asks for that.
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_groups_that_may_change_users_may_send_resets(user_model_name):
    office = group("Office", f"change_{user_model_name}", f"view_{user_model_name}")

    run()
    run()  # twice is once

    assert ours(office) == GRANTED


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_other_groups_gain_nothing(user_model_name):
    watchers = group("Watchers", f"view_{user_model_name}", f"add_{user_model_name}", f"delete_{user_model_name}")
    editors = group("Other editors", "change_group", model=Group)

    run()

    assert (ours(watchers), ours(editors)) == (set(), set())


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_namesake_of_another_app_is_not_meant(user_model_name):
    """An app of the site may have a model of the same name: changing those is no right over accounts."""
    from django.contrib.contenttypes.models import ContentType

    other = ContentType.objects.create(app_label="shop", model=user_model_name)
    namesake = Permission.objects.create(content_type=other, codename=f"change_{user_model_name}", name="Can change")
    shop = Group.objects.create(name="Shop")
    shop.permissions.add(namesake)

    run()

    assert ours(shop) == set()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_first_migration_of_an_existing_site_grants_before_django_makes_the_permissions(user_model_name):
    """As it happens on a site with groups: when 0002 runs, our permissions do not exist yet."""
    office = group("Office", f"change_{user_model_name}")
    Permission.objects.filter(content_type__app_label="wagtail_member_reset").delete()
    state = MigrationExecutor(connection).loader.project_state([("wagtail_member_reset", "0002_grant_permissions")])

    run(state.apps)
    call_command("migrate", verbosity=0)

    assert ours(office) == GRANTED
    assert Permission.objects.filter(codename__in=OURS).count() == 4
    names = dict(Permission.objects.filter(codename__in=OURS).values_list("codename", "name"))
    assert {name: names[name] for name in GRANTED} == granting.GRANTED


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.slow
def test_tables_can_be_taken_away_and_made_again():
    """On MySQL and MariaDB, an index that a foreign key needs cannot be taken off a table."""

    def tables():
        return [name for name in connection.introspection.table_names() if name.startswith("wagtail_member_reset_")]

    before = sorted(tables())
    call_command("migrate", "wagtail_member_reset", "zero", verbosity=0)
    without = tables()
    call_command("migrate", "wagtail_member_reset", verbosity=0)

    assert (without, sorted(tables())) == ([], before)
