"""What several checks find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from .. import links
from ..conf import PREFIX
from ..exceptions import SettingError


def error_of(error: SettingError, number: str) -> Error:
    # The value that is quoted may have a colon of its own: what is left to do begins with its verb.
    problem, way_out = re.split(r": (?=set |write )", str(error), maxsplit=1)
    return Error(f"{problem}.", hint=way_out[:1].upper() + way_out[1:], id=f"wagtail_member_reset.{number}")


def plain_http(base: str) -> Iterator[CheckMessage]:
    is_local = links.leads_nowhere(urlsplit(base).hostname)
    if base.startswith("http://") and not is_local and not settings.DEBUG:
        yield Warning(
            f"Links to members begin with {base}, so that they travel in the open.",
            hint=f'Serve the site over https, and set {PREFIX}BASE_URL = "https://{base[7:]}".',
            id="wagtail_member_reset.W009",
        )
