"""How much quicker than torch any float32 code could be at all: torch's time over the peak's."""

from __future__ import annotations

from collections.abc import Sequence

from .roofline import flops
from .shapes import parse
from .timing import geometric_mean

NAMES = {"inference": "inference_ceiling", "all steps": "fb_all_ceiling"}
"""Figure of each mode whose multiplications are known ahead."""


def add(rows: Sequence[dict]) -> dict[str, float]:
    """Write down each row's ceiling, and give their geometric means.

    Args:
        rows: Of the parts `plain` and `peak`; where one is missing there is no figure.
    """
    peaks: dict[int, float] = {}
    for row in rows:
        if row["part"] == "peak" and "peak_gflops" in row:
            peaks[row["threads"]] = max(peaks.get(row["threads"], 0.0), row["peak_gflops"])
    found: dict[str, list[float]] = {}
    for row in rows:
        name, threads = NAMES.get(row.get("mode", "")), row.get("threads")
        if row["part"] != "plain" or row.get("peer") != "torch" or not name or threads not in peaks:
            continue
        bound_ms = flops(parse(row["case"]), row["mode"]) / peaks[threads] / 1e6
        row["ceiling"] = row["peer_ms"] / bound_ms
        found.setdefault(f"{name}_{threads}t", []).append(row["ceiling"])
    return {name: geometric_mean(values) for name, values in found.items()}
