"""The site's processes beside the test's own: its workers, its sweeper, its commands."""

import contextlib
import os
import signal
import subprocess
import sys
import time


class Processes:
    def __init__(self, engine, environment):
        self.engine, self.environment, self._running = engine, environment, []

    def run(self, *command, **environment):
        """Run a command of the site to its end; what it said of interest stands on its standard error."""
        done = subprocess.run(
            self._command(command),
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def start(self, *command):
        process = subprocess.Popen(
            self._command(command),
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._running.append(process)
        return process

    def worker(self, *, keeps_time=True):
        return self.start(*self.engine.worker, *(self.engine.keeps_time if keeps_time else []))

    def work(self):
        """Have a worker do all the tasks whose turn has come."""
        return self.run(*self.engine.worker, self.engine.until_empty)

    def kill(self, process):
        """End it as a power cut does: with SIGKILL, and those that it has started with it."""
        pids = [process.pid, *_children(process.pid)] if process.poll() is None else []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)

    def kill_all(self):
        for process in list(self._running):
            self.kill(process)

    def _command(self, command):
        return [sys.executable, "-W", "ignore", "-m", "django", *command]


def _children(pid):
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [map(int, line.split()) for line in listed.splitlines()]
    found = [child for child, parent in pairs if parent == pid]
    return [*found, *(grandchild for child in found for grandchild in _children(child))]


def until(is_so, *, timeout=90):
    """Wait for it; that it does not come is an error of its own, whatever the test asserts."""
    end = time.monotonic() + timeout
    while not (found := is_so()):
        if time.monotonic() > end:
            raise TimeoutError(f"This did not come to pass within {timeout} seconds.")
        time.sleep(0.05)
    return found
