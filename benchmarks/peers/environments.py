"""The environments of the peers: one folder a library, made from its pinned requirements.

`python -m benchmarks.peers.environments` makes all of them; `peers_forecasting` makes those it
lacks by itself. What is there and was made from the same requirements is left as it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from gatewise.errors import InputError

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".peers"
NAMES = ("neuralforecast", "darts", "gluonts")


def python_of(name: str, folder: Path = FOLDER) -> Path:
    """The Python of one environment, there or not."""
    windows = sys.platform == "win32"
    return folder / name / ("Scripts/python.exe" if windows else "bin/python")


def is_ready(name: str, folder: Path = FOLDER) -> bool:
    """Whether the environment was made from the requirements as they are now."""
    made_from = folder / name / "requirements.txt"
    return made_from.is_file() and made_from.read_text("utf-8") == _pinned(name).read_text("utf-8")


def make(name: str, folder: Path = FOLDER) -> None:
    """Make one environment, or bring it up to date; takes minutes and a gigabyte or two.

    Raises:
        InputError: pip could not install what the requirements name.
    """
    if is_ready(name, folder):
        return
    pinned = _pinned(name)
    python = python_of(name, folder)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(pinned)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise InputError(f"pip could not install {pinned.name} into {folder / name}: {said[-1]}")
    # Written last: an environment that was left half-made is made again.
    (folder / name / "requirements.txt").write_text(pinned.read_text("utf-8"), encoding="utf-8")


def main(names: Iterable[str]) -> int:
    for name in names:
        print(f"{name}: {'is there' if is_ready(name) else 'installing'}", flush=True)
        make(name)
    return 0


def _pinned(name: str) -> Path:
    return HERE / f"{name}.txt"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or NAMES))
