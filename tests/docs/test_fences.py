"""What the documentation shows runs: its Python as Python, its commands as far as their flags."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gatewise.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def fences(language: str) -> list:
    """Pages that have fences in a language, and these."""
    found = []
    for page in PAGES:
        blocks = [body for kind, body in FENCE.findall(page.read_text()) if kind == language]
        if blocks:
            found.append(pytest.param(blocks, id=str(page.relative_to(ROOT))))
    return found


@pytest.mark.parametrize("blocks", fences("python"))
def test_python_runs(blocks, tmp_path, monkeypatch):
    """The blocks of a page run one after another; relative imports are those of a benchmark."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "benchmarks.page", "__package__": "benchmarks"}
    for block in blocks:
        if ">>>" not in block:  # doctest runs those
            exec(compile(block, "<fence>", "exec"), names)


@pytest.mark.parametrize("blocks", fences("console"))
def test_commands_are_typed_right(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "run.toml").write_text("horizon = 48\n")
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in lines:
        if line.startswith("$ gatewise "):
            words = shlex.split(line, comments=True)[2:]
            app().parse_args(words, exit_on_error=False, print_error=False)
