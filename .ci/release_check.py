"""
Builds what would be published, looks at it, installs it in an empty environment and walks a new site with it.

--publish also asks for what only a publication needs: the address of the repository. What was built stays in dist/.
"""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent.parent
DIST, PACKAGE = ROOT / "dist", ROOT / "wagtail_member_reset"
# What a wheel cannot do without, and what nothing else here would miss.
KINDS = (".html", ".txt", ".css", ".js", ".po", ".mo", "/py.typed", "/migrations/0001_initial.py")

sys.path.insert(0, str(ROOT))

from tests.newcomer.site import WALKED, NewSite  # noqa: E402


def main(*options):
    for step in (build, look_into_the_wheel, look_into_the_sdist, look_at_the_metadata, try_it):
        print(f"* {step.__name__.replace('_', ' ')}", flush=True)
        step()
    if "--publish" in options:
        assert "Source" in urls(), "project_urls in setup.cfg has no Source: name the repository before a release."
    elif "Source" not in urls():
        print("Not ready to be published: project_urls in setup.cfg has no Source, the address of the repository.")


def run(*command, **options):
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True, **options)


def build():
    shutil.rmtree(DIST, ignore_errors=True)
    run("build", "-q", "--outdir", DIST, ROOT)


def wheel():
    [found] = DIST.glob("*.whl")
    return found


def sources():
    skipped = {".pyc", ".pyo"}
    return {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in skipped
    }


def look_into_the_wheel():
    run("check_wheel_contents", wheel())
    with zipfile.ZipFile(wheel()) as archive:
        names = set(archive.namelist())
    shipped = {name for name in names if ".dist-info/" not in name}
    assert shipped == sources(), f"Lacks {sorted(sources() - shipped)}; should not hold {sorted(shipped - sources())}"
    for kind in KINDS:
        assert any(name.endswith(kind) for name in shipped), f"Nothing that ends in {kind} is shipped."
    assert any(name.endswith("/LICENSE") for name in names), "The licence is not shipped."
    print(f"{len(shipped)} files")


def look_into_the_sdist():
    [path] = DIST.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert sources() <= names, f"Lacks {sorted(sources() - names)}"
    strangers = {name for name in names if name.partition("/")[0] in {"tests", "example_site", "docs", ".ci"}}
    assert not strangers, f"Should not hold {sorted(strangers)}"
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "setup.py", "pyproject.toml"):
        assert name in names, f"Lacks {name}"


def look_at_the_metadata():
    run("twine", "check", "--strict", *sorted(DIST.iterdir()))
    with zipfile.ZipFile(wheel()) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    required = sorted(metadata.get_all("Requires-Dist", []))
    assert required == ["Django>=5.2", "django-anymail>=15.2", 'segno>=1.6; extra == "qr"', "wagtail>=7.0"], required
    assert metadata["Requires-Python"] == ">=3.10", metadata["Requires-Python"]
    said = set(metadata.get_all("Classifier", []))
    promised = {text for text in said if re.search(r":: [\d.]+$", text) and not text.endswith(":: Python :: 3")}
    assert promised == classifiers_of_the_matrix(), f"{promised ^ classifiers_of_the_matrix()} is said or run, not both"
    print(f"{metadata['Name']} {metadata['Version']}, {', '.join(required)}, Python {metadata['Requires-Python']}")


def classifiers_of_the_matrix():
    """What is promised is what `make matrix` runs."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        products = [
            entry["product"] for entry in tomllib.load(file)["tool"]["tox"]["env_list"] if isinstance(entry, dict)
        ]
    factors = {factor for product in products for group in product for factor in group}
    return {classifier(*re.fullmatch(r"([a-z]+)(\d)(\d+)", factor).groups()) for factor in factors}


def classifier(kind, major, minor):
    if kind == "wagtail":
        # The index has one for its first number alone.
        return f"Framework :: Wagtail :: {major}"
    return f"{'Framework :: Django' if kind == 'django' else 'Programming Language :: Python'} :: {major}.{minor}"


def urls():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return dict(re.findall(r"^(\w+) *= *(.+)$", setup.get("metadata", "project_urls", fallback=""), re.MULTILINE))


def try_it():
    """In an environment that has nothing else, on a site that was made with it, by the README's steps."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "empty", "bin", "python")
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, python.parent.parent], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, wheel()], check=True)
        os.chdir(folder)
        site = NewSite(Path(folder), str(python))
        site.follow_readme()
        told = site.walk()
        assert told == WALKED, json.dumps(told)
        say = "import django, wagtail; print(f'Walked on Wagtail {wagtail.__version__}, Django {django.__version__}')"
        print(site.call("-c", say), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
