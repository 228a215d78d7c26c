"""What the Settings tab shows to one member of staff about one member."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote as percent

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from .. import accounts, ids, links, resets, senders
from ..conf import conf
from ..exceptions import Refusal
from ..models import Mailing
from ..outbox import MOST_ACCOUNTS, Content
from ..redact import Redacted
from ..resets import Standing, Status
from . import (
    account,
    for_their_it,
    identity,
    mailing_words,
    permissions,
    qr_code,
    site_choice,
    timeline,
    unblock_words,
    what_helps,
    wording,
)


@sensitive_variables()  # of everything that this calls, too: an error report must not show the link
def context(actor: Any, member: Any, *, reveal: bool = False, revealed: str = "") -> dict[str, Any]:
    """
    Everything that the panel's templates need, for the tab and for the views.

    Includes the link if the actor may see it and the status window is open; for whom it stands behind a click, only
    after that (`reveal`), or as long as it is the link that the page shows already (`revealed`, its key). Who is
    shown the link is kept and logged before.
    """
    alike = accounts.sharing(member)
    values: dict[str, Any] = {
        **facts(actor, member),
        "accounts_at_address": _crowd(actor, alike),
        "most_accounts": MOST_ACCOUNTS,
    }
    status, rights = values["status"], values["rights"]
    values["account"] = account.details(actor, member, alike) if rights.view else None
    values["unblocking"] = unblock_words.offer(status, rights)
    values["for_their_it"] = for_their_it.details(status)
    link = resets.link(status.reset) if rights.link and status.standing == Standing.WAITING else None
    if link is None:
        may_hand_out = _may_hand_out(values)
        is_withheld = (values["rights"].withheld or values["is_own"]) and status.standing == Standing.WAITING
        hidden = {"link": None, "is_hidden": False, "may_hand_out": may_hand_out}
        return {**values, **hidden, "has_own_way": may_hand_out or is_withheld}
    stays = revealed == str(status.reset.pk) and links.has_viewed(status.reset, actor)
    if rights.reveal and not reveal and not stays:
        return {**values, "link": None, "is_hidden": True, "has_own_way": True}
    resets.note_shown(status.reset, by=actor)
    letter, picture = resets.letter(status), qr_code.svg(link)
    redacted = {
        "link": Redacted(link),
        "qr_code": Redacted(picture) if picture else None,
        "letter": letter,
        "mailto": Redacted(_mailto(status, letter)),
    }
    return {**values, **redacted, "is_hidden": False, "has_own_way": True}


def warns_before_sending(member: Any) -> bool:
    """Whether the member may mind an email: "Do not email" is noted, or the last one was marked as spam."""
    return bool(accounts.do_not_email_of(member)) or what_helps.may_mind(resets.status(member).verdict)


def _may_hand_out(values: dict[str, Any]) -> bool:
    return values["rights"].hand_out and values["may_have_link"] and not values["is_host_refused"]


def facts(actor: Any, member: Any) -> dict[str, Any]:
    """The context without the link: the pages that ask a question call this alone."""
    status, rights = resets.status(member), permissions.rights(actor, member)
    every = links.every_site()
    offered = links.offered_sites(every)
    current = status.reset.site if status.reset else links.default_of(every)
    name, noted = wording.person(member), accounts.do_not_email_of(member)
    has_complained = what_helps.may_mind(status.verdict)
    may_mind, problem = bool(noted) or has_complained, links.problem_of_location(current)
    sender = senders.of(current)
    return {
        "member": member,
        "name": name,
        "sign_in_name": accounts.sign_in_name(member),
        "noted": noted,
        "has_complained": has_complained,
        "may_mind": may_mind,
        # Where a link in somebody's hands ends, sending asks before, too.
        "asks_first": may_mind or status.effect == links.Effect.REPLACES or bool(offered),
        "offered_sites": offered,
        "link_site": site_choice.named(status.reset.site, offered) if status.reset else "",
        "refused_sender_of": site_choice.label(current) if current and sender.is_refused else "",
        "sender": sender,
        "is_of_address": what_helps.is_of_address(status.verdict),
        "is_beyond_email": what_helps.is_beyond_email(status.verdict),
        "status": status,
        "state": state(status),
        "words": wording.words(status.verdict, name=name) if status.verdict else None,
        "rights": rights,
        "asks_identity": identity.is_asked(),
        # One that nobody mails: for that, no address is needed.
        "may_have_link": status.refusal in (None, Refusal.NO_ADDRESS),
        "is_without_email": status.refusal == Refusal.NO_ADDRESS and status.standing == Standing.WAITING,
        "is_own": actor.pk == member.pk,
        "location_problem": problem,
        "is_host_refused": problem == links.LocationProblem.HOST,
        "window": conf.STATUS_WINDOW,
        "lifetime": links.lifetime_of(links.purpose_of_next(status.reset)),
        "urls": urls(member),
        "address_field": f"id_{member.get_email_field_name()}",
        "back_url": page_url(actor, member),
    }


def state(status: Status) -> str:
    """A digest of all that the panel shows. A panel that polls sends it back, and gets nothing while it is the same."""
    reset, verdict = status.reset, status.verdict
    words = [status.standing.value, status.refusal.value if status.refusal else "", status.address]
    words.append(accounts.sign_in_name(status.member))
    words += [str(reset.pk), str(status.email.pk) if status.email else ""] if reset else []
    words += ["opened"] if status.is_opened else []
    words += [verdict.outcome.value, verdict.cause.value, str(verdict.at)] if verdict else []
    return ids.digest("panel", "|".join(words))[:16]


def history(actor: Any, member: Any) -> dict[str, Any]:
    """Everything that the timeline's template needs."""
    name, offered = wording.person(member), links.offered_sites()
    return {
        "name": name,
        "stories": [
            {
                "reset": story.reset,
                "site": site_choice.named(story.reset.site, offered),
                "awaited": [timeline.awaited(step) for step in story.awaited],
                "lines": [
                    {
                        "entry": entry,
                        "title": timeline.title(entry, name=name),
                        "detail": timeline.detail(entry, name=name),
                        "icon": timeline.icon(entry),
                        "text": entry.verdict.text if entry.verdict else "",
                        "mailing": entry.mailing and mailing_words.name(entry.mailing),
                        "mailing_url": entry.mailing and _mailing_url(actor, entry.mailing),
                    }
                    for entry in story.entries
                ],
            }
            for story in resets.stories(member)
        ],
        "back_url": page_url(actor, member),
    }


