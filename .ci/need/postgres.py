"""A PostgreSQL on which databases may be created, where PGHOST, PGPORT, PGUSER and PGPASSWORD point or of this run."""

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import debian
import servers

ALLOWED = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
# Durability does not matter here.
OPTIONS = "-p {port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"


@contextmanager
def running(environment):
    where = {"PGHOST": environment.get("PGHOST", "127.0.0.1"), "PGUSER": environment.get("PGUSER", "postgres")}
    if answers({**environment, **where}):
        yield where
        return
    print("No PostgreSQL on {PGHOST} lets {PGUSER} create databases: starting one for this run.".format_map(where))
    with started() as where:
        yield where


@contextmanager
def running_alone(environment):
    """One that may be restarted in the middle of the work, unless one is named in PGHOST."""
    with running(environment) if environment.get("PGHOST") else started() as where:
        yield where


def answers(environment):
    import psycopg

    try:
        with psycopg.connect(
            host=environment["PGHOST"],
            port=environment.get("PGPORT"),
            user=environment["PGUSER"],
            password=environment.get("PGPASSWORD"),
            dbname=environment.get("PGDATABASE", "postgres"),
            connect_timeout=3,
        ) as connection:
            return connection.execute(ALLOWED).fetchone() == (True,)
    except psycopg.Error:
        return False


def programs():
    """The folder of initdb and pg_ctl, which Debian keeps off the PATH."""
    found = folder_of_programs()
    if not found:
        debian.install("postgresql")
        found = folder_of_programs()
    if not found:
        raise SystemExit("initdb was not found: name a running PostgreSQL in PGHOST, PGPORT, PGUSER and PGPASSWORD.")
    return found


def folder_of_programs():
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def started():
    """On a free port, with a password of the moment; it ends with the command."""
    bin_folder, port, password = programs(), servers.free_port(), servers.new_password()
    as_postgres = {"cwd": "/", **servers.as_user("postgres")}
    with tempfile.TemporaryDirectory() as folder:
        data, secret = Path(folder, "data"), Path(folder, "password")
        secret.write_text(password)
        if not os.geteuid():
            shutil.chown(folder, "postgres")
            shutil.chown(secret, "postgres")
        make = [bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"]
        run([*make, "-E", "UTF8", "--locale=C", "--no-sync"], **as_postgres)
        control = [str(bin_folder / "pg_ctl"), "-D", str(data), "-s", "-w"]
        start = [*control, "-t", "60", "-l", str(data / "log"), "-o", OPTIONS.format(port=port), "start"]
        run(start, **as_postgres)
        # As a crash would: nothing is waited for.
        restart = shlex.join([*control, "-m", "immediate", "restart"])
        if not os.geteuid():
            restart = f"runuser -u postgres -- {restart}"
        try:
            yield {
                "PGHOST": "127.0.0.1",
                "PGPORT": port,
                "PGUSER": "postgres",
                "PGPASSWORD": password,
                "SCORE_RESTART_DATABASE": restart,
            }
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, **as_postgres)


def run(command, **options):
    # Not by a pipe: the server that pg_ctl leaves behind would hold it open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdout=said, stderr=said, check=False, **options)
        if done.returncode:
            said.seek(0)
            raise SystemExit(said.read().decode(errors="replace"))
