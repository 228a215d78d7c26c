"""What is known of a member's account: its address, its language, and whether it can be sent a link."""

from .address import (
    JOINERS,
    LONGEST_ADDRESS,
    Member,
    accounts_by_address,
    address_key,
    address_of,
    clean_address,
    comparable,
    replaces_address,
    same_address,
    sharing,
)
from .columns import column_of
from .eligible import address_column, has_passwords, is_rule_open, refusal_conditions, refusal_for, refusals
from .emailing import do_not_email_of, is_not_to_be_emailed
from .language import language_of, with_languages
from .names import one_line, one_line_of_text, sign_in_name, sign_in_names, signs_in_by_address
from .newcomers import has_not_got_in, has_set_password, keeps_last_login
from .powers import (
    Rank,
    groups_of,
    has_admin_access,
    may_see_listing,
    opens_private_things,
    permissions_of,
    private_groups,
    rank_of,
    read_permissions,
)
from .rank import (
    enters_admin,
    is_more_than_member,
    is_superuser,
    manages_users,
    may_change_sites,
    user_permission,
)
from .reach import beyond, but_for, but_for_members, hidden_from
from .rights import may_send, may_send_mailings, may_view_all

__all__ = [
    "JOINERS",
    "LONGEST_ADDRESS",
    "Member",
    "Rank",
    "accounts_by_address",
    "address_column",
    "address_key",
    "address_of",
    "beyond",
    "but_for",
    "but_for_members",
    "clean_address",
    "column_of",
    "comparable",
    "do_not_email_of",
    "enters_admin",
    "groups_of",
    "has_admin_access",
    "has_not_got_in",
    "has_passwords",
    "has_set_password",
    "hidden_from",
    "is_more_than_member",
    "is_not_to_be_emailed",
    "is_rule_open",
    "is_superuser",
    "keeps_last_login",
    "language_of",
    "manages_users",
    "may_change_sites",
    "may_see_listing",
    "may_send",
    "may_send_mailings",
    "may_view_all",
    "one_line",
    "one_line_of_text",
    "opens_private_things",
    "permissions_of",
    "private_groups",
    "rank_of",
    "read_permissions",
    "refusal_conditions",
    "refusal_for",
    "refusals",
    "replaces_address",
    "same_address",
    "sharing",
    "sign_in_name",
    "sign_in_names",
    "signs_in_by_address",
    "user_permission",
    "with_languages",
]
