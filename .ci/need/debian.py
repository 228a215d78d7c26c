"""Debian's packages: installed for root, named to anybody else."""

import os
import shutil
import subprocess
import sys


def install(*packages):
    names = " ".join(packages)
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(f"Missing: {names}. Please run: sudo apt-get install {names}\nand then this command again.")
    print(f"Installing {names} …", file=sys.stderr, flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    if subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet).returncode:
        print("apt-get update failed; trying with the lists that are there.", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(["apt-get", "install", "-y", "-qq", *packages], env=environment, check=False, **quiet).returncode:
        sys.exit(f"apt-get could not install: {names}")
