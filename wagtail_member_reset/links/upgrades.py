"""
A password that is the same, under a better hash.

Django hashes a password anew when somebody signs in with it and its hash is outdated: by an older algorithm, or with
less work than is usual now. A link knows a password by its hash, and would take this for a change.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, identify_hasher

from .. import db, tokens
from ..models import PasswordReset, State

# What is found before the hash is saved, kept on the account until it has signed in.
UPGRADE = "_member_reset_upgrade"


def notice(account: Any) -> None:
    """
    Note whether saving the account's password now upgrades its hash, as far as can be seen; called before it is saved.

    Only where Django's `check_password` made the new hash, which leaves `_password` on the account as None, where the
    stored one is outdated by Django's own rule, and where a live link still fits it. The account has yet to sign in:
    see `follow`.
    """
    vars(account).pop(UPGRADE, None)
    if vars(account).get("_password", "") is not None or _is_outdated(account.password):
        return
    if (reset := PasswordReset.objects.live().filter(active_for=account.pk).first()) is None:
        return
    stored = get_user_model()._base_manager.filter(pk=account.pk).values_list("password", flat=True).first() or ""
    if not _is_outdated(stored):
        return
    old, new = (tokens.password_mark(account.pk, password, reset.key_id) for password in (stored, account.password))
    if new and old == reset.password_mark:
        setattr(account, UPGRADE, (reset.pk, old, new))


def is_upgrading(account: Any) -> bool:
    """Whether that was noted, and the account has not signed in yet."""
    return UPGRADE in vars(account)


def follow(account: Any) -> None:
    """
    Have the link know the new hash; called when the account has signed in.

    Where a password is only checked, nobody says so in time, and the link ends.
    """
    # Not by `vars`: what signs in may stand before the account, as `request.user` does.
    if found := getattr(account, UPGRADE, None):
        delattr(account, UPGRADE)
        key, old, new = found
        known = PasswordReset.objects.filter(pk=key, state=State.ACTIVE, password_mark=old)
        db.retried(lambda: known.update(password_mark=new))


def _is_outdated(password: str) -> bool:
    """By Django's own rule: `django.contrib.auth.hashers.verify_password`."""
    preferred = get_hasher()
    try:
        hasher = identify_hasher(password)
    except ValueError:  # no password that can be used, or by an algorithm that the site no longer has
        return False
    return hasher.algorithm != preferred.algorithm or bool(preferred.must_update(password))
