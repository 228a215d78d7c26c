"""A thousand members: ours beside Django's form, allauth and a site's own loop."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import cpu_each, ratios, statements_per_thousand

FEW = 1000


def contestants(size: Size) -> Iterator[Contestant]:
    few = {"table": FEW, "mails": FEW}
    yield Contestant("provider", "ours, a mail service's batch calls", "run", way="provider", **few)
    yield Contestant("smtp", "ours, SMTP", "run", way="smtp", **few)
    yield Contestant("django", "Django's PasswordResetForm, SMTP", "django_form", way="smtp", **few)
    yield Contestant("loop", "a site's own loop, SMTP", "loop", way="smtp", **few)
    yield Contestant("allauth", "django-allauth's form, SMTP", "allauth_form", way="smtp", **few)
    yield Contestant("twin", "ours, batch calls, once more: the control", "run", way="provider", **few)


def findings(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    control = Control.of(ratios(results["twin"], results["provider"], cpu_each))
    django = results["django"]
    yield judge(
        Goal("batch calls, CPU per member, times less than Django's form", at_least=10),
        ratios(django, results["provider"], cpu_each),
        unit="x",
        control=control,
    )
    yield judge(
        Goal("SMTP, CPU per member, times less than Django's form", at_least=2.2),
        ratios(django, results["smtp"], cpu_each),
        form=".2f",
        unit="x",
        control=control,
    )
    yield judge(
        Goal("SMTP, statements for 1,000 members", at_most=100),
        [statements_per_thousand(each) for each in results["smtp"]],
        form=".0f",
    )


CONTEST = Contest("few", "1,000 members in a table of 1,000", contestants, findings)
