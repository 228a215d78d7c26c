"""
Makes the demo ready and runs it: python example_site/demo.py [--no-serve]

It takes the first free port from DEMO_PORT on, and keeps its data in DEMO_DATA.
"""

import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SO_MANY = 100


def free_port(first):
    for port in range(first, min(first + SO_MANY, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit(f"No port from {first} to {first + SO_MANY - 1} is free: set DEMO_PORT to another number.")


def first_port():
    asked = os.environ.get("DEMO_PORT", "8000")
    if not asked.isdecimal() or not int(asked):
        sys.exit(f"DEMO_PORT is {asked}: set it to a number from 1 on.")
    return int(asked)


def main(arguments):
    port = free_port(first_port())
    # Both are read when the settings are.
    os.environ["DEMO_PORT"] = str(port)
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_site.settings"
    sys.path.insert(0, str(ROOT))

    from django.core.management import execute_from_command_line

    from example_site.settings import DATA

    DATA.mkdir(parents=True, exist_ok=True)
    for command in (["migrate", "-v", "0"], ["seed"], ["show_logins"]):
        execute_from_command_line(["manage.py", *command])
    if "--no-serve" not in arguments:
        execute_from_command_line(["manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"])


if __name__ == "__main__":
    main(sys.argv[1:])
