from django.dispatch import Signal

# For the sites' own code. Each is sent after the commit, with `sender=PasswordReset`
# and `reset`; this package itself listens to none of them.
reset_sent = Signal()  # also `email`, the ResetEmail row
reset_redeemed = Signal()  # also `member`
delivery_changed = Signal()  # `sender=ResetEmail`, with `email`
