"""
Whether a link that staff were shown still sets a password, once its member may do what they may not.

Each member is promoted in one way, and the link is then tried as anybody would who had kept it. Two controls: of a
member who gained nothing, and of one who gained what whoever was shown the link has, too, it has to work.

The others show nobody a link: see `races`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

EACH = 20
NEW = "a new password 1 of nobody"
SHARED = "add_collection"


@measure("promotion", order=66)
def promotion(run: Run) -> Iterator[Figure]:
    if not run.target.is_ours:
        return
    from wagtail_member_reset import resets
    from wagtail_member_reset.models import PasswordReset

    ways, controls = _ways(), _controls()
    asked = {way: [run.people.existing() for _ in range(EACH)] for way in [*ways, *controls]}
    run.people.settle()
    model = get_user_model()
    viewer = model.objects.create(username="viewer", email="viewer@promotion.example")
    viewer.groups.add(_group("viewers", "change_user", SHARED))
    taken = dict.fromkeys(asked, 0)
    for addresses in asked.values():
        for address in addresses:
            run.adapter.request(address)
    for way, addresses in asked.items():
        for address in addresses:
            link = run.adapter.link_to(address)
            reset = PasswordReset.objects.select_related("member").get(member__email=address)
            resets.note_shown(reset, by=model.objects.get(pk=viewer.pk))
            ({**ways, **controls})[way](reset.member)
            run.adapter.set_password(link, NEW)
            taken[way] += model.objects.get(pk=reset.member.pk).check_password(NEW)
    yield figure_of(taken={way: taken[way] for way in ways}, works={way: taken[way] for way in controls}, each=EACH)


def figure_of(*, taken: dict[str, int], works: dict[str, int], each: int) -> Figure:
    if any(count < each for count in works.values()):
        verdict, reason = Verdict.INCONCLUSIVE, "A link that should work did not."
    elif any(taken.values()):
        verdict, reason = Verdict.FAIL, f"Taken over: {', '.join(way for way, count in taken.items() if count)}."
    else:
        verdict, reason = Verdict.PASS, ""
    return Figure(
        name="promotion: accounts taken over by a link that was shown before",
        text=f"{sum(taken.values())}, by {len(taken)} ways to gain rights",
        n=each * len(taken),
        unit="links",
        control=", ".join(f"{way}: {count} of {each} work" for way, count in works.items()),
        verdict=verdict,
        reason=reason,
        value={"taken": taken, "works": works},
    )


def _ways() -> dict[str, Callable[[Any], None]]:
    return {
        "superuser": _become_superuser,
        "manages users": lambda member: member.groups.add(_group("managers", "add_user", "delete_user")),
        "enters the admin": lambda member: member.groups.add(_group("staff", "access_admin")),
        "one right more": lambda member: member.user_permissions.add(_permission("add_site")),
    }


def _controls() -> dict[str, Callable[[Any], None]]:
    return {
        "gained nothing": lambda member: None,
        "gained what the viewer has": lambda member: member.user_permissions.add(_permission(SHARED)),
    }


def _become_superuser(member: Any) -> None:
    member.is_superuser = True
    member.save(update_fields=["is_superuser"])


def _group(name: str, *codenames: str) -> Group:
    group, _new = Group.objects.get_or_create(name=name)
    group.permissions.set([_permission(codename) for codename in codenames])
    return group


def _permission(codename: str) -> Permission:
    return Permission.objects.filter(codename=codename).first()