def _mailing_url(actor: Any, mailing: Mailing) -> str:
    """The page of a mailing, for who may see it."""
    if not permissions.may_send_mailings(actor):
        return ""
    return reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])


def urls(member: Any) -> dict[str, str]:
    names = ["panel", "send", "hand_out", "unblock", "revoke", "correct", "do_not_email", "reveal", "copied", "history"]
    names += ["data", "erase"]
    return {name: reverse(f"wagtail_member_reset_admin:{name}", args=[quote(member.pk)]) for name in names}


def edit_url(member: Any) -> str:
    """The address of the Settings tab in Wagtail's user edit view."""
    return reverse("wagtailusers_users:edit", args=[quote(member.pk)]) + "#tab-settings"


def page_url(actor: Any, member: Any) -> str:
    """Where the actor finds a member's panel: on the Settings tab, or on its own page for the help desk."""
    return edit_url(member) if permissions.may_change(actor) else urls(member)["panel"]


def _mailto(status: Status, letter: Content | None) -> str:
    """The same email for the mail program of staff. Leaves out an address that has troubles of its own."""
    if letter is None:
        return ""
    address = "" if what_helps.is_of_address(status.verdict) else status.address
    body = letter.text.replace("\n", "\r\n")  # https://www.rfc-editor.org/rfc/rfc6068#section-5
    return (
        f"mailto:{percent(address, safe='@')}?subject={percent(letter.subject, safe='')}&body={percent(body, safe='')}"
    )


def _crowd(actor: Any, alike: list[Any]) -> int | None:
    """
    How many accounts share the member's address, where these are more than get a mail when one asks for it.

    Those beyond the actor's reach are not counted, since no number may tell of them.
    """
    active = [each for each in alike if each.is_active]
    if len(active) <= MOST_ACCOUNTS:
        return None
    found, hidden = len(active), permissions.hidden_from(actor)
    if hidden is not None:
        found -= type(active[0])._base_manager.filter(hidden, pk__in=[each.pk for each in active]).count()
    return found if found > MOST_ACCOUNTS else None
