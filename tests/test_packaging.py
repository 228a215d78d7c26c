import ast
import configparser
import itertools
import re
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

import wagtail_member_reset

from .conftest import SAME_EVERYWHERE

ROOT = Path(__file__).resolve().parent.parent
# Where the package really is: the sources, or what the wheel installed.
PACKAGE = Path(wagtail_member_reset.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def setup():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def outside_names(module):
    """The first parts of what a module imports from elsewhere."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def test_three_dependencies_with_their_floors_and_no_more(setup):
    required = setup["options"]["install_requires"].split()

    assert required == ["wagtail>=7.0", "Django>=5.2", "django-anymail>=15.2"]
    assert dict(setup["options.extras_require"]) == {"qr": "segno>=1.6"}


def test_any_python_from_3_10_on(setup):
    assert setup["options"]["python_requires"] == ">=3.10"


def test_licence_is_named_and_ships(setup):
    metadata = setup["metadata"]

    assert (metadata["license"], metadata["license_files"]) == ("BSD-3-Clause", "LICENSE")


def test_only_the_package_is_packed(setup):
    assert setup["options.packages.find"]["include"] == "wagtail_member_reset*"


def test_every_folder_of_data_is_named_for_the_wheel():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and not any(path.rglob("*.py"))}

    assert folders - {"__pycache__"} <= {"templates", "static", "locale"}


def test_nothing_is_imported_but_the_dependencies():
    imported = {name for module in MODULES for name in outside_names(module)}

    # Wagtail and Anymail need requests, which needs idna; Wagtail needs django-filter, whose filters its listings have,
    # and openpyxl, with which it exports them.
    # The extra "qr" brings segno, without which its page shows no code.
    ours = {"django", "django_filters", "wagtail", "anymail", "idna", "openpyxl", "requests", "wagtail_member_reset"}
    assert imported - sys.stdlib_module_names == {*ours, "segno"}


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if m.parent.name != "migrations"],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_a_module_stays_under_300_lines(module):
    assert len(module.read_text("utf-8").splitlines()) <= 300


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "wagtail_member_reset", check_changes=True, dry_run=True)


@pytest.fixture(scope="module")
def tox():
    tomllib = pytest.importorskip("tomllib")
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["tox"]


@pytest.fixture(scope="module")
def usual():
    """What .ci/run runs when it is given no names."""
    return set(re.search(r"^usual=\((.*)\)$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)[1].split())


@pytest.fixture(scope="module")
def workflow():
    return (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")


def test_ci_runs_environments_that_there_are_and_the_lowest_and_highest_of_the_matrix(tox, usual):
    named = {name for name in tox["env_list"] if isinstance(name, str)}

    assert named <= usual
    assert usual - {"engines"} <= named | set(tox["env"])


def test_hosted_runners_run_all_that_ci_runs(workflow, usual):
    assert set(re.findall(r"\{name: ([\w-]+),", workflow)) == usual


def test_hosted_runners_run_the_whole_matrix(workflow, tox):
    products = [entry["product"] for entry in tox["env_list"] if isinstance(entry, dict)]
    python, sets = (re.search(rf" {name}: \[(.*)\]", workflow)[1].split(", ") for name in ("python", "set"))
    left_out = re.findall(r'\{python: "([\d.]+)", set: ([\w-]+)\}', workflow)
    pairs = set(itertools.product((version.strip('"') for version in python), sets)) - set(left_out)

    ours = {"-".join(names) for product in products for names in itertools.product(*product)}
    assert {f"py{version.replace('.', '')}-{name}" for version, name in pairs} == ours


def test_what_the_matrix_leaves_out_is_there():
    assert [path for path in SAME_EVERYWHERE if not path.exists()] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_and_says_which_release_that_is(workflow):
    actions = re.findall(r"\buses: (?!\./)(.*)", workflow.read_text("utf-8"))

    assert [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_may_do_more_than_its_jobs_ask_for(workflow):
    text = workflow.read_text("utf-8")

    assert "\npermissions: {}\n" in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
