import ast
import configparser
import re
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

import wagtail_member_reset

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
def legs():
    return (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.fixture(scope="module")
def named_by_workflows():
    """The legs of .ci/run that any workflow names, in its matrix or after the command."""
    texts = [workflow.read_text("utf-8") for workflow in WORKFLOWS]
    return {
        leg for text in texts for leg in re.findall(r"(?:\bleg: |^\s+(?:run: )?\.ci/run )([a-z]+)", text, re.MULTILINE)
    }


def test_workflows_name_only_legs_that_there_are(legs, named_by_workflows):
    assert named_by_workflows <= set(re.findall(r"^leg_(\w+)\(\)", legs, re.MULTILINE))


def test_workflows_run_every_leg_that_a_run_without_names_has(legs, named_by_workflows):
    assert named_by_workflows >= set(re.search(r"^legs=\((.*)\)$", legs, re.MULTILINE)[1].split())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_and_says_which_release_that_is(workflow):
    actions = re.findall(r"\buses: (?!\./)(.*)", workflow.read_text("utf-8"))

    assert [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_may_do_more_than_its_jobs_ask_for(workflow):
    text = workflow.read_text("utf-8")

    assert "\npermissions: {}\n" in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
