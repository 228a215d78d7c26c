"""
For the sites' own code: what each is sent with stands in `docs/reference/python.md`, and a test holds them to it.

Each is sent after the commit, and a receiver that fails changes nothing. This package itself listens to none of them.
"""

from django.dispatch import Signal

__all__ = ["delivery_changed", "reset_redeemed", "reset_sent"]

# `sender=PasswordReset`, with `reset`, and `email`, the ResetEmail row that waits.
reset_sent = Signal()
# `sender=PasswordReset`, with `reset` and `member`; `mailed_to`, the address that the link was mailed to, or "" where
# no email with it can have arrived; and `was_shown`, whether staff were ever shown the link or copied it. Who used a
# link that was mailed and never shown to anybody reads what comes to that address.
reset_redeemed = Signal()
# `sender=ResetEmail`, with `email`: it was sent, failed or was skipped, or the mail service has reported something new.
delivery_changed = Signal()
