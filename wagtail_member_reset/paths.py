"""Addresses of this site: where it is served, and what answers there."""

from __future__ import annotations

from django.urls import ResolverMatch, get_script_prefix, resolve


def home() -> str:
    """The address of the site's first page: "/", or the path below which this request came in."""
    return get_script_prefix()


def answering(path: str) -> ResolverMatch:
    """
    What answers a path as `reverse` makes it: Django's `resolve` takes it without the prefix that `reverse` puts there.

    Raises `Resolver404`.
    """
    return resolve("/" + path.removeprefix(home()).removeprefix("/"))
