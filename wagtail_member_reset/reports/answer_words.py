"""
What mail servers say, as data: words with what they mean, whoever says them.

A phrase is written as `answers` reads a text: small letters, no punctuation, no apostrophes, camel case taken apart
("RecipientNotFound" is "recipient not found"). "…" stands for some words in between. The first row that has a phrase
of the text speaks, so what is more telling comes first.
"""

from __future__ import annotations

from enum import Enum


class Says(Enum):
    """What an answer is about. Whose matter that is depends on whose server says it, and when."""

    INSIDERS = "the address takes emails from certain senders only"
    UNKNOWN = "there is no such address, or none any more"
    DISABLED = "an account is locked or closed: whose is for the stage to tell"
    FULL = "the mailbox is full"
    QUOTA = "a quota is used up: whose is for the stage to tell"
    SUPPRESSED = "the mail service sends nothing to that address any more"
    UNREACHABLE = "the server of the address was not reached"
    RELAY = "this server does not take mail for that address from us"
    LOGIN = "somebody has to log in"
    SENDER = "the sender's address is not accepted"
    ACCOUNT = "the account that sends is suspended, unpaid or not yet free to send"
    LIMIT = "so many emails, connections or attempts are too many for now"
    UNTRUSTED = "the sending server or domain is not trusted: SPF, block lists, reputation"
    CONTENT = "what the email holds is not accepted"
    SPAM = "the email is taken for spam, whether for its content or for who sends it"
    SETUP = "the connection is not set up as it has to be"
    LATER = "ask again later"


def phrases(listed: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in listed.split(","))


