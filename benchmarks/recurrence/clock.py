"""What the generated engine does in a call, timed phase by phase."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest import mock

from gatewise.engines.cpu import backward_run, forward_run
from gatewise.engines.cpu.frame import Live, Place

if TYPE_CHECKING:
    from typing_extensions import Self

FORWARD = {"prepare": "prepare", "main": "forward", "team": "forward", "finish": "finish"}
BACKWARD = {
    "prepare": "prepare",
    "rebuild": "rebuild",
    "main": "backward",
    "team": "backward",
    "outer": "outer",
    "finish": "finish",
}
"""Phases of the regions that frames have, in the order in which they run."""

NOT_IN_WHOLE = ("team", "rebuild")
"""Regions that the one for a single thread does without."""


class Clock(ExitStack):
    """A call as it is timed: while the clock is entered, each region runs by itself.

    That is so on one thread too, which otherwise runs all regions as one.

    Args:
        call: Runs the engine, forward and backward.

    Attributes:
        calls: Seconds of each call, by phase, and under `"call"` of all of it.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self.calls: list[dict[str, float]] = []
        self._call = call
        self._seconds: defaultdict[str, float] = defaultdict(float)
        # Places of two frames may be equal: they are told apart by id, and kept with their frames.
        self._frames: set[object] = set()
        self._parts: dict[int, list[tuple[str, Place]]] = {}

    def __enter__(self) -> Self:
        for home, name, phases in (
            (forward_run, "forward_frame", FORWARD),
            (backward_run, "backward_frame", BACKWARD),
        ):
            noting = self._noting(getattr(home, name), phases)
            self.enter_context(mock.patch.object(home, name, noting))
        for name in ("run", "run_team"):
            self.enter_context(mock.patch.object(Live, name, self._timing(getattr(Live, name))))
        return self

    def __call__(self) -> None:
        """Do what is timed."""
        self._seconds.clear()
        start = time.perf_counter()
        self._call()
        self.calls.append({"call": time.perf_counter() - start, **self._seconds})

    def least(self, phase: str) -> float:
        """Seconds of a phase in the call where it was quickest; 0 where it never ran."""
        return min(seconds.get(phase, 0.0) for seconds in self.calls)

    def _noting(self, make: Callable[..., Any], phases: Mapping[str, str]) -> Callable[..., Any]:
        """A maker of frames whose regions the clock knows."""

        def noting(*given: object) -> Any:
            frame = make(*given)
            self._frames.add(frame)
            parts = {name: (phase, getattr(frame, name)) for name, phase in phases.items()}
            self._parts |= {id(part[1]): [part] for part in parts.values()}
            apart = [part for name, part in parts.items() if name not in NOT_IN_WHOLE]
            self._parts[id(frame.whole)] = apart
            return frame

        return noting

    def _timing(self, run: Callable[[Live, Place, int], None]) -> Callable[..., None]:
        """A way to run regions that adds up their seconds."""

        def timing(live: Live, region: Place, count: int) -> None:
            for phase, part in self._parts[id(region)]:
                start = time.perf_counter()
                run(live, part, count)
                self._seconds[phase] += time.perf_counter() - start

        return timing
