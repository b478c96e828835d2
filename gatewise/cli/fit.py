"""`gatewise fit`: one sub-verb for each task, made from the task's constructor."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from . import files, flags
from .form import filled, form
from .output import check_checkpoint, check_model, tell
from .settings import resolved, write_settings


def fit() -> App:
    """Make the verb, with one sub-verb for each task there is."""
    app = App(
        name="fit",
        sort_key=0,
        help="Fit a model to data and save it, with a report beside the baselines.",
        help_epilogue="Example:\n\n$ gatewise fit forecaster --help",
    )
    for name, task in flags.tasks().items():
        app.command(command(task), name=name, help=_help(task), help_epilogue=_example(name, task))
    return app


def command(task: type) -> Callable[..., None]:
    """Make the function whose signature is the task's flags and those of fitting."""

    def run(
        *given: Path,
        out: Path,
        model: Any,
        config: Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        quiet: bool = False,
    ) -> None:
        """Fit and save.

        Args:
            *given: FILES
            out: Folder to save the model in.
            model: What the task's constructor takes.
            config: TOML file with these same names; what is typed here wins.
            resume: Go on from where a fit with the same arguments was stopped.
            overwrite: Replace the model that is in the folder.
            quiet: Show no progress.
        """
        _run(filled(model), given, out, resume=resume, overwrite=overwrite, quiet=quiet)

    blank = form(task)
    run.__doc__ = (inspect.getdoc(run) or "").replace("    *given: FILES", files.said(task))
    if not _asked(task):
        run.__kwdefaults__ = {**(run.__kwdefaults__ or {}), "model": blank()}
    held = {p.name: p.annotation for p in files.positions(task)}
    run.__annotations__ = {**run.__annotations__, **held}
    run.__annotations__["model"] = Annotated[blank, Parameter(name="*")]
    run.__signature__ = files.signature(run, task)
    return run


def _asked(task: type) -> list[inspect.Parameter]:
    """Parameters without a default."""
    return [p for p in inspect.signature(task).parameters.values() if p.default is p.empty]


def _run(
    model: Any, given: Sequence[Path], out: Path, *, resume: bool, overwrite: bool, quiet: bool
) -> None:
    inputs = files.taken(type(model), given)
    check_model(out, overwrite=overwrite)
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    check_checkpoint(checkpoint, resume=resume, overwrite=overwrite)
    log = checkpoint / "log.jsonl"
    try:
        inputs = _read(model, inputs)
        model.fit(*inputs, progress=not quiet, checkpoint=checkpoint, log=log)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_to_go_on(checkpoint)) from None
    finally:
        if not _can_go_on(checkpoint):
            shutil.rmtree(checkpoint, ignore_errors=True)
    settings = {**files.named(type(model), given), **resolved(model)}
    beside = {"run.toml": write_settings(settings).encode(), "log.jsonl": log.read_bytes()}
    if report := getattr(model, "report_", None):
        beside["report.html"] = report.html().encode()
    model.save(out, files=beside)
    shutil.rmtree(checkpoint)
    if model.summary_:
        print(model.summary_)
    tell(f"saved {out}, with {' and '.join(sorted(beside))} in it")


def _read(model: Any, inputs: list[Any]) -> list[Any]:
    """Read the file, where the task can do that ahead of the fit, and say what was guessed."""
    accept = getattr(model.data(), "accept", None)
    if accept is None:
        return inputs
    found = accept(*inputs)
    for note in getattr(found, "notes", ()):
        tell(f"note: {note}")
    return [found]


def _can_go_on(checkpoint: Path) -> bool:
    return any(checkpoint.rglob("*.safetensors"))


def _how_to_go_on(checkpoint: Path) -> str:
    if not _can_go_on(checkpoint):
        return "stopped before the first checkpoint; nothing was saved"
    return f"stopped; the same command with --resume goes on from {checkpoint}"


def _help(task: type) -> str:
    return flags.described(task)[0]


def _example(name: str, task: type) -> str:
    """Write a command that works, from what the constructor asks for."""
    words = {"int": "24", "float": "0.5"}
    asked = [
        f"--{p.name.replace('_', '-')} {words.get(str(p.annotation), 'NAME')}" for p in _asked(task)
    ]
    typed = " ".join(["gatewise fit", name, files.words(task), *asked, "--out", "data.model"])
    return f"Example:\n\n$ {typed}"
