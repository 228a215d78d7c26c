"""Whether mails reach anybody, and whether what becomes of them is heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode

from .. import links, reports, senders
from ..conf import conf
from ..exceptions import SettingError
from .common import plain_http

# These lead nowhere. Django's tests set "locmem" by themselves, so that one says nothing.
FOR_DEVELOPMENT = {f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")}
FOR_DEVELOPMENT.add("anymail.backends.console.EmailBackend")
BASE = "wagtail_member_reset/emails/base.html"
BLOCKS = ("title", "heading", "opening", "body", "footer")


@register()
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        base = conf.BASE_URL or ""
    except SettingError:  # it has a message of its own
        base = ""
    return [*_sender(), *_mail_backend(), *_mail_service(), *plain_http(base)]


@register(Tags.security, deploy=True)
def check_webhook(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    name = reports.default_backend().name
    path = reports.webhook_path(name)
    if not path or not reports.is_open_to_anybody(path):
        return []
    hint = (
        'Set ANYMAIL = {"WEBHOOK_SECRET": "user:password"}, with long random words, and give the service the address '
        f"https://user:password@…{path}."
    )
    message = f"Anybody may post delivery reports to {path}: {name} has no secret and no signature there."
    return [Error(message, hint=hint, id="wagtail_member_reset.E024")]


@register(deploy=True)
def check_sender(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    sender = str(settings.DEFAULT_FROM_EMAIL or "")
    if not senders.is_one_mailbox(sender) or not links.leads_nowhere(senders.default().domain):
        return []
    message = f"Emails to members come from {sender}, which mail servers refuse, and which nobody can answer."
    hint = 'Set DEFAULT_FROM_EMAIL to an address of your own, as "Club <office@club.example>".'
    return [Warning(message, hint=hint, id="wagtail_member_reset.W034")]


@register(Tags.templates)
def check_base_of_emails(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Emails fill the blocks of a base that may be the site's own: without one, what they say there is lost."""
    blocks = _blocks(BASE)
    missing = [name for name in BLOCKS if blocks is not None and name not in blocks]
    if not missing:
        return []
    lack = f"block {missing[0]}" if len(missing) == 1 else f"blocks {', '.join(missing)}"
    message = f"The template {BASE} has no {lack}: emails lose what they say there, or greet twice."
    hint = f'Put {{% block {missing[0]} %}} where our own {BASE} has it; the greeting belongs in "opening".'
    return [Warning(message, hint=hint, id="wagtail_member_reset.W032")]


def _blocks(name: str, below: tuple[str, ...] = ()) -> set[str] | None:
    """
    What can be filled, or None where only a rendering would tell: of a template that extends one of its own name, too,
    as one does which stands in for the packaged one.
    """
    if name in below:
        return None
    try:
        # Jinja's templates have no nodes.
        nodes = getattr(getattr(get_template(name), "template", None), "nodelist", None)
    except (TemplateDoesNotExist, TemplateSyntaxError):  # which says enough by itself
        return None
    if nodes is None:
        return None
    found = {node.name for node in nodes.get_nodes_by_type(BlockNode)}
    for node in nodes.get_nodes_by_type(ExtendsNode):
        parent = node.parent_name.var
        above = _blocks(parent, (*below, name)) if isinstance(parent, str) else None
        if above is None:
            return None
        found |= above
    return found


def _sender() -> Iterator[CheckMessage]:
    sender = str(settings.DEFAULT_FROM_EMAIL or "")
    if not senders.is_one_mailbox(sender):
        yield Error(
            f"DEFAULT_FROM_EMAIL is {sender[:100]!r}, which is not one address: no email can leave.",
            hint="Set one address, with or without a name, and a name with a colon or a comma in quotes: "
            """'"Club: Members" <office@club.example>'.""",
            id="wagtail_member_reset.E025",
        )


def _mail_backend() -> Iterator[CheckMessage]:
    path = reports.backend_path()
    if path in FOR_DEVELOPMENT and not settings.DEBUG:
        yield Warning(
            f"The mail backend is {path}, so that no email reaches a member.",
            hint="Set the backend of your mail service, for instance Anymail's, or DEBUG = True for development.",
            id="wagtail_member_reset.W006",
        )


def _mail_service() -> Iterator[CheckMessage]:
    service = reports.default_backend()
    name = service.name
    if service.queues:
        yield Warning(
            f"The mail backend is {name}, a queue of this site's own, which stores every email with the personal link.",
            hint="Who may read its tables or its broker can use the links that are still unused: see who that is, and "
            "delete sent emails soon. What becomes of an email shows no further than the queue. "
            "Or send over the mail service itself: this app has a queue of its own, which stores no links.",
            id="wagtail_member_reset.W015",
        )
    if where := service.click_tracking:
        yield Warning(
            f"{name} cannot be told with a mail not to rewrite its links, and a rewritten link is known to {name}.",
            hint=f"See that click tracking is off in {where}. Then silence this check.",
            id="wagtail_member_reset.W008",
        )
    if service.webhook and not reports.webhook_path(name):
        yield Info(
            f"{name} could report what becomes of an email, but Anymail's webhooks have no address here.",
            hint='Add path("anymail/", include("anymail.urls")) to the URL configuration and tell the service of it.',
            id="wagtail_member_reset.I001",
        )
