"""The report on any task: what is common to all, and the sections that a task adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._atomic import write_whole
from .report import LearningCurve

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class TaskReport:
    """What a report shows of a fitted model.

    Args:
        title: What was fitted, on what.
        summary: The verdict, a sentence each.
        figures: Method to metric to value on what was held out; the model's own row first.
        curve: The learning curve.
        warnings: What a user should worry about, a sentence each; empty when nothing.
        lower_is_better: Names of metrics of which less is better.
        sections: Heading and HTML of what only this task shows; whatever comes from the user's
            data has to be escaped in it.
        configuration: The resolved configuration: names to values, nested.
        provenance: Versions, seed, hash of the data, time: names to words.

    Example:
        >>> report = TaskReport("Labels", ("Good.",), {"model": {"accuracy": 0.9}},
        ...     LearningCurve([0.9], [1.0]), sections=(("Confusion", "<p>none</p>"),))
        >>> page = report.html()
        >>> "<h2>Confusion</h2>" in page, "<td><b>0.900</b></td>" in page
        (True, True)
    """

    title: str
    summary: tuple[str, ...]
    figures: Mapping[str, Mapping[str, float]]
    curve: LearningCurve
    warnings: tuple[str, ...] = ()
    lower_is_better: frozenset[str] = frozenset()
    sections: tuple[tuple[str, str], ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """Lay it out as one page that loads nothing: style and charts are inside it."""
        from . import sheet

        def best(metric: str, values: list[float]) -> float:
            return min(values) if metric in self.lower_is_better else max(values)

        said = ""
        if self.lower_is_better:
            lower = ", ".join(sorted(self.lower_is_better))
            said = f" Lower is better for {sheet.escape(lower)}."
        shown = f"<p>On what was held out; the best is bold.{said}</p>"
        table = sheet.figures(self.figures, best) if self.figures else "<p>Nothing was judged.</p>"
        return sheet.sheet(
            self.title,
            self.summary,
            (
                ("Warnings", sheet.warnings(self.warnings)),
                ("Figures", shown + table),
                *self.sections,
                ("Learning", sheet.learning(self.curve)),
                ("Configuration", sheet.configuration(self.configuration)),
                ("Provenance", sheet.pairs(self.provenance.items())),
            ),
        )

    def save(self, path: str | Path) -> None:
        """Write the page to a file, whole or not at all."""
        write_whole(Path(path), self.html().encode())
