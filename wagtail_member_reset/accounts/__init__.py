"""What is known of a member's account: its address, its language, and whether it can be sent a link."""

from .address import Member, address_of, comparable, same_address
from .eligible import address_column, has_passwords, is_rule_open, refusal_conditions, refusal_for, refusals
from .language import language_of, with_languages

__all__ = [
    "Member",
    "address_column",
    "address_of",
    "comparable",
    "has_passwords",
    "is_rule_open",
    "language_of",
    "refusal_conditions",
    "refusal_for",
    "refusals",
    "same_address",
    "with_languages",
]
