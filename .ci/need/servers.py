"""What starting any server needs."""

import os
import secrets
import socket
import subprocess
import time

PASSWORD_BYTES = 24


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def new_password():
    return secrets.token_urlsafe(PASSWORD_BYTES)


def as_user(name):
    """How a program runs as that user, for `subprocess`: databases refuse to run as root."""
    if os.geteuid():
        return {}
    return {"user": name, "group": name, "extra_groups": []}


def wait_for(answers, process, log, *, seconds=60):
    """Wait until it answers; with a process that ended or takes too long, show its log and raise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if answers():
            return
        time.sleep(0.2)
    raise SystemExit(f"It was started, but does not answer.\n{log.read_text(errors='replace')}")


def stop(process, *, seconds=10):
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
