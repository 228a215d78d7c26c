"""Debian's packages: installed for root, named to anybody else."""

import os
import shutil
import subprocess
import sys


def install(package, *, otherwise=""):
    """Install a package, or where the lists do not have it, the other."""
    if os.geteuid() or not shutil.which("apt-get"):
        package = otherwise or package
        sys.exit(f"Missing: {package}. Please run: sudo apt-get install {package}\nand then this command again.")
    quiet = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "check": False}
    if subprocess.run(["apt-get", "update", "-qq"], **quiet).returncode:
        print("apt-get update failed; trying with the lists that are there.", file=sys.stderr)
    if otherwise and subprocess.run(["apt-cache", "show", package], stderr=subprocess.DEVNULL, **quiet).returncode:
        package = otherwise
    print(f"Installing {package} …", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(["apt-get", "install", "-y", "-qq", package], env=environment, **quiet).returncode:
        sys.exit(f"apt-get could not install: {package}")
