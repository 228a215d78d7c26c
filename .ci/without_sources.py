"""Copies what the tests need, without the package's sources, so that they run on the wheel: FOLDER."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (".ci", "docs", "tests", "example_site")
FILES = ("Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "pyproject.toml", "setup.cfg")

[place] = map(Path, sys.argv[1:])
for name in FOLDERS:
    shutil.copytree(ROOT / name, place / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
for name in FILES:
    shutil.copy(ROOT / name, place / name)