PHRASES: dict[Says, tuple[str, ...]] = {
    Says.SUPPRESSED: phrases(
        """
        recipient address was suppressed, recipient was suppressed, address is suppressed, address is on the
        suppression list, recipient is on the suppression list, recipients are on the suppression list,
        suppressed recipient, suppressed recipients, marked as inactive,
        inactive recipient, inactive
        recipients
        """
    ),
    Says.INSIDERS: phrases(
        """
        from unknown senders, external mail, external email, external emails,
        sender not authenticated for group, not authenticated by … organization, resolver rst auth, resolver rst not
        authorized, resolver rst authentication required, restricted to recipients permission, only accepts mail
        from, only accepts messages from, only accepts email from, accepts mail only from, accepts messages only
        from, only accepting mail from, not pre approved, internal senders, only internal, internal use only,
        internal recipients only, from outside, external senders, external sender, members only, non member, not
        allowed to post, not subscribed to this group, closed mailing list, list of senders, senders list, delivery
        restriction, delivery restrictions, permission to send to, not authorized to send … to this recipient,
        allowed to send to this recipient, blocked by the recipient, blocked by recipient, recipient has blocked,
        user has blocked, recipient preferences, user rules, refuses to receive, mailing list expansion, whitelist
        only
        """
    ),
    Says.LATER: phrases(
        """
        greylist, greylisted, greylisting, grey listed, graylist, graylisted, graylisting, temporary authentication
        failure, temporary authentication error, temporarily unable to authenticate, authentication temporarily,
        authentication server … unavailable, temporary lookup failure
        """
    ),
    Says.ACCOUNT: phrases(
        """
        your account … suspended, your account … disabled, your account … blocked, your account … locked, your
        account … not … send, your account … activated, your account … review, account is not active, account
        suspended, account has been suspended, account is suspended, sending account, sending suspended, sending
        paused, sending is disabled, sending disabled, sending … suspended, not allowed to send email, not allowed
        to send emails, payment required, unpaid, billing, subscription expired, subscription has expired, plan …
        expired, trial … expired, account … expired, not yet … activated, account … not activated, sandbox, access
        to submit messages, bad outbound sender, outbound … disabled, suspicious activity, compromised, bounced …
        too many … your account, account … under review, pending approval, account not approved
        """
    ),
    Says.SENDER: phrases(
        """
        invalid from field, from … must be a valid email,
        sender rejected, sender address rejected, sender email address rejected, sender was rejected, sender
        refused, sender denied, sender invalid, invalid sender, sender verify failed, sender verification failed,
        sender not verified, sender is not verified, sender unknown, unknown sender, sender does not exist,
        unroutable sender, unrouteable sender, bad sender address, sender is not allowed, sender not allowed, sender
        address not, sender address is not, sender domain, domain of sender, senders domain, senders address, sender
        does not match, email address is not verified, email address not verified, identities failed the check,
        sender signature, verified sender, sender identity, sender identities, unverified sender, from address does
        not match, from address and the authenticated user, from address is not, from address not, invalid from
        address, from header, mail from not owned, not owned by user, not owned by auth, send as, send on behalf,
        sending as, send from this address, allowed to send from, authorized to send from, permitted to send from,
        not allowed to send mail as, domain is unverified, domain is not verified, domain not verified, unverified
        domain, domain … not verified, verify your domain, unconfigured sending domain, sending domain … not, is not
        allowed to send, envelope sender, mail from … rejected, mail from … not allowed, bogus mail from,
        absenderadresse, absender … nicht, emetteur invalide, expéditeur, remitente
        """
    ),
    Says.FULL: phrases(
        """
        disk full, you tried to reach is over, kontingent des postfachs, recipient overquota,
        mailbox voll, speicher voll, ist voll, pleine, llena, piena,
        mailbox full, mailbox is full, mailbox … is full, inbox was full, inbox is full, inbox full, full mailbox,
        mailfolder is full, account is full, storage full, storage is full, mailbox … quota, mailbox … exceeded,
        mailbox … exceeds, mailbox … exceed, exceeding … quota, mailbox size limit, disk quota, disc quota,
        diskspace quota, storage quota, storage allocation, out of storage, out of space, has been used up, account
        is over quota, user over quota, user is over quota, user is over the quota, user has exceeded, recipient …
        quota, email account … over quota, maildir over quota, over its quota, over their quota, user has too many
        messages, enough storage space, enough space, over the allowed quota, would be over, no space left on
        device, disk space, quota violation, would exceed, mail quota, postfach … voll, postfach ist voll,
        speicherplatz, boite … pleine, boîte … pleine, buzón … lleno, casella … piena, mailbox vol
        """
    ),
    Says.LIMIT: phrases(
        """
        throttling, throttled, throttle, rate limit, rate limited, rate limits, ratelimit, rate exceeded, sending
        rate, connection rate, rate … exceeded, submission quota, message quota, sending quota, send quota, relay
        quota, mail quota for, sending limit, sending limits, send limit, message limit, messages limit, email
        limit, relay limit, connection limit, recipient limit, recipients limit, request limit, session limit, login
        limit, daily limit, daily user, daily … limit, daily … quota, hourly limit, hourly quota, hourly … limit,
        monthly limit, monthly quota, monthly … limit, per hour, per day, per minute, per second, per month,
        messages per, emails per, mails per, a day, limit on the number, limit for sending, limits for sending,
        limit of … messages, limit of … emails, limit of … recipients, too many login, too many logins, too many
        auth, too many authentication, too many failed, too many unsuccessful, too many connections, too many
        concurrent, too many simultaneous, too many sessions, too many smtp, too many messages, too many message,
        too many emails, too many mails, too many requests, too many recipients, too many errors, too many commands,
        too many attempts, too many invalid, too much mail, too fast, limit exceeded, limit reached, exceeded …
        messages, exceeded … limit, reached … limit, over … limit, credits, credit, mail flood, unusual rate, slow
        down, try again slower, plan limit, exceeded your plan, service quota, versandlimit, sendelimit, limit …
        überschritten, kontingent, zu viele, limite d envoi, trop de, límite de envío
        """
    ),
    Says.QUOTA: phrases(
        """
        quota exceeded, over quota, overquota, over the quota, exceeded … quota, exceeds … quota
        """
    ),
    Says.UNTRUSTED: phrases(
        """
        ofr 506, permanently deferred, policy restrictions, not authorized to send mail directly,
        spf, dkim, dmarc, sender policy framework, mail is unauthenticated, email is unauthenticated, message is
        unauthenticated, sender is unauthenticated, unauthenticated mail, unauthenticated email, unauthenticated
        message, blacklist, blacklisted, blacklists, blocklist, blocklisted, block list, black list, denylist,
        dnsbl, rbl, spamhaus, spamcop, barracuda, sorbs, uceprotect, blocked using, is listed, listed at, listed by,
        ip … listed, ip … blocked, ip … banned, banned sending, client host … blocked, client host rejected, sending
        ip, sending ips, your ip, dynamic ip, dynamic ips, reputation, reverse dns, ptr record, rdns, ptr records,
        not accept mail from, not allowed to connect, your hostname, your network, not accepting mail from your,
        user complaints, spam complaints, sender is spammer, you are sending spam, not trusted, banned sender,
        sender ip, unverifiable, policy reasons, policy reason, local policy, policy violation, security policies,
        security policy, organization policy, administrative prohibition, sender blocked, sender … blocked, policy
        issue
        """
    ),
    Says.SETUP: phrases(
        """
        starttls, tls required, tls is required, requires tls, encryption required, encryption is required,
        encryption needed, requires encryption, ssl required, secure connection, plaintext, helo command, invalid
        helo, helo … rejected, helo … invalid, polite people say helo, fully qualified hostname, ehlo first, helo
        first, certificate, domain not found mailgun
        """
    ),
    Says.RELAY: phrases(
        """
        relay access denied, relaying denied, relay denied, relay not permitted, relaying not permitted, relaying
        not allowed, relay not allowed, relaying is not allowed, unable to relay, cannot relay, permitted to relay,
        allowed to relay, no relaying, no relay, relaying prohibited, as a relay, open relay, rcpthosts, relay …
        denied, relaying … denied, relaying mail, configured to relay, attribution, kein relay
        """
    ),
    Says.LOGIN: phrases(
        """
        unauthenticated, not authenticated, not been authenticated, authentication required, authentication is
        required, authentication needed, auth required, requires authentication, require authentication, must
        authenticate, authenticate first, please authenticate, to authenticate, dont authenticate, without
        authentication, must be authenticated, authentication failed, authentication failure, authentication
        unsuccessful, authentication error, authentication rejected, authentication disabled, incorrect
        authentication, invalid login, bad login, login failed, login denied, login incorrect, must log in, log in
        via, log in with, credentials, password not accepted, invalid password, wrong password, bad username, app
        password, specific password, smtp auth, smtp client authentication, basic authentication, invalid key, api
        key, apikey, api token, invalid token, access token, access key, signature does not match, security token,
        not authorized to perform, unauthorized, authorization header, pop before smtp, check for new mail first,
        authentification, authentifizierung, anmeldung
        """
    ),
    Says.CONTENT: phrases(
        """
        due to content, for its content,
        virus, malware, phishing, content rejected, content … rejected, content denied, message content, mail
        content, content filter, content blocked, unacceptable content, banned content, content presents, potential
        security issue, inappropriate content, invalid content, attachment, attachments, message size, message too
        big, too large, size limit, exceeds size, exceeds … size, maximum size, message length, uribl, suspicious,
        rfc 5322, rfc 2822, rfc822 compliant, message header, duplicate header, mime, inhalt
        """
    ),
    Says.SPAM: phrases(
        """
        spam, spamassassin, antispam, spamming, message filtered, unsolicited, bulk mail, bulk email, message
        rejected as
        """
    ),
    Says.DISABLED: phrases(
        """
        boîte … inactive, compte désactivé, konto deaktiviert,
        account disabled, account is disabled, account … disabled, account … closed, account … inactive, account …
        deactivated, account … suspended, account … locked, account … terminated, inactive account, account
        inactive, mailbox disabled, mailbox is disabled, mailbox … disabled, mailbox inactive, mailbox is inactive,
        inactive mailbox, mailbox … suspended, mailbox is frozen, mailbox … locked, user disabled, user is disabled,
        user suspended, user … suspended, user inactive, inactive user, user not active, user … terminated,
        recipient suspended, extended inactivity, not accepting any mail, deactivated mailbox, to reach is disabled,
        to reach is inactive, domain is disabled, domain inactive
        """
    ),
    Says.UNKNOWN: phrases(
        """
        invalid to field, invalid to address, missing final, local address contains, local address starts, local
        address ends, local part contains, domain contains illegal, domain contains control, domain contains dot,
        domain starts with, domain ends with, illegal address, must be a valid email, needs to follow the,
        bestaat niet, onbekend, inconnue, nexiste pas, address … retired, has left the company,
        nicht verfügbar, nicht gefunden, ungültige adresse, ungültiger empfänger,
        user unknown, unknown user, user … unknown, unknown recipient, recipient unknown, unknown mailbox, unknown
        address, address unknown, addresses were unknown, unknown account, unknown local part, unknown email
        address, unknown virtual user, addressee unknown, userunknown, no such, no mailbox, no email, no mail box,
        no account,
        no user, no one at this address, no one with that, not exist, not exists, doesnt exist, dont exist, didnt
        exist, t exist, nonexistent, non existent, invalid recipient, invalid mailbox, invalid address, address
        invalid, invalid user, bad recipient, invalid email, not a valid email, bad destination, bad address, bad
        mailbox, no valid recipients, valid recipient, valid mailbox, valid address, valid user, not valid, user not
        found, recipient not found, address not found, mailbox not found, account not found, recipient … not found,
        user … not found, could not be found, couldnt be found, mailbox not present, not present in directory, not
        listed in, name is not found, no longer valid, no longer accepts, no longer in use, no longer active, no
        longer exists, no longer available, no longer at, no longer … here, mailbox unavailable, mailbox is
        unavailable, mailbox not available, user unavailable, account unavailable, account is unavailable, recipient
        rejected, recipients rejected, rejected recipients, recipient addresses rejected, address rejected,
        recipient not accepted, recipient is not accepted, recipient refused, recipient denied, recipient not ok,
        recipient has been denied, not a known user, user not known, not known here, known to this system, cant
        accept user, not a local, is not local, not an active address, doesnt have … account, not have … account,
        dont have … account, mailbox invalid, not our customer, badrcptto, badrecipientto, validrcptto, domain not
        found, host not found, domain name not found, unknown host, host unknown, no mx, find mx, no mail host, no
        mail hosts, nullmx, null mx, does not accept mail, do not accept mail, unrouteable address, unroutable
        address, unable to route, unrouteable mail domain, unknown domain, domain unknown, domain … unknown, invalid
        domain, domain must exist, nxdomain, non accepted domain, handle mail for, name or service not known, typo
        in, mailbox owner has changed, unbekannt, existiert nicht, nicht vorhanden, nicht bekannt, unzustellbar,
        inconnu, inexistante, no existe, desconocido, sconosciuto, inesistente, nie istnieje, nie ma takiego
        """
    ),
    Says.UNREACHABLE: phrases(
        """
        points back to,
        dns failure, message expired, delivery expired, time expired, timed out, timeout, time out, connection refused,
        no route to host, unreachable, not reachable, could not be reached, could not connect, cannot connect, unable to
        connect, could not contact, retry time not reached, after multiple retries, max time, too long in queue, in
        the queue too long, in queue too long, allowed queue period, have been failing, giving up, gave up, could
        not be delivered for, hop count, too many hops, routing loop, mail loop, forwarding loop, looping, delivery
        attempts, receiving mail at a rate, receiving mail too quickly, connection dropped, connection reset, lost
        connection, connection lost, did not respond, connection issue
        """
    ),
}
# Of a quota or a limit, what makes it one of sending, whatever else is said of it.
OF_SENDING = phrases(
    """
    daily, hourly, monthly, per day, per hour, per minute, per month, sending quota, sending limit, send limit,
    send quota, message quota, submission quota, relay quota, relay limit, outgoing, outbound
    """
)
# Words that many servers use for many things, where no code says more.
LAST_PHRASES: dict[Says, tuple[str, ...]] = {
    Says.LATER: phrases(
        """
        try again later, try later, come back later, please retry, retry later, deferred, temporarily unavailable,
        temporary failure, temporary error, temporary problem, busy, service not available, service unavailable,
        shutting down, system resources, system storage
        """
    ),
    Says.UNKNOWN: phrases(
        """
        not found, undeliverable
        """
    ),
    Says.UNTRUSTED: phrases(
        """
        blocked, not authorized, permission denied, access denied, banned, forbidden
        """
    ),
}
