"""Whether the wheel holds what it must, and nothing that it must not."""

import sys
import zipfile
from email.parser import Parser

NEEDED = [
    "wagtail_member_reset/templates/wagtail_member_reset/member/base.html",
    "wagtail_member_reset/templates/wagtail_member_reset/staff/panel.html",
    "wagtail_member_reset/templates/wagtail_member_reset/emails/reset.html",
    "wagtail_member_reset/static/wagtail_member_reset/staff/member_reset.js",
    "wagtail_member_reset/static/wagtail_member_reset/member/member.css",
    "wagtail_member_reset/migrations/0001_initial.py",
    "wagtail_member_reset/management/commands/deliver_member_resets.py",
]

with zipfile.ZipFile(sys.argv[1]) as wheel:
    names = wheel.namelist()
    metadata = Parser().parsestr(wheel.read(next(n for n in names if n.endswith("METADATA"))).decode())
missing = [name for name in NEEDED if name not in names]
strange = [n for n in names if not n.startswith(("wagtail_member_reset/", "wagtail_member_reset-"))]
required = sorted(metadata.get_all("Requires-Dist"))
assert not missing, f"The wheel lacks {missing}"
assert not strange, f"The wheel should not hold {strange}"
assert required == ["Django>=5.2", "django-anymail", "wagtail>=7.0"], required
print(f"{len(names)} files, {required}")
