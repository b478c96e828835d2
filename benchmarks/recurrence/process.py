"""Run a small program in a fresh interpreter and take back the numbers that it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from ..provenance import ROOT


def numbers(
    program: str, arguments: Mapping[str, object], environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Run a program.

    Args:
        program: Its text. It gets the arguments as a JSON object in `sys.argv[1]` and prints its
            answer as another.
        arguments: What it is given.
        environment: On top of this process's own.
    """
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(arguments)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise SystemExit(f"recurrence: a program ended with {done.returncode}: {said[-1]}")
    return json.loads(done.stdout)
