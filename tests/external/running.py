"""Our own tests with another library on the path, in an interpreter of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from . import sources


def pytest_with(packages: Path, folder: Path, *arguments: str, **environment: str) -> str:
    """Run pytest in a folder; give what it said, or fail with its end."""
    path = os.pathsep.join([str(sources.ROOT), str(packages)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore", *arguments],
        capture_output=True, text=True, check=False, timeout=900, cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout
