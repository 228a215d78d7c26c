"""What several checks find."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.checks import CheckMessage, Error, Warning
from django.db import Error as DatabaseError
from django.db import connections, router
from wagtail.models import Site

from .. import links
from ..conf import PREFIX
from ..exceptions import SettingError

Answer = TypeVar("Answer")


def asked_of_tables(ask: Callable[[], Answer], *, otherwise: Answer) -> Answer:
    """
    What `ask` finds in the database; `otherwise` where tables or columns are missing, as they are before `migrate`.

    Raises what the database raises for any other reason.
    """
    try:
        return ask()
    except DatabaseError:
        if _are_tables_missing():
            return otherwise
        raise


def _are_tables_missing() -> bool:
    models: set[Any] = {get_user_model(), Site, Group, Permission}
    models.update(apps.get_app_config("wagtail_member_reset").get_models())
    models |= {field.remote_field.through for model in models for field in model._meta.many_to_many}
    return any(_is_missing(model) for model in models)


def _is_missing(model: Any) -> bool:
    connection = connections[router.db_for_read(model)]
    inspect, table = connection.introspection, model._meta.db_table
    with connection.cursor() as cursor:
        if inspect.identifier_converter(table) not in inspect.table_names(cursor, include_views=True):
            return True
        there = {column.name for column in inspect.get_table_description(cursor, table)}
    return not there.issuperset(field.column for field in model._meta.local_concrete_fields)


def error_of(error: SettingError, number: str) -> Error:
    # The value that is quoted may have a colon of its own: what is left to do begins with its verb.
    problem, way_out = re.split(r": (?=set |write )", str(error), maxsplit=1)
    return Error(f"{problem}.", hint=way_out[:1].upper() + way_out[1:], id=f"wagtail_member_reset.{number}")


def nowhere(base: str, hint: str) -> Warning:
    message = f"Links to members lead to {base}, where nobody can follow them."
    return Warning(message, hint=hint, id="wagtail_member_reset.W004")


def plain_http(base: str) -> Iterator[CheckMessage]:
    is_local = links.leads_nowhere(urlsplit(base).hostname)
    if base.startswith("http://") and not is_local and not settings.DEBUG:
        yield Warning(
            f"Links to members begin with {base}, so that they travel in the open.",
            hint=f'Serve the site over https, and set {PREFIX}BASE_URL = "https://{base[7:]}".',
            id="wagtail_member_reset.W009",
        )
