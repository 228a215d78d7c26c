"""
Runs a command with what it needs beside Python: python .ci/need NEED… -- COMMAND…

A need is chromium, ffmpeg, gettext, postgres, own-postgres (one that may be restarted), mariadb or redis.

What is there is used: a server that answers where the usual variables point, a program that runs. Else, root gets
Debian's package and anybody else the command that installs it; a server is started for this command alone.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import chromium
import mariadb
import postgres
import programs
import redis_server

# Each is a context manager which takes the environment and gives the variables by which the command finds it.
NEEDS = {
    "chromium": chromium.found,
    "ffmpeg": programs.ffmpeg,
    "gettext": programs.gettext,
    "postgres": postgres.running,
    "own-postgres": postgres.running_alone,
    "mariadb": mariadb.running,
    "redis": redis_server.running,
}


def main(arguments):
    if "--" not in arguments or not set(arguments[: arguments.index("--")]) <= set(NEEDS):
        sys.exit(__doc__)
    split = arguments.index("--")
    # What ends this also ends what it started.
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(128 + signal.SIGTERM))
    environment = dict(os.environ)
    with ExitStack() as stack:
        for name in arguments[:split]:
            environment.update(stack.enter_context(NEEDS[name](environment)))
        return subprocess.run(arguments[split + 1 :], env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
