"""Mail services that answer on this machine, with the payloads that theirs document, for their lists of addresses."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "the key"
AT = "2026-11-29T08:58:33-05:00"
# What each calls a bounce, a complaint, and something else.
WORDS = {
    "Postmark": {"bounce": "HardBounce", "complaint": "SpamComplaint", "other": "ManualSuppression"},
    "SendGrid": {"bounce": "bounces", "complaint": "spam_reports"},
    "Mailgun": {"bounce": "bounces", "complaint": "complaints", "other": "unsubscribes"},
    "Brevo": {"bounce": "hardBounce", "complaint": "contactFlaggedAsSpam", "other": "unsubscribedViaEmail"},
    "Amazon SES": {"bounce": "BOUNCE", "complaint": "COMPLAINT"},
}


class Played:
    """One service. `blocked` are the pairs of address and reason on its list; `forgets` is False for one that lies."""

    def __init__(self, name):
        self.name, self.blocked, self.calls = name, set(), []
        self.forgets, self.answer, self.hangs = True, None, threading.Event()
        self.hangs.set()

    def block(self, address, why):
        self.blocked.add((address, WORDS[self.name][why]))

    def take_off(self, address, reason=None):
        found = {each for each in self.blocked if each[0] == address and reason in (None, each[1])}
        if self.forgets:
            self.blocked -= found
        return bool(found)

    def reasons(self, address):
        return [reason for each, reason in sorted(self.blocked) if each == address]

    def reply(self, method, target, headers, body):
        parts = urlsplit(target)
        path, query = unquote(parts.path), parse_qs(parts.query)
        self.calls.append((method, path))
        self.hangs.wait(10)
        if self.answer is not None:
            return self.answer
        return getattr(self, "_" + self.name.lower().replace(" ", "_"))(method, path, query, headers, body)

    def _postmark(self, method, path, query, headers, body):
        if headers.get("X-Postmark-Server-Token") != KEY:
            return 401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied."}
        if (method, path) == ("GET", "/message-streams/outbound/suppressions/dump"):
            address = query["EmailAddress"][0]
            kind = {"Origin": "Recipient", "CreatedAt": AT}
            found = [{"EmailAddress": address, "SuppressionReason": why, **kind} for why in self.reasons(address)]
            return 200, {"Suppressions": found}
        address = json.loads(body)["Suppressions"][0]["EmailAddress"]
        self.take_off(address, "HardBounce")
        return 200, {"Suppressions": [{"EmailAddress": address, "Status": "Deleted", "Message": None}]}

    def _sendgrid(self, method, path, query, headers, body):
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"errors": [{"field": None, "message": "authorization required"}]}
        _empty, _v3, _suppression, name, address = path.split("/")
        if method == "DELETE":
            return (204, None) if self.take_off(address, name) else (404, {"errors": [{"message": "not found"}]})
        row = {"created": 1443651125, "email": address, "reason": "550 5.1.1 does not exist", "status": "5.1.1"}
        return 200, [row] if name in self.reasons(address) else []

    def _mailgun(self, method, path, query, headers, body):
        if headers.get("Authorization") != "Basic " + base64.b64encode(f"api:{KEY}".encode()).decode():
            return 401, {"message": "Forbidden"}
        _empty, _v3, domain, name, address = path.split("/")
        if domain != "club.example":
            return 404, {"message": "Domain not found: " + domain}
        if method == "DELETE":
            self.take_off(address, name)
            return 200, {"address": address, "message": "Bounced address has been removed"}
        if name not in self.reasons(address):
            return 404, {"message": f"Address not found in {name} table"}
        return 200, {"address": address, "code": "550", "error": "No such mailbox", "created_at": AT}

    def _brevo(self, method, path, query, headers, body):
        if headers.get("api-key") != KEY:
            return 401, {"code": "unauthorized", "message": "Key not found"}
        if method == "DELETE":
            found = self.take_off(path.rpartition("/")[2])
            return (204, None) if found else (404, {"code": "document_not_found", "message": "Contact not found"})
        if not self.blocked:
            return 200, {}
        first, most = int(query["offset"][0]), int(query["limit"][0])
        found = [
            {"email": each, "senderEmail": "", "reason": {"code": why, "message": why}, "blockedAt": AT}
            for each, why in sorted(self.blocked)
        ]
        return 200, {"contacts": found[first : first + most], "count": len(found)}

    def _amazon_ses(self, method, path, query, headers, body):
        address = path.rpartition("/")[2]
        reasons = self.reasons(address)
        if not reasons:
            return 404, {"message": f"Email address {address} does not exist on your suppression list."}
        if method == "DELETE":
            self.take_off(address)
            return 200, {}
        found = {"EmailAddress": address, "Reason": reasons[0], "LastUpdateTime": 1764495000.0}
        return 200, {"SuppressedDestination": found}


class Server:
    """`with Server(played) as url:` answers there."""

    def __init__(self, played):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, said = played.reply(self.command, self.path, self.headers, body)
                text = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
                try:
                    self.send_response(status)
                    if played.name == "Amazon SES" and status >= 400:
                        kinds = {404: "NotFoundException", 403: "AccessDeniedException"}
                        self.send_header("x-amzn-errortype", kinds.get(status, "InternalFailure"))
                    self.send_header("content-length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:  # who asked has gone
                    pass

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *exc_info):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def configure(settings, name, url):
    """The site's settings for it."""
    from botocore.config import Config

    settings.DEFAULT_FROM_EMAIL = "office@club.example"
    settings.ANYMAIL = {
        "Postmark": {"POSTMARK_SERVER_TOKEN": KEY, "POSTMARK_API_URL": url},
        "SendGrid": {"SENDGRID_API_KEY": KEY, "SENDGRID_API_URL": f"{url}/v3/"},
        "Mailgun": {"MAILGUN_API_KEY": KEY, "MAILGUN_API_URL": f"{url}/v3"},
        "Brevo": {"BREVO_API_KEY": KEY, "BREVO_API_URL": f"{url}/v3/"},
        "Amazon SES": {
            "AMAZON_SES_CLIENT_PARAMS": {
                "endpoint_url": url,
                "region_name": "eu-central-1",
                "aws_access_key_id": "id",
                "aws_secret_access_key": KEY,
                "config": Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1}),
            }
        },
    }[name]
