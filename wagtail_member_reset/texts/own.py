"""Which addresses are the site's own: the only ones to which a text may lead."""

from __future__ import annotations

import re
from functools import cached_property
from urllib.parse import urlsplit

from wagtail.models import Site

from .. import links
from ..conf import conf
from .elsewhere import leads_on

# As the address line of a browser has it, without the host. Browsers read "/\" as "//", which begins a host.
PATH = re.compile(r"/(?![/\\])[^\s\\\"'<>{}]*")
ADDRESS = re.compile(r"https://[^\s\\\"'<>{}/?#]+([^\s\\\"'<>{}]*)", re.IGNORECASE)


class OwnPages:
    """
    Says of an address whether it is one of the site's own, and names no other in its path or query, to which a page may
    send people on. Asks for the sites once, where an address has a host.
    """

    def __call__(self, target: str) -> bool:
        if PATH.fullmatch(target):
            return not leads_on(target)
        found = ADDRESS.fullmatch(target)
        return bool(found and self.has_host(target) and not leads_on(found[1]))

    def has_host(self, address: str) -> bool:
        """Whether the host of this address is one of ours, whatever the scheme."""
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        return not parts.username and parts.password is None and port in (None, 443) and host in self._hosts

    def has_name(self, host: str) -> bool:
        """The same of a host that is only named: with or without "www.", as people say it."""
        return not self._hosts.isdisjoint({host, f"www.{host}", host.removeprefix("www.")})

    @cached_property
    def _hosts(self) -> set[str]:
        sites = {host.lower() for host in Site.objects.values_list("hostname", flat=True)}
        own = {host for host in sites if links.is_allowed_host(host)}
        return own | {urlsplit(conf.BASE_URL).hostname or ""} - {""} if conf.BASE_URL else own
