"""
Input that nobody sends by accident: addresses, headers, tokens.

Counted: answers of 5xx, mails to an address that no account has, links that lead to the host of
somebody else, and made-up tokens that open a form.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.core import mail

from tests.score.adapters import LINK
from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

EACH = 1000
TOKENS = 2000
FOREIGN = "evil.example"
SYMBOLS = "0123456789abcdefghjkmnpqrstvwxyz"
STRANGE = [
    "",
    "@",
    "a@",
    "@b",
    "a@b@c",
    " ",
    "\x00",
    "\r\nBcc: x@evil.example",
    '"quoted part"@{domain}',
    "(comment)mia@{domain}",
    "mia@[127.0.0.1]",
    "mia@xn--mnchen-3ya.example",
    "mia@münchen.example",
    "ＭＩＡ@{domain}",
    "mıa@{domain}",
    "\u202emia@{domain}",
    "mia@{domain}\u200b",
    "mia@{domain},x@evil.example",
    "mia@{domain};x@evil.example",
    "mia@{domain}%0aBcc:x@evil.example",
    "mia@{domain}\udcff",
    "' OR 1=1 --@{domain}",
    "{{ link }}@{domain}",
    "<script>@{domain}",
    "a" * 65536 + "@{domain}",
    "a@" + "b." * 200 + "example",
]


@measure("inputs", order=60)
def inputs(run: Run) -> Iterator[Figure]:
    known = [run.people.existing() for _ in range(EACH)]
    lured = [run.people.existing() for _ in range(EACH)]
    asked = run.people.existing()
    run.people.settle()
    stored = set(get_user_model().objects.values_list("email", flat=True))
    before = len(run.adapter.mails())

    addresses = [_twisted(run.rng, address) for address in known]
    statuses = [run.adapter.request(address).status_code for address in addresses]
    strangers = [to for message in run.adapter.mails()[before:] for to in message.recipients() if to not in stored]
    yield _figure("addresses", statuses, {"mails to a stranger's address": len(strangers)})

    before = len(run.adapter.mails())
    statuses = [run.adapter.request(address, **_headers(run.rng)).status_code for address in lured]
    lures = [link for message in run.adapter.mails()[before:] for link in LINK.findall(message.body) if _is_lure(link)]
    yield _figure("headers", statuses, {"links to another host": len(lures)})

    run.adapter.request(asked)
    real = run.adapter.link_to(asked)
    statuses, forms = [], 0
    for number in range(TOKENS):
        link = _forged(run.rng, real) if number % 2 else _changed(run.rng, real)
        page = run.adapter.open(link)
        statuses.append(page.status_code)
        forms += b'type="password"' in page.content
    yield _figure("tokens", statuses, {"forms behind a made-up token": forms}, is_valid=bool(real))
    mail.outbox.clear()


def _figure(what: str, statuses: list[int], found: dict[str, int], *, is_valid: bool = True) -> Figure:
    errors = sum(status >= 500 for status in statuses)
    wrong = errors + sum(found.values())
    if not is_valid:
        verdict, reason = Verdict.INCONCLUSIVE, "There was no link to change."
    else:
        verdict, reason = (Verdict.FAIL, "See the counts.") if wrong else (Verdict.PASS, "")
    return Figure(
        name=f"bad inputs: {what}",
        text=", ".join([f"answers of 5xx: {errors}", *(f"{name}: {count}" for name, count in found.items())]),
        n=len(statuses),
        unit="requests",
        control=f"different answers: {sorted(set(statuses))}",
        verdict=verdict,
        reason=reason,
        value={"errors": errors, **found},
    )


def _twisted(rng: random.Random, address: str) -> str:
    """A strange address, an account's with something done to it, or noise."""
    local, _, domain = address.partition("@")
    choice = rng.random()
    if choice < 0.4:
        return rng.choice(STRANGE).replace("{domain}", domain)
    if choice < 0.7:
        position = rng.randrange(len(address))
        return (
            address[:position]
            + chr(rng.choice([0, 10, 13, 32, 44, 0x131, 0x212A, 0x202E, 0xFF21]))
            + address[position:]
        )
    if choice < 0.85:
        return f"{local.swapcase()}@{domain.upper()}"
    return "".join(
        chr(rng.choice([rng.randrange(32, 127), rng.randrange(0xA0, 0xD000)])) for _ in range(rng.randrange(400))
    )


def _headers(rng: random.Random) -> dict[str, str]:
    junk = rng.choice(
        ["", "x" * 8000, "' OR 1=1", "\u00ff\u00fe", "127.0.0.1, " * 50, FOREIGN, f"{FOREIGN}:8000", "[::1"]
    )
    host = rng.choice([FOREIGN, f"testserver:{rng.randrange(1, 70000)}", f"testserver.{FOREIGN}", "testserver", junk])
    return {
        rng.choice(["HTTP_HOST", "HTTP_X_FORWARDED_HOST", "SERVER_NAME"]): host,
        "HTTP_X_FORWARDED_FOR": junk,
        "HTTP_X_FORWARDED_PROTO": rng.choice(["http", "https", junk]),
        "HTTP_FORWARDED": f"for={junk};host={FOREIGN}",
        "HTTP_ACCEPT_LANGUAGE": rng.choice(["de", "xx", junk, "*;q=a"]),
        "HTTP_REFERER": f"https://{FOREIGN}/{junk}",
        "HTTP_USER_AGENT": junk,
    }


def _is_lure(link: str) -> bool:
    return FOREIGN in (urlsplit(link).hostname or "")


def _forged(rng: random.Random, link: str) -> str:
    """The link with every symbol of its last parts drawn anew, of the same length."""
    head, _, tail = link.rstrip("/").rpartition("/")
    return f"{head}/{''.join('-' if c == '-' else rng.choice(SYMBOLS) for c in tail)}/"


def _changed(rng: random.Random, link: str) -> str:
    """The link with one symbol of its token changed, and all else as it was."""
    bare = link.rstrip("/")
    position = rng.randrange(len(bare) - 20, len(bare))
    return bare[:position] + rng.choice([c for c in SYMBOLS if c != bare[position]]) + bare[position + 1 :] + "/"
