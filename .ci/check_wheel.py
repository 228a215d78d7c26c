"""Whether a wheel holds the whole package and nothing else: WHEEL PACKAGE."""

import sys
import zipfile
from email.parser import Parser
from pathlib import Path

wheel, package = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = set(archive.namelist())
    metadata = Parser().parsestr(archive.read(next(n for n in names if n.endswith(".dist-info/METADATA"))).decode())

sources = {
    path.as_posix() for path in Path(package).rglob("*") if path.is_file() and path.suffix not in {".pyc", ".pyo"}
}
shipped = {name for name in names if ".dist-info/" not in name}
assert shipped == sources, f"Lacks {sorted(sources - shipped)}, and should not hold {sorted(shipped - sources)}"
for kind in (".html", ".txt", ".css", ".js", ".po", ".mo"):
    assert any(name.endswith(kind) for name in shipped), f"No {kind} file is shipped."
assert any(name.endswith("/LICENSE") for name in names), "The licence is not shipped."

required = sorted(metadata.get_all("Requires-Dist", []))
assert required == ["Django>=5.2", "django-anymail>=15.2", 'segno>=1.6; extra == "qr"', "wagtail>=7.0"], required
assert metadata["Requires-Python"] == ">=3.10", metadata["Requires-Python"]
print(f"{len(shipped)} files, {', '.join(required)}, Python {metadata['Requires-Python']}")
