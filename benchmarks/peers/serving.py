"""What runners of `recurrence` share: hold a layer, and run it each time a line asks for it.

A runner is a script that the Python of its own environment runs: `python RUNNER.py --work NPZ
--threads N`. For each line on its standard input, `{"mode": ..., "answer": FILE or null}`, it runs
the layer once, writes the answer into the file if there is one, and says `done`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]
"""Input, weights by torch's names, and the gradients `all steps` and `last step`."""

MODES = ("inference", "all steps", "last step")


def main(
    make: Callable[[Arrays, int], Mapping[str, Callable[[], object]]],
    answer: Callable[[str, object], Arrays],
    packages: tuple[str, ...],
) -> None:
    """Serve until the input ends.

    Args:
        make: From arrays and threads to a call for each mode that waits until its work is done.
        answer: From a mode and what its call gave to output and gradients, by torch's names.
        packages: Whose versions to say first.
    """
    parser = argparse.ArgumentParser(prog=Path(sys.argv[0]).name)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    asked = parser.parse_args()
    # What a library prints must not stand between the lines.
    lines, sys.stdout = sys.stdout, sys.stderr
    with np.load(asked.work, allow_pickle=False) as arrays:
        calls = make(dict(arrays), asked.threads)
    print(json.dumps({name: metadata.version(name) for name in packages}), file=lines, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        found = calls[order["mode"]]()
        if order["answer"] is not None:
            np.savez(order["answer"], **answer(order["mode"], found))
        print("done", file=lines, flush=True)


def use_cores(count: int) -> None:
    """Keep this process to so many cores, for libraries that cannot be told how many threads."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:count])
