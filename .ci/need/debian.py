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
    quiet = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    if subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet).returncode:
        print("apt-get update failed; trying with the lists that are there.", file=sys.stderr)
    ask = ["apt-cache", "show", package]
    if otherwise and subprocess.run(ask, stderr=subprocess.DEVNULL, check=False, **quiet).returncode:
        package = otherwise
    print(f"Installing {package} …", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_it = ["apt-get", "install", "-y", "-qq", package]
    if subprocess.run(install_it, env=environment, check=False, **quiet).returncode:
        sys.exit(f"apt-get could not install: {package}")
