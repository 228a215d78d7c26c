from django.dispatch import Signal

# For the sites' own code. Each is sent after the commit, with `sender=PasswordReset`
# and `reset`; this package itself listens to none of them.
reset_sent = Signal()  # also `email`, the ResetEmail row
# Also `member`; `mailed_to`, the address that the link was mailed to, or "" where no email with it can have arrived;
# and `was_shown`, whether staff were ever shown the link or copied it. Who used a link that was mailed and never shown
# to anybody reads what comes to that address.
reset_redeemed = Signal()
delivery_changed = Signal()  # `sender=ResetEmail`, with `email`
