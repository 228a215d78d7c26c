"""A Redis where REDIS_URL points, without a database's number, or one of this run, which keeps nothing."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import debian
import servers


@contextmanager
def running(environment):
    url = environment.get("REDIS_URL", "redis://127.0.0.1:6379")
    if answers(url):
        yield {"REDIS_URL": url}
        return
    print(f"No Redis answers at {url}: starting one for this run.")
    with started() as url:
        yield {"REDIS_URL": url}


def answers(url):
    import redis

    try:
        return redis.from_url(url, socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.RedisError:
        return False


@contextmanager
def started():
    if not shutil.which("redis-server"):
        debian.install("redis-server")
    port = servers.free_port()
    url = f"redis://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        keeps_nothing = ["--save", "", "--appendonly", "no", "--dir", folder]
        with log.open("wb") as said:
            command = ["redis-server", "--port", port, "--bind", "127.0.0.1", *keeps_nothing]
            process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            servers.wait_for(lambda: answers(url), process, log)
            yield url
        finally:
            servers.stop(process)
