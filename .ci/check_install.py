"""Whether the tests are about to run on the wheel, and on the set that was asked for: PYTHON WAGTAIL DJANGO."""

import sys
from importlib.resources import files
from pathlib import Path

import django
import wagtail

import wagtail_member_reset

asked = dict(zip(("Python", "Wagtail", "Django"), sys.argv[1:], strict=True))
found = {
    "Python": sys.version.split()[0],
    "Wagtail": wagtail.__version__,
    "Django": django.__version__,
}
here = Path(wagtail_member_reset.__file__)
package = files(wagtail_member_reset)
wrong = [name for name in asked if not f"{found[name]}.".startswith(f"{asked[name]}.")]
assert not wrong, f"{found} is not {asked}"
assert "site-packages" in here.parts, f"Not the wheel: {here}"
for folder in ("templates", "static"):
    assert package.joinpath(folder, "wagtail_member_reset").is_dir(), f"The wheel brings no {folder}."
for stranger in ("tests", "example_site"):
    assert not here.parent.parent.joinpath(stranger).exists(), f"The wheel installs {stranger}."
print(", ".join(f"{name} {version}" for name, version in found.items()))
