"""Where a figure came from: machine, commit and versions."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, object]:
    """The machine, and how busy it was: a figure taken under load is a poor one."""
    try:
        cores = len(os.sched_getaffinity(0))
        ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        load = round(os.getloadavg()[0], 2)
    except (AttributeError, ValueError, OSError):  # not every system tells
        cores, ram, load = os.cpu_count(), None, None
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "ram_gib": None if ram is None else round(ram, 1),
        "os": platform.platform(),
        "python": platform.python_version(),
        "load_before": load,
    }


def commit() -> str | None:
    """Hash of the commit, with `-dirty` where the tree differs from it; None outside git."""
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Version of each package that is installed here."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _cpu_model() -> str:
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
