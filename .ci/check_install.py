"""Whether the tests are about to run on the wheel, and on the set that an environment's name promises: NAME."""

import configparser
import re
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import wagtail_member_reset

[name] = sys.argv[1:]
PACKAGES = ("Django", "wagtail", "django-anymail")
found = {"Python": sys.version.split()[0]} | {package: version(package) for package in PACKAGES}


def is_release(number, asked):
    """Whether 5.2.9 is a 5.2."""
    return f"{number}.".startswith(f"{asked}.")


def promised():
    """What the name says, as "py312-django60-wagtail80" does; of the lowest, what setup.cfg says."""
    for factor in name.split("-"):
        if said := re.fullmatch(r"(py|django|wagtail)(\d)(\d+)", factor):
            package = {"py": "Python", "django": "Django"}.get(said[1], said[1])
            yield package, f"{said[2]}.{said[3]}"
    if "lowest" in name.split("-"):
        setup = configparser.ConfigParser()
        setup.read("setup.cfg", encoding="utf-8")
        floors = dict(re.findall(r"^([\w-]+)>=(.+)$", setup["options"]["install_requires"], re.MULTILINE))
        assert set(floors) == set(PACKAGES), floors
        yield from floors.items()
        higher = {
            package: found[package]
            for package in PACKAGES
            if found[package] not in {floors[package], f"{floors[package]}.0"}
        }
        assert not higher, f"{higher} is above the floor"


wrong = {package: asked for package, asked in promised() if not is_release(found[package], asked)}
assert not wrong, f"{found} is not {wrong}"
here = Path(wagtail_member_reset.__file__)
assert "site-packages" in here.parts, f"Not the wheel: {here}"
for folder in ("templates", "static"):
    assert files(wagtail_member_reset).joinpath(folder, "wagtail_member_reset").is_dir(), (
        f"The wheel brings no {folder}."
    )
for stranger in ("tests", "example_site"):
    assert not here.parent.parent.joinpath(stranger).exists(), f"The wheel installs {stranger}."
print(", ".join(f"{package} {number}" for package, number in found.items()))
