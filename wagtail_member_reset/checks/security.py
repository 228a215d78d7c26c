"""What makes an installation weaker than it need be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, Warning, register
from django.db import Error as DatabaseError

from .. import outbox
from ..conf import PREFIX, conf
from ..exceptions import SettingError

# A code that is mailed lives 24 hours: https://pages.nist.gov/800-63-4/sp800-63b.html#savedrecovery
STRICT_LIFETIME = timedelta(hours=24)
# Fewer may be somebody who tries the page out.
FEWEST_REQUESTS = 20
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@register()
def check_sign_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    others = [path for path in settings.AUTHENTICATION_BACKENDS if path != MODEL_BACKEND]
    if not others or getattr(settings, f"{PREFIX}MAY_RESET", None) is not None:
        return []
    hint = (
        f"If some people sign in there and must not get a password of this site, set {PREFIX}MAY_RESET to the dotted "
        "path of a callable that says who may. Else set it to wagtail_member_reset.conf.anyone."
    )
    message = f"People may sign in by {', '.join(others)}, too, and a reset would give each of them a password."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W010")]


@register(Tags.security)
def check_visitors(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether visitors can be told apart: behind a proxy, all of them come from its address."""
    signs = [name for name in ("USE_X_FORWARDED_HOST", "SECURE_PROXY_SSL_HEADER") if getattr(settings, name, None)]
    try:
        if not signs or conf.TRUSTED_PROXIES:
            return []
    except SettingError:  # it has a message of its own
        return []
    hint = (
        f"Set {PREFIX}TRUSTED_PROXIES to the number of proxies in front of Django that append to X-Forwarded-For, "
        "usually 1. If REMOTE_ADDR is the visitor's own address all the same, silence this check."
    )
    message = f"{signs[0]} says that a proxy stands in front, and the limits cannot tell its visitors apart."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W011")]


@register(Tags.database)
def check_what_arrives(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The same by what came in on the last day. Asks the tables, so with `check --database default` alone."""
    if not databases or settings.DEBUG:
        return []
    try:
        shared, every = outbox.count_shared_requests()
    except DatabaseError:  # before the first migration there is nothing to ask
        return []
    if every < FEWEST_REQUESTS or shared < every:
        return []
    hint = (
        f"Set {PREFIX}TRUSTED_PROXIES to the number of proxies in front of Django, and have these append to "
        "X-Forwarded-For. If all visitors are in a network of your own, silence this check."
    )
    message = f"All {every} requests of the last day came from private addresses: no visitor has a limit of their own."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W019")]


@register(Tags.security, deploy=True)
def check_passwords(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.AUTH_PASSWORD_VALIDATORS:
        return []
    hint = "Set AUTH_PASSWORD_VALIDATORS as a new Django project has it: members see its rules on our page."
    message = "AUTH_PASSWORD_VALIDATORS is empty, so that a member may choose any password, even one letter."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W012")]


@register(Tags.security, deploy=True)
def check_lifetime(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        lifetime = conf.LINK_LIFETIME
    except SettingError:
        return []
    if lifetime <= STRICT_LIFETIME:
        return []
    hint = (
        f"A site bound to either sets {PREFIX}LINK_LIFETIME = timedelta(hours=24) and "
        f'{PREFIX}LINK_DISPLAY = "never"; see "The strict profile" in the README. Every other one may silence this.'
    )
    hours = round(lifetime.total_seconds() / 3600)
    message = f"Links live {hours} hours, longer than the 24 of NIST SP 800-63B, which ASVS 5.0 follows."
    return [Info(message, hint=hint, id="wagtail_member_reset.I002")]
