"""What is known of a member's account: its address, its language, and whether it can be sent a link."""

from .address import Member, address_of, comparable, same_address
from .eligible import has_passwords, refusal_for, refusals
from .language import language_of, with_languages

__all__ = [
    "Member",
    "address_of",
    "comparable",
    "has_passwords",
    "language_of",
    "refusal_for",
    "refusals",
    "same_address",
    "with_languages",
]
