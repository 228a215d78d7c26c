"""The public pages beside Django's own: asking for a link, and the page to choose a password."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import cpu_of_request, per_second, ratios

MEMBERS = 10_000
POSTS, PAGES, LIGHT, HEAVY = 400, 500, 200, 400
# A mail server takes 30 ms for a mail, which are seven replies with greeting and parting.
LATE = 0.03 / 7
WHOM = {"stranger": "strangers", "member": "members"}
SETTINGS = {
    "WAGTAIL_MEMBER_RESET_DELIVERY": "thread",
    "WAGTAIL_MEMBER_RESET_REQUEST_LIMITS": {"ip": "999999/h", "address": "999999/h", "all": "999999/min"},
}
TITLES = {"ours": "ours", "django": "Django's", "twin": "ours, once more: the control"}


def posting(size: Size) -> Iterator[Contestant]:
    for who in WHOM:
        for name in ("ours", "django", "twin") if who == "stranger" else ("ours", "django"):
            yield _poster("post", f"{name}_{who}", name, who, POSTS)


def under_load(size: Size) -> Iterator[Contestant]:
    for who in WHOM:
        for name in ("ours", "django"):
            yield _poster("load", f"{name}_{who}", name, who, HEAVY, visitors=8)
            yield _poster("load", f"{name}_{who}_light", name, who, LIGHT, visitors=1)
    yield _poster("load", "twin", "twin", "member", HEAVY, visitors=8)


def _poster(work: str, key: str, name: str, who: str, count: int, **more: int) -> Contestant:
    to = "django" if name == "django" else "ours"
    how = f", {more['visitors']} at once" if "visitors" in more else ""
    return Contestant(
        "twin" if name == "twin" else key,
        f"{TITLES[name]}, {WHOM[who]}{how}",
        work,
        MEMBERS,
        # A stranger gets none, and of each the mails are counted.
        mails=count if who == "member" else 0,
        way="smtp",
        late=LATE,
        arguments={"to": to, "who": who, "count": count, **more},
        settings=SETTINGS,
    )


def choosing(size: Size) -> Iterator[Contestant]:
    for name, title in TITLES.items():
        of = "django" if name == "django" else "ours"
        note = ", in a template of nine lines" if of == "django" else ""
        yield Contestant(name, f"{title}{note}", "form", MEMBERS, arguments={"of": of, "count": PAGES})


def about_posting(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    ours = results["ours_stranger"]
    yield judge(
        Goal("asking for a link, CPU of the process and its thread, times Django's for a stranger", at_most=1.2),
        ratios(ours, results["django_stranger"], cpu_of_request),
        form=".2f",
        unit="x",
        control=Control.of(ratios(results["twin"], ours, cpu_of_request)),
    )


def about_load(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    ours, django = results["ours_member"], results["django_member"]
    control = Control.of(ratios(results["twin"], ours, per_second))
    yield judge(
        Goal("asking for a link, requests a second for members, times Django's", at_least=8),
        ratios(ours, django, per_second),
        unit="x",
        control=control,
    )
    yield judge(
        Goal("asking for a link, the slowest of a hundred for members, times less than Django's", at_least=4),
        ratios(results["django_member_light"], results["ours_member_light"], lambda found: found["p99"]),
        unit="x",
        control=control,
    )


def about_choosing(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    yield judge(
        Goal("the page to choose a password, CPU, times Django's", at_most=1.2),
        ratios(results["ours"], results["django"], cpu_of_request),
        form=".2f",
        unit="x",
        control=Control.of(ratios(results["twin"], results["ours"], cpu_of_request)),
    )


ASKING = Contest("public", "Asking for a link, one after the other", posting, about_posting)
LOAD = Contest(
    "load", "Asking for a link, two server processes, SMTP at 30 ms a mail", under_load, about_load, kinds=("postgres",)
)
CHOOSING = Contest("password", "The page to choose a password", choosing, about_choosing)
