"""
The public pages: a request for a link, and the page to choose a password; ours beside Django's own views.

Both through Django's handler with the same middleware and a database connection that is kept, as careful sites have it.
"""

from __future__ import annotations

import http.client
import io
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.util import setup_testing_defaults

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tests.bench.filling import WARM
from tests.bench.meter import Meter
from wagtail_member_reset import resets
from wagtail_member_reset.models import ResetEmail, ResetRequest
from wagtail_member_reset.outbox.background import sender

# What our form and Django's are posted to.
FORMS = {"ours": "wagtail_member_reset:password_reset", "django": "django_password_reset"}
CSRF = "x" * 32
SERVERS = 2
Costs = dict[str, Any]


def post(*, to: str, who: str, count: int) -> Costs:
    """One POST after the other, until the last of their mails has left: what that costs this process, all threads."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    addresses = _addresses(who, WARM + count)
    for address in addresses[:WARM]:
        _posted(to, address)
    _settled()
    with Meter() as meter:
        for address in addresses[WARM:]:
            _posted(to, address)
        _settled()
    return meter.as_json(requests=count)


def load(*, to: str, who: str, count: int, visitors: int) -> Costs:
    """Two server processes, and visitors who post at once as soon as they are answered: how long it takes."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    addresses, address = _addresses(who, WARM + count), reverse(FORMS[to])
    with _servers() as port:
        for each in addresses[:WARM]:
            _timed(port, address, each)
        time.sleep(1.5)  # so that the mails of the warming up are not in the way
        shared, times, lock = iter(addresses[WARM:]), list[float](), threading.Lock()

        def visit() -> None:
            while True:
                with lock:
                    each = next(shared, None)
                if each is None:
                    return
                took = _timed(port, address, each)
                with lock:
                    times.append(took)

        threads = [threading.Thread(target=visit) for _ in range(visitors)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - start
        _settled()
    if len(times) != count:
        raise RuntimeError(f"{len(times)} of {count} were answered.")
    return {"wall": wall, "requests": count, "p99": statistics.quantiles(times, n=100)[98]}


def form(*, of: str, count: int) -> Costs:
    """The page with the form for a new password, as a member who followed a link gets it."""
    connection.settings_dict["CONN_MAX_AGE"] = None
    member = get_user_model().objects.get(username="member0000000")
    if of == "ours":
        link = resets.link(resets.send(member, by=None))
        assert link
        first = "/" + link.split("/", 3)[3]
    else:
        key = urlsafe_base64_encode(force_bytes(member.pk))
        first = reverse("django_password_reset_confirm", args=[key, default_token_generator.make_token(member)])
    status, headers, _body = _answered("GET", first)
    cookies = "; ".join(value.split(";")[0] for name, value in headers if name == "Set-Cookie")
    [address] = [value for name, value in headers if name == "Location"]
    for _ in range(WARM):
        status, _headers, body = _answered("GET", address, cookies=cookies)
        assert (status, b'name="new_password1"' in body) == (200, True), (status, address)
    with Meter() as meter:
        for _ in range(count):
            _answered("GET", address, cookies=cookies)
    return meter.as_json(requests=count)


def _addresses(who: str, count: int) -> list[str]:
    if who == "stranger":
        return [f"stranger{number}@elsewhere.example" for number in range(count)]
    members = get_user_model().objects.order_by("-pk")
    warm = members.filter(username__startswith="warm").values_list("email", flat=True)
    found = members.filter(username__startswith="member").values_list("email", flat=True)
    return [*warm[:WARM], *found[: count - WARM]]


def _settled() -> None:
    """Wait for what our thread still has to do, here or in the servers."""
    while True:
        sender.wait()
        waiting = ResetRequest.objects.filter(resolved_at=None).exists()
        if not waiting and not ResetEmail.objects.unsent().exists():
            return
        time.sleep(0.02)


def _posted(to: str, address: str) -> None:
    status, _headers, _body = _answered("POST", reverse(FORMS[to]), body=_body_of(address), cookies=f"csrftoken={CSRF}")
    assert status == 302, status


def _body_of(address: str) -> bytes:
    return urlencode({"email": address, "csrfmiddlewaretoken": CSRF}).encode()


def _answered(method: str, path: str, *, body: bytes = b"", cookies: str = "") -> tuple[int, list[Any], bytes]:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_HOST": "club.example",
        "HTTP_COOKIE": cookies,
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    told: list[tuple[int, list[Any]]] = []
    response = _application()(environ, lambda status, headers, *error: told.append((int(status[:3]), headers)))
    found = b"".join(response)
    response.close()
    return *told[0], found


_made: list[WSGIHandler] = []


def _application() -> Callable[..., Any]:
    if not _made:
        _made.append(WSGIHandler())
    return _made[0]


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass

    def address_string(self) -> str:
        return str(self.client_address[0])


class _Server(WSGIServer):
    def server_bind(self) -> None:
        """Bound already, by the process that started this one."""


@contextmanager
def _servers() -> Iterator[int]:
    """Processes that answer one request at a time each, as gunicorn's plain workers do. Its port."""
    shared = socket.create_server(("127.0.0.1", 0), backlog=256)
    connections.close_all()
    # The settings of the moment go along, which a process started anew would not have.
    forked = multiprocessing.get_context("fork")
    crew = [forked.Process(target=_serve, args=(shared,), daemon=True) for _ in range(SERVERS)]
    for each in crew:
        each.start()
    try:
        yield shared.getsockname()[1]
    finally:
        for each in crew:
            each.terminate()
            each.join()
        shared.close()


def _serve(shared: socket.socket) -> None:
    server = _Server(shared.getsockname(), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket, server.server_name, server.server_port = shared, "club.example", 80
    server.setup_environ()
    server.set_app(_application())
    server.serve_forever(poll_interval=60)


def _timed(port: int, path: str, address: str) -> float:
    headers = {
        "Host": "club.example",
        "Cookie": f"csrftoken={CSRF}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    start = time.perf_counter()
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    asked.request("POST", path, _body_of(address), headers)
    answer = asked.getresponse()
    answer.read()
    asked.close()
    took = time.perf_counter() - start
    if answer.status != 302:
        raise RuntimeError(f"{path} was answered with {answer.status}.")
    return took
