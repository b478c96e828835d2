"""What the package promises: its names, their signatures, their words, its house rules."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import gatewise

from .public_names import names, objects

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "public_names.txt"

OPEN_ENDED = {
    "with_": "the names are those of the cell's own constants",
    "set_params": "the names are those of the constructor, as scikit-learn calls it",
}

FOR_USERS = ("nn", "tasks", "cells", "connectivity", "evaluation", "inspection")
"""Packages whose names somebody types who builds nothing on top; `gatewise` itself is one."""

PUBLIC = dict(objects())
MADE_HERE = {
    name: value
    for name, value in PUBLIC.items()
    if (inspect.isclass(value) or inspect.isfunction(value))
}


def test_names_are_the_pinned_ones():
    pinned = GOLDEN.read_text().splitlines()
    assert names() == pinned, (
        "the public names changed: if that is meant, say so in CHANGELOG.md and run "
        "python -m tests.contracts.public_names > tests/golden/public_names.txt"
    )


@pytest.mark.parametrize("name", MADE_HERE)
def test_signature_spells_everything_out(name):
    value = MADE_HERE[name]
    functions = {name: value}
    if inspect.isclass(value):
        methods = {k: v for k, v in vars(value).items() if not k.startswith("_")}
        own = not getattr(value, "_is_protocol", False)
        functions = {name: value.__init__} if own else {}
        functions |= {k: getattr(value, k) for k, v in methods.items() if inspect.isroutine(v)}
    for label, function in functions.items():
        if label in OPEN_ENDED or not hasattr(function, "__code__"):
            continue
        kinds = {p.kind for p in inspect.signature(function).parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD not in kinds, f"{name}: {label}"


@pytest.mark.parametrize("name", MADE_HERE)
def test_docstring(name):
    """Each has one; what users type has an example in it, which doctest runs."""
    value, package = MADE_HERE[name], name.split(".")[1]
    assert value.__doc__, f"{name} has no docstring"
    if package in FOR_USERS or package == value.__name__:
        shown = ">>>" in value.__doc__ or getattr(value, "_is_protocol", False)
        assert shown, f"{name} has no example in its docstring"


def test_no_junk_drawers():
    junk = {"utils", "util", "helpers", "common", "misc", "core"}
    assert [p for p in (ROOT / "gatewise").rglob("*") if p.stem.lstrip("_") in junk] == []


def test_architecture_names_what_is_there():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    paths = re.findall(r"`((?:[\w.-]+/)*[\w.-]+(?:\.py|/))`", text)
    assert len(paths) > 10
    missing = [
        path
        for path in paths
        if not (ROOT / path).exists()
        and ("/" in path or not any(ROOT.rglob(f"gatewise/**/{path}")))
    ]
    assert missing == []


def test_changelog_and_version_agree():
    """The newest release in the changelog is this version, or nothing is released yet."""
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.index("## [Unreleased]") >= 0
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, flags=re.MULTILINE)
    assert not released or released[0] == gatewise.__version__
