"""A MariaDB on which databases may be created, where MYSQL_HOST, _PORT, _USER and _PASSWORD point or of this run."""

import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import debian
import servers

# Debian keeps the server off the PATH of most.
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
# Durability does not matter here.
OPTIONS = [
    "--skip-name-resolve",
    "--max-connections=200",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
]


@contextmanager
def running(environment):
    where = {
        "MYSQL_HOST": environment.get("MYSQL_HOST", "127.0.0.1"),
        "MYSQL_USER": environment.get("MYSQL_USER", "root"),
    }
    if answers({**environment, **where}):
        yield where
        return
    print("No MariaDB on {MYSQL_HOST} lets {MYSQL_USER} create databases: starting one for this run.".format_map(where))
    with started() as where:
        yield where


def answers(environment):
    """Whether a database can be made there, which is asked by making one: grants have many forms. MySQL will not do."""
    import pymysql

    name = f"member_reset_probe_{secrets.token_hex(4)}"
    try:
        connection = pymysql.connect(
            host=environment["MYSQL_HOST"],
            port=int(environment.get("MYSQL_PORT") or 3306),
            user=environment["MYSQL_USER"],
            password=environment.get("MYSQL_PASSWORD", ""),
            connect_timeout=3,
            read_timeout=3,
            write_timeout=3,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(f"DROP DATABASE {name}")
            return "mariadb" in connection.get_server_info().lower()
    except pymysql.Error:
        return False


def server():
    if not here():
        debian.install("mariadb-server")
    if not here():
        raise SystemExit(
            "mariadbd was not found: name a running MariaDB in MYSQL_HOST, MYSQL_PORT, MYSQL_USER and MYSQL_PASSWORD."
        )
    return here()


def here():
    return shutil.which("mariadb-install-db", path=PLACES) and shutil.which("mariadbd", path=PLACES)


@contextmanager
def started():
    """On a free port, with a password of the moment; it ends with the command."""
    program, port, password = server(), servers.free_port(), servers.new_password()
    where = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": port, "MYSQL_USER": "ci", "MYSQL_PASSWORD": password}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begin, log, as_mysql = folder / "begin.sql", folder / "log", servers.as_user("mysql")
        begin.write_text(f"CREATE USER 'ci'@'%' IDENTIFIED BY '{password}';\nGRANT ALL ON *.* TO 'ci'@'%';\n")
        if as_mysql:
            shutil.chown(folder, "mysql")
            shutil.chown(begin, "mysql")
        data = [f"--datadir={folder / 'data'}"]
        with log.open("wb") as said:
            both = {"stdout": said, "stderr": said, **as_mysql}
            # Root comes by the socket alone, which lies in that folder.
            make = ["mariadb-install-db", "--no-defaults", *data, "--auth-root-authentication-method=socket"]
            if subprocess.run([*make, "--skip-test-db"], check=False, **both).returncode:
                raise SystemExit(log.read_text(errors="replace"))
            files = [f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}", f"--init-file={begin}"]
            address = ["--bind-address=127.0.0.1", f"--port={port}", "--skip-log-bin"]
            process = subprocess.Popen([program, "--no-defaults", *data, *files, *address, *OPTIONS], **both)
        try:
            servers.wait_for(lambda: answers(where), process, log)
            yield where
        finally:
            servers.stop(process)
