"""What a waiting person sees."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .history import Epoch

REDRAW = 0.1
"""Seconds between two looks of a bar."""

LINES = 1.0
"""Seconds between two plain lines."""

LONG = 10.0
"""Seconds from which on a fit's expected time is said before it."""


class Progress:
    """Says nothing; what the others say goes to standard error.

    Once a few steps are taken, a fit that will take a while is announced: "about 2 min for
    3000 steps". The first step is left out of the estimate: it warms things up.
    """

    def open(self, total: int, score_name: str | None = None) -> None:
        """Begin: so many steps, all networks together; 0 where the clock ends it."""

    def step(self, step: int, loss: float) -> None:
        """A step was taken; called for every one, so it has to cost nothing."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch ended."""

    def close(self, last: str = "") -> None:
        """It is over, for a reason that may be worth a line."""


class _Timed(Progress):
    def open(self, total: int, score_name: str | None = None) -> None:
        self._total = total
        self._score_name = score_name
        self._first: tuple[int, float] | None = None
        self._said = False
        self._drawn = 0.0

    def step(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = (step, now)
        elif not self._said and now - self._first[1] >= 1.0 and step - self._first[0] >= 5:
            self._said = True
            each = (now - self._first[1]) / (step - self._first[0])
            if each * self._total >= LONG:
                self.say(f"about {spoken(each * self._total)} for {self._total} steps, at most")
        if now - self._drawn >= REDRAW:
            self._drawn = now
            self.draw(step, loss)

    def say(self, line: str) -> None:
        """Put a line down."""
        print(line, file=sys.stderr, flush=True)

    def draw(self, step: int, loss: float) -> None:
        """Show where it is."""

    def _figures(self, epoch: Epoch) -> str:
        parts = [f"loss {epoch.loss:.4g}"]
        if epoch.valid_loss is not None:
            parts.append(f"held out {epoch.valid_loss:.4g}")
        if epoch.score is not None:
            parts.append(f"{self._score_name} {epoch.score:.4g}")
        return ", ".join(parts)


class Lines(_Timed):
    """Plain lines, at most one a second: for files, pipes and services."""

    def open(self, total: int, score_name: str | None = None) -> None:
        """Begin: so many steps, all networks together."""
        super().open(total, score_name)
        self._last = -LINES
        self._held = ""

    def epoch(self, epoch: Epoch) -> None:
        """Say how it went, unless a line was just put down."""
        line = f"step {epoch.step}, epoch {epoch.epoch}: {self._figures(epoch)}"
        now = time.monotonic()
        if now - self._last >= LINES:
            self.say(line)
            self._last, line = now, ""
        self._held = line

    def close(self, last: str = "") -> None:
        """Say how it ended."""
        for line in (self._held, last):
            if line:
                self.say(line)


class Bar(_Timed):
    """A bar with loss, held-out metric and time left: for a person at a terminal."""

    def open(self, total: int, score_name: str | None = None) -> None:
        """Begin: so many steps, all networks together."""
        from rich import progress
        from rich.console import Console

        super().open(total, score_name)
        self._figure = ""
        self._bar = progress.Progress(
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[figure]}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=total or None, figure="")
        self._bar.start()

    def say(self, line: str) -> None:
        """Put a line down above the bar."""
        self._bar.console.print(line, highlight=False)

    def draw(self, step: int, loss: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=step, figure=self._figure or f"loss {loss:.4g}")

    def epoch(self, epoch: Epoch) -> None:
        """Show the epoch's figures beside the bar."""
        self._figure = self._figures(epoch)
        self._bar.update(self._task, figure=self._figure)

    def close(self, last: str = "") -> None:
        """Take the bar away."""
        self._bar.stop()
        if last:
            self.say(last)


def chosen(progress: bool | None) -> Progress:
    """Choose by what the caller wants and where standard error goes.

    Args:
        progress: True for a bar on a terminal and plain lines elsewhere; None for a bar on a
            terminal and nothing elsewhere; False for nothing.
    """
    if progress is False:
        return Progress()
    if sys.stderr is not None and sys.stderr.isatty():
        return Bar()
    return Lines() if progress else Progress()


def spoken(seconds: float) -> str:
    """Say a time as a person would.

    Example:
        >>> spoken(8), spoken(125), spoken(9000)
        ('8 s', '2 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
