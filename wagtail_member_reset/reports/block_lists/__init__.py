"""
The list at a mail service of addresses that it mails no more: asked, and an address taken off. A file for each service.

Nothing here decides who may do so, and nothing is written down: see `resets.unblock`.
"""

from . import amazon_ses, brevo, mailgun, postmark, sendgrid
from .block_list import Block, BlockList, BlockListError, Trouble, Unblocked, lift

BLOCK_LISTS = {
    "Amazon SES": amazon_ses.BLOCK_LIST,
    "Brevo": brevo.BLOCK_LIST,
    "Mailgun": mailgun.BLOCK_LIST,
    "Postmark": postmark.BLOCK_LIST,
    "SendGrid": sendgrid.BLOCK_LIST,
}
# Where staff find the list of a service whose API is not known here.
PAGES = {
    "MailerSend": "https://app.mailersend.com/suppressions",
    "Mandrill": "https://mandrillapp.com/settings/rejections",
    "SparkPost": "https://app.sparkpost.com/lists/suppressions",
}

__all__ = ["BLOCK_LISTS", "PAGES", "Block", "BlockList", "BlockListError", "Trouble", "Unblocked", "lift"]
