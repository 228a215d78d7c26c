"""
Changes one thing at a time in the modules that matter most, and sees whether the tests notice.

The mutations are Cosmic Ray's, and two of our own: a statement left out, nothing returned. Each mutant lives in a
fork of a process that has loaded everything already, with a copy of a fresh database: seconds instead of ten.
Prints what survived; each survivor is to be judged by somebody.
"""

from __future__ import annotations

import ast
import copy
import difflib
import importlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cosmic_ray.plugins
import django
import pytest
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "wagtail_member_reset"
# The tests that speak of a module, quickest first: the first that fails ends a mutant.
PLAN = {
    "tokens": ["tests/test_tokens.py", "tests/links/test_state.py", "tests/member"],
    "resets": [
        "tests/test_resets.py",
        "tests/links/test_state.py",
        "tests/staff/test_views.py",
        "tests/staff/test_delivery.py",
    ],
    "staff.permissions": [
        "tests/staff/test_desk.py",
        "tests/staff/test_permissions.py",
        "tests/staff/test_mailing_rights.py",
        "tests/staff/test_panel.py",
    ],
}
# A mutant that takes so many times as long as no mutant does not end.
PATIENCE = 5
LEAST_SECONDS = 120
BINARY = ("Add_Sub", "Sub_Add", "Mul_Div", "FloorDiv_Mul", "Mod_Add", "BitOr_BitAnd", "BitAnd_BitOr", "LShift_RShift")
BINARY += ("RShift_LShift",)
COMPARED = ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_GtE", "GtE_Lt", "LtE_Gt", "Gt_LtE")
COMPARED += ("Is_IsNot", "IsNot_Is", "In_NotIn", "NotIn_In")
OTHERS = ("AddNot", "Delete_Not", "ReplaceTrue", "ReplaceFalse", "AndWithOr", "OrWithAnd", "NumberReplacer")
OTHERS += ("RemoveDecorator", "ZeroIteration", "Delete_USub", "BreakWithContinue")


def main(names: list[str]) -> int:
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    preload()
    left = 0
    # A test that leaves the database as it was made, which those with threads do not.
    made = ["tests/test_models.py::test_database_holds_one_live_link_per_member"]
    if outcome(None, made, seconds=3600, is_shown=True):
        sys.exit("No database could be made.")
    shutil.copy(database(), database().with_suffix(".fresh"))
    for name in names or PLAN:
        restore_database()
        start = time.monotonic()
        # Executed anew like a mutant, or what that alone breaks would be taken for killed.
        if outcome((name, source_of(name).read_text()), PLAN[name], seconds=3600, is_shown=True):
            sys.exit(f"The tests of {name} fail without a mutant.")
        left += survey(name, seconds=max(LEAST_SECONDS, round(PATIENCE * (time.monotonic() - start))))
    return left


def survey(name: str, *, seconds: int) -> int:
    """Try every mutant of a module; how many survived. Those that did not end are shown, too."""
    code, counts, survivors, start = source_of(name).read_text(), {0: 0, 1: 0, 2: 0}, [], time.monotonic()
    for mutant in mutants(code):
        restore_database()
        ended = outcome((name, mutant), PLAN[name], seconds=seconds)
        counts[ended] += 1
        if ended == 0:
            survivors.append(mutant)
        if ended != 1:
            print("survived" if ended == 0 else "timed out", changed(code, mutant), sep="\n", flush=True)
    took = time.monotonic() - start
    print(f"{name}: {sum(counts.values())} mutants, {counts[1]} killed, {counts[2]} timed out, {counts[0]} survived")
    print(f"  {took:.0f} s", flush=True)
    return len(survivors)


def source_of(name: str) -> Path:
    return Path(sys.modules[f"{PACKAGE}.{name}"].__file__ or "")


def mutants(code: str) -> Iterator[str]:
    """Every changed source that means something else, once."""
    seen = {meaning(code)}
    for mutant in (*cosmic(code), *left_out(code)):
        try:
            found = meaning(mutant)
        except SyntaxError:
            continue
        if found not in seen:
            seen.add(found)
            yield mutant


def cosmic(code: str) -> Iterator[str]:
    for name in cosmic_ray.plugins.operator_names():
        short = name.partition("/")[2]
        kind, _, pair = short.partition("Operator_")
        if pair and kind != "ReplaceUnary":
            is_wanted = pair in (BINARY if kind == "ReplaceBinary" else COMPARED)
        else:
            is_wanted = any(other in short for other in OTHERS)
        occurrence = 0
        while is_wanted and (mutant := mutate_code(code, cosmic_ray.plugins.get_operator(name)(), occurrence)):
            yield mutant
            occurrence += 1


def left_out(code: str) -> Iterator[str]:
    """Each statement replaced by `pass`, each value returned by `None`."""
    tree = ast.parse(code)
    spots = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.If, ast.For, ast.Try, ast.With))]
    for spot in spots:
        for field in ("body", "orelse", "finalbody"):
            for index, statement in enumerate(getattr(spot, field, [])):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    continue  # a docstring
                changed_tree = copy.deepcopy(tree)
                same = next(n for n in ast.walk(changed_tree) if isinstance(n, type(spot)) and n.lineno == spot.lineno)
                body = getattr(same, field)
                body[index] = ast.Return(None) if isinstance(statement, ast.Return) else ast.Pass()
                yield ast.unparse(ast.fix_missing_locations(changed_tree))


def meaning(code: str) -> str:
    """What the code does: without docstrings and annotations, which nobody executes here."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if getattr(node, field, None) is not None:
                setattr(node, field, ast.Constant(None))
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0] = ast.Pass()
    return ast.dump(tree)


def changed(code: str, mutant: str) -> str:
    before, after = (ast.unparse(ast.parse(text)).splitlines() for text in (code, mutant))
    lines = [
        line for line in difflib.unified_diff(before, after, lineterm="", n=0) if not line.startswith(("---", "+++"))
    ]
    return "\n".join(lines)


def outcome(mutant: tuple[str, str] | None, tests: list[str], *, seconds: int, is_shown: bool = False) -> int:
    """0 if the tests pass, 1 if they fail, 2 if they do not end. With `is_shown`, they say so themselves."""
    child = os.fork()
    if child == 0:
        run(mutant, tests, seconds, is_shown=is_shown)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return 2
    return 1 if os.WEXITSTATUS(status) else 0


def run(mutant: tuple[str, str] | None, tests: list[str], seconds: int, *, is_shown: bool) -> None:
    signal.alarm(seconds)
    if not is_shown:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    code = 1
    try:
        if mutant is not None:
            name, source = mutant
            module = sys.modules[f"{PACKAGE}.{name}"]
            exec(compile(source, module.__file__ or "", "exec"), module.__dict__)
        options = ["-x", "-q", "--reuse-db", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout=0"]
        code = int(pytest.main([*options, *tests]))
    finally:
        os._exit(code)


def preload() -> None:
    from django.urls import get_resolver

    assert get_resolver().url_patterns
    for name in PLAN:
        importlib.import_module(f"{PACKAGE}.{name}")


def database() -> Path:
    from django.conf import settings

    return Path(settings.DATABASES["default"]["TEST"]["NAME"])


def restore_database() -> None:
    for leftover in database().parent.glob(f"{database().name}-*"):
        leftover.unlink()
    shutil.copy(database().with_suffix(".fresh"), database())


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
