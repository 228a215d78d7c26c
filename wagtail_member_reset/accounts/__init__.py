"""What is known of a member's account: its address, its language, and whether it can be sent a link."""

from .address import (
    LONGEST_ADDRESS,
    Member,
    accounts_by_address,
    address_key,
    address_of,
    clean_address,
    comparable,
    count_sharing,
    same_address,
)
from .eligible import address_column, has_passwords, is_rule_open, refusal_conditions, refusal_for, refusals
from .language import language_of, with_languages
from .names import one_line, sign_in_name, sign_in_names, signs_in_by_address
from .newcomers import has_not_got_in, has_set_password, keeps_last_login

__all__ = [
    "LONGEST_ADDRESS",
    "Member",
    "accounts_by_address",
    "address_column",
    "address_key",
    "address_of",
    "clean_address",
    "comparable",
    "count_sharing",
    "has_not_got_in",
    "has_passwords",
    "has_set_password",
    "is_rule_open",
    "keeps_last_login",
    "language_of",
    "one_line",
    "refusal_conditions",
    "refusal_for",
    "refusals",
    "same_address",
    "sign_in_name",
    "sign_in_names",
    "signs_in_by_address",
    "with_languages",
]
