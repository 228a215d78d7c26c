"""
What mail servers say, as data: words that mean one thing when our own server says them, and another when a member's
does. They are written as in `answer_words`, and speak before the words there.
"""

from __future__ import annotations

from .answer_words import PHRASES, Says, phrases

# Whoever says it.
ANYWHERE: dict[Says, tuple[str, ...]] = {
    Says.UNREACHABLE: phrases(
        """
        they can receive, messages it can receive, can receive per hour, receive per hour, receiving limit
        """
    ),
    Says.FULL: phrases(
        """
        speicherlimit, speicherplatzlimit, mailbox for user is full
        """
    ),
}
# By our own mail server, of ourselves.
OF_OUR_SERVER: dict[Says, tuple[str, ...]] = {
    Says.LIMIT: phrases(
        """
        refuse quota, exceeded your outmail, you have exceeded your … quota, reached your outgoing quota,
        reached your … quota, outgoing quota, outbound quota,
         policy rejection … quota
        """
    ),
    Says.ACCOUNT: phrases(
        """
        outbound spam, originating from your address, originating from your account, unsolicited … from your account,
        spam … from your account, send external, send to external, send mail to external, send emails to external,
        send email to external, send messages to external, send outside, your mailbox is full, your mailbox … is full,
        your inbox is full, your mailbox is over
        """
    ),
    Says.SENDER: phrases(
        """
        mail from invalid, invalid mail from, mail from is invalid, mail from address invalid
        """
    ),
    Says.CONTENT: phrases(
        """
        message size exceeds limit, message size exceeds fixed, message size exceeds maximum, message size exceeds size
        """
    ),
    Says.RELAY: phrases(
        """
        relay check, turn on smtp authentication, login to the imap, login to the pop3, log in to the imap,
        smtp authentication in your
        """
    ),
}
# By our own mail service's API: of its fields, which are the sender's and which are the member's.
OF_OUR_SERVICE: dict[Says, tuple[str, ...]] = {
    Says.ACCOUNT: phrases(
        """
        trial account, trial accounts, trial plan
        """
    ),
    Says.SENDER: phrases(
        """
        from email domain must be verified, domain must be verified, not an authorized sender, not authorized sender,
        valid sender email, valid sender, invalid from field, invalid from, invalid sender, invalid reply to
        """
    ),
}
FIELDS_OF_SENDER = phrases(
    """
    from parameter, from email, from field, from address, from name, from header, sender name, sender email,
    sender address, sender field, sender parameter, reply to, replyto, related to from, related to sender, field from,
    the from
    """
)
# What a service says of an address, without which, and what it says of the domain that sends.
ADDRESS_NOT_VALID = phrases(
    "must be a valid email, must be a valid address, valid email address, address is invalid, email is invalid"
)
SENDING_DOMAIN = phrases("domain not found")
# By a member's mail server, of the member's mailbox, or of ours.
OF_A_MEMBERS_SERVER: dict[Says, tuple[str, ...]] = {
    Says.DISABLED: phrases(
        """
        due to inactivity, account deactivated, account is deactivated, account has been deactivated, account blocked,
        account is blocked, account has been blocked, account is locked, account locked, account is not active,
        account not active, account … expired, mailbox … expired, subscription expired, subscription has expired,
        mailbox closed, mailbox blocked, mailbox is blocked, plan has expired, user is locked, user locked, user
        is blocked, user blocked, user deactivated,
        user is deactivated, mailbox deactivated, mailbox is locked, mailbox is closed, archived recipient,
        destinataire archivee, destinataire archivée, ofr 417
        """
    ),
    Says.INSIDERS: phrases(
        """
        not in allowed list, not in the allowed list, not in allow list, not on the allow list, only accept from,
        only accepts from, accept from contacts, accepts from contacts, accept mail from contacts, from contacts only
        """
    ),
    Says.UNTRUSTED: phrases(
        """
        black ip, ip in prison, ip … in prison, ask your postmaster
        """
    ),
}
# What makes it our account at our service where an answer came back through a member's: with "your account".
SENDING = phrases("send, sends, sending, outbound, outgoing")

# Lone words that stand in many an answer which is about something else.
LONE = (Says.LIMIT, Says.ACCOUNT, Says.UNTRUSTED, Says.CONTENT, Says.SPAM)
# What servers say with whatever reason.
ANY_REASON = phrases(
    """
    recipient rejected, recipients rejected, rejected recipients, recipient addresses rejected, address rejected,
    recipient not accepted, recipient is not accepted, recipient refused, recipient denied, recipient has been denied,
    mailbox unavailable, mailbox is unavailable, mailbox not available
    """
)
# What may be missing or wrong is not always an address: "SPF record does not exist".
OF_ANYTHING = phrases(
    """
    no such, no email, no user, not exist, not exists, doesnt exist, dont exist, didnt exist, t exist, not valid,
    no longer valid, domain not found, host not found, domain name not found, unknown host, host unknown, no mx,
    find mx, invalid domain, invalid address, address invalid, unknown address, address unknown, valid address,
    bad address, could not be found, couldnt be found, not listed in, unknown domain, domain unknown,
    domain … unknown, name or service not known, nxdomain, address not found
    """
)
OF_A_MAILBOX = phrases(
    """
    no such user, no such mailbox, no such recipient, no such account, no such address, no such person, no such local,
    user … not exist, mailbox … not exist, account … not exist, recipient … not exist, user doesnt exist,
    mailbox doesnt exist, account doesnt exist
    """
)
UNCLEAR = {*ANY_REASON, *OF_ANYTHING}
# All phrases that tell what they are about, whichever lone word stands beside them.
TELLING: dict[Says, tuple[str, ...]] = {
    says: tuple(each for each in known if each not in UNCLEAR and (says not in LONE or " " in each))
    + (OF_A_MAILBOX if says is Says.UNKNOWN else ())
    for says, known in PHRASES.items()
}
MISSING: dict[Says, tuple[str, ...]] = {
    Says.UNKNOWN: tuple(each for each in PHRASES[Says.UNKNOWN] if each not in ANY_REASON)
}
# Words that a code which tells more outranks, where other words confirm it.
OVERRULED = (
    Says.FULL,
    Says.QUOTA,
    Says.LIMIT,
    Says.ACCOUNT,
    Says.UNTRUSTED,
    Says.CONTENT,
    Says.SPAM,
    Says.SETUP,
    Says.LOGIN,
)
