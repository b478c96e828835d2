"""Fit, predict, score, save and load, once for every task."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

# They are lazy: torch is imported when something is fitted or loaded, and not for its signature.
from . import evaluation, export, train
from .decoders.contract import Calibrated
from .errors import InputError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn
    from typing_extensions import Self

    from .data.contract import Data, Fold
    from .decoders.contract import Decoder
    from .evaluation.verdict import Verdict
    from .export.artifact import Artifact
    from .objectives.contract import Objective
    from .train.checkpoint import Checkpoint
    from .train.history import History
    from .train.spec import Trainer


@dataclass(frozen=True)
class Task:
    """What a task makes of its data part: the other parts, and how to go about them.

    Args:
        network: Batch to output; all that is learned by gradient lives in it. An
            `Ensemble`'s members are trained one after another.
        objective: Output and batch to a loss.
        decode: Network and batch to an answer; one that is `Calibrated` is fitted on the
            held-out part after training.
        judge: Network, decoder and fold to a table beside the baselines and what it means;
            called last. Where there is none, `measure` is asked about the held-out part.
        defaults: What the task, having seen its data, would choose for fields of the
            `Trainer` that the caller left at None.
        measure: Network, decoder and examples with answers to the model's figures, the first
            row, those of the baselines, and what they mean. Keyword-only parameters of it are
            options of `evaluate`.
        sample: Network to something that shows how far it is, such as a text it writes; asked at
            each look at the held-out part, and kept in the history.
    """

    network: nn.Module
    objective: Objective
    decode: Decoder
    judge: Callable[[nn.Module, Any, Fold], Verdict] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    measure: Callable[..., Verdict] | None = None
    sample: Callable[[nn.Module], str] | None = None

    def verdict(self, fold: Fold) -> Verdict | None:
        """Judge the trained network on the held-out part; None where that cannot be done."""
        if self.judge is not None:
            return self.judge(self.network, self.decode, fold)
        if self.measure is None or fold.valid is None or not len(fold.valid):
            return None
        return self.measure(self.network, self.decode, fold.valid)


class Estimator(ABC):
    """What every task is to its user; scikit-learn's conventions, and nothing of it imported.

    A task is a final class, one level below this one. Its constructor spells out its
    parameters, one of them `trainer`, and stores each under its own name, unchanged; `data`
    and `task` give the parts. All else is here, and cannot be overridden.

    After `fit` or `load`: `data_`, `task_`, `network_`, `trainer_` (with everything that was
    left to be chosen), `history_`, `summary_` (figures beside the baselines' and what they
    mean; None if the task judges nothing) and `provenance_`.

    Attributes:
        verb: The task's name on the command line; made from the class's where it is None.
        inputs: Files that the command line takes by position, name to what it says of them.
            One is handed to `fit` as `x`, two as `x` and `y`; a name that ends in "..." stands
            for one or more, handed over as a list, and one that ends in "?" may be left out.
        kind: What scikit-learn takes it for.
    """

    verb: ClassVar[str | None] = None
    inputs: ClassVar[Mapping[str, str]] = {"data": "File to learn from."}
    kind: ClassVar[Literal["classifier", "regressor"] | None] = None

    trainer: Trainer

    data_: Data
    task_: Task
    network_: nn.Module
    trainer_: Trainer
    history_: History
    summary_: Verdict | None
    provenance_: dict[str, Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if Estimator not in cls.__bases__:
            raise TypeError(f"{cls.__name__}: a task is final; give other parts, do not subclass")
        if overridden := _FINAL & vars(cls).keys():
            name = min(overridden)
            raise TypeError(f"{cls.__name__}.{name}: give other parts in task(), do not override")
        if missing := {"data", "task", "__init__"} - vars(cls).keys():
            raise TypeError(f"{cls.__name__} has no {min(missing)}: a task defines all three")
        for parameter in inspect.signature(cls.__init__).parameters.values():
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                raise TypeError(f"{cls.__name__}: spell out what *{parameter.name} stands for")
        if "trainer" not in parameters(cls):
            raise TypeError(f"{cls.__name__} takes no trainer: every task is trained by one")

    @abstractmethod
    def data(self) -> Any:
        """Make the data part (`gatewise.data.Data`), which has learned nothing yet."""

    @abstractmethod
    def task(self, data: Any) -> Task:
        """Make the other parts for the task's own data part, fitted or restored.

        Global randomness (first weights) is seeded by the caller.
        """

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        progress: bool | None = None,
        checkpoint: str | Path | Checkpoint | None = None,
        log: str | Path | None = None,
    ) -> Self:
        """Learn from data; a part of it is held out to stop by, calibrate and judge on.

        Args:
            x: What the task reads.
            y: Its answers, where they are not part of `x`.
            progress: True for a bar on a terminal and plain lines elsewhere, None for a bar on
                a terminal and nothing elsewhere, False for nothing.
            checkpoint: Folder; a fit that was killed goes on from there when it is called
                again with the same data and parameters, and ends with the same weights.
            log: JSONL file for the metrics, a line per epoch.

        Raises:
            InputError: The data, a parameter or the checkpoint cannot be used; what an earlier
                fit learned stays.
        """
        self._check_specs()
        data = self.data()
        fold = data.fit(x, y)
        if len(fold.train) == 0:
            raise InputError(f"{type(self).__name__} found no examples to fit on: give more data")
        fold = replace(fold, digest=fold.digest or train.identity.of_examples(fold.train))
        task = self._build(data)
        trainer = self.trainer.resolve(task.defaults)
        identity = {"estimator": type(self).__name__, "params": self._encoded()}
        history = train.run(
            task.network,
            task.objective,
            fold,
            trainer,
            progress=progress,
            log=log,
            checkpoint=checkpoint,
            identity=identity if checkpoint is not None else None,
            sample=task.sample,
        )
        held_out = len(fold.valid) if fold.valid is not None else 0
        with train.frozen(task.network):
            if isinstance(task.decode, Calibrated) and held_out:
                batches = train.Batches(fold.valid, trainer.batch_size, trainer.device)
                task.decode.fit(task.network, batches)
            summary = task.verdict(fold)
        steps = train.finish(
            task.network,
            task.objective,
            fold,
            trainer,
            history,
            progress=progress,
            checkpoint=checkpoint,
            identity=identity,
        )
        if steps and summary:
            more = "1 step" if steps == 1 else f"{steps} steps"
            said = f"Then it took {more} on all data; the figures are from before."
            summary = replace(summary, sentences=(*summary.sentences, said))
        origin = export.provenance(fold.digest, trainer.seed, len(fold.train), held_out)
        self._learned(data, task, trainer, history, summary, origin)
        return self

    def predict(self, x: Any) -> Any:
        """Answer new input, in the form it came in; needs nothing but `x`.

        Raises:
            InputError: It is not fitted, or `x` cannot be read.
        """
        self._check_fitted()
        dataset, size = self.data_.encode(x), self.trainer_.batch_size
        answers = train.answers(self.network_, self.task_.decode, dataset, size)
        return self.data_.undo(dataset, answers)

    def score(self, x: Any, y: Any = None) -> float:
        """Mean score of the objective, or its loss negated: higher is better.

        Args:
            x: What the task reads.
            y: Its answers, where they are not part of `x`.

        Raises:
            InputError: It is not fitted, or there is nothing in the data to score on.
        """
        self._check_fitted()
        examples = self.data_.examples(x, y)
        if len(examples) == 0:
            raise InputError(f"{type(self).__name__} found nothing to score on: give more data")
        size = self.trainer_.batch_size
        loss, score = train.evaluate(self.network_, self.task_.objective, examples, size)
        return -loss if score is None else score

    def evaluate(self, x: Any, y: Any = None, **options: Any) -> Verdict:
        """Put the model's figures on data with known answers beside those of the baselines.

        Args:
            x: What the task reads.
            y: Its answers, where they are not part of `x`.
            options: What the task's `measure` may be told by name: how a `LanguageModel` gets used
                to what it reads, for instance.

        Returns:
            The table, the model's own row first, and what to make of it.

        Raises:
            InputError: It is not fitted, there is nothing in the data to judge it on, or the task
                has no such option.
        """
        self._check_fitted()
        measure = self.task_.measure
        self._check_options(measure, options)
        if measure is None:
            return evaluation.Verdict({"model": {"score": self.score(x, y)}})
        examples = self.data_.examples(x, y)
        if len(examples) == 0:
            raise InputError(f"{type(self).__name__} found nothing to judge on: give more data")
        with train.frozen(self.network_):
            return measure(self.network_, self.task_.decode, examples, **options)

    def save(self, path: str | Path, *, files: Mapping[str, bytes] | None = None) -> None:
        """Write a folder of safetensors and JSON, whole or not at all.

        Args:
            path: A new folder, an empty one, or one that holds a model, which is replaced.
            files: Name to content of what should lie beside the model: "report.html",
                "run.toml", "log.jsonl".

        Raises:
            InputError: It is not fitted, or the folder cannot be written or holds other things.
        """
        self._check_fitted()
        decoder = self.task_.decode.state() if isinstance(self.task_.decode, Calibrated) else None
        data, data_tensors = self.data_.state()
        parts = {
            "network": self.network_.state_dict(),
            "data": data_tensors,
            "decoder": decoder[1] if decoder else {},
        }
        description = {
            "estimator": type(self).__name__,
            "params": self._encoded(),
            "data": export.encode(data, "data"),
            "decoder": export.encode(decoder[0], "decoder") if decoder else None,
            "trainer": export.encode(self.trainer_, "trainer"),
            "history": export.encode(self.history_.state()),
            "summary": export.encode(self.summary_.state()) if self.summary_ else None,
            "provenance": export.encode(self.provenance_),
        }
        tensors = {f"{p}.{n}": t for p, named in parts.items() for n, t in named.items()}
        export.write(path, export.Artifact(description, tensors, files or {}))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a model that `save` wrote; it answers as before, to the bit.

        Nothing in the folder is run: it holds numbers, and the name of a task that has to be
        this one. `gatewise.load` finds the task by that name.

        Raises:
            InputError: The folder is missing, damaged, newer, no model, or another task's.
        """
        found = export.read(path)
        if (name := found.description["estimator"]) != cls.__name__:
            raise InputError(f"{path} holds a {name}, not a {cls.__name__}: use {name}.load")
        specs = export.specs_of(cls.__init__)
        decoded = {part: export.decode(found.description[part], specs) for part in export.PARTS[1:]}
        try:
            return cls._revived(found, decoded)
        except (KeyError, TypeError, AttributeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{path} does not fit this version of {cls.__name__} ({reason}): "
                f"fit it again, or use gatewise {decoded['provenance']['versions']['gatewise']}"
            ) from error

    @classmethod
    def _revived(cls, found: Artifact, decoded: Mapping[str, Any]) -> Self:
        model = cls(**decoded["params"])
        data = model.data()
        data.restore(decoded["data"], found.under("data"))
        task = model._build(data)
        task.network.load_state_dict(found.under("network"))
        task.network.eval()
        if isinstance(task.decode, Calibrated):
            task.decode.restore(decoded["decoder"], found.under("decoder"))
        summary = evaluation.Verdict.restored(decoded["summary"]) if decoded["summary"] else None
        history = train.History.restored(decoded["history"])
        model._learned(data, task, decoded["trainer"], history, summary, decoded["provenance"])
        return model

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the constructor's arguments by name.

        Args:
            deep: Give the fields of specs as well, as `trainer__lr`.
        """
        held = {name: getattr(self, name) for name in parameters(type(self))}
        return {**held, **(_nested(held) if deep else {})}

    def set_params(self, **params: Any) -> Self:
        """Change arguments by name, fields of specs as `trainer__lr`.

        Raises:
            InputError: There is no such argument; the sentence offers the nearest.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}: {nearest(name, known)}"
                )
        # A spec that is given whole comes before fields of it.
        for name, value in sorted(params.items(), key=lambda item: item[0].count("__")):
            first, *rest = name.split("__")
            setattr(self, first, _with(getattr(self, first), rest, value))
        return self

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        shown = [
            f"{name}={getattr(self, name)!r}"
            for name, parameter in parameters(type(self)).items()
            if not _same(getattr(self, name, None), parameter.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn, which calls this, what to expect."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type=self.kind,
            target_tags=TargetTags(required=False),
            classifier_tags=ClassifierTags() if self.kind == "classifier" else None,
            regressor_tags=RegressorTags() if self.kind == "regressor" else None,
        )

    def _build(self, data: Data) -> Task:
        with train.isolated(train.derive(self.trainer.seed, "weights")):
            return self.task(data)

    def _learned(
        self,
        data: Data,
        task: Task,
        trainer: Trainer,
        history: History,
        summary: Verdict | None,
        provenance: dict[str, Any],
    ) -> None:
        self.data_, self.task_, self.network_ = data, task, task.network
        self.trainer_, self.history_ = trainer, history
        self.summary_, self.provenance_ = summary, provenance

    def _encoded(self) -> dict[str, Any]:
        held = self.get_params(deep=False)
        return {n: export.encode(v, f"{type(self).__name__}: {n}") for n, v in held.items()}

    def _check_fitted(self) -> None:
        if "network_" not in vars(self):
            raise InputError(f"this {type(self).__name__} is not fitted: call fit, or load a model")

    def _check_specs(self) -> None:
        for name, parameter in parameters(type(self)).items():
            kind, value = type(parameter.default), getattr(self, name)
            if is_dataclass(kind) and not isinstance(value, kind):
                raise InputError(
                    f"{name}={value!r} is a {type(value).__name__}: give a "
                    f"{kind.__module__}.{kind.__name__}"
                )

    def _check_options(self, measure: Callable[..., Verdict] | None, given: Iterable[str]) -> None:
        known = [] if measure is None else inspect.signature(measure).parameters.values()
        names = [p.name for p in known if p.kind is p.KEYWORD_ONLY]
        if wrong := next((name for name in given if name not in names), None):
            raise InputError(
                f"{type(self).__name__} has no option {wrong!r} to be judged with: "
                f"{nearest(wrong, names) if names else 'leave it out'}"
            )


_FINAL = frozenset(name for name in vars(Estimator) if callable(getattr(Estimator, name))) - {
    "data",
    "task",
    "__init__",
    "__class__",
}


def parameters(cls: type[Estimator]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a task's constructor, by name."""
    _, *held = inspect.signature(cls.__init__).parameters.values()
    return {parameter.name: parameter for parameter in held}


def _nested(held: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in held.items():
        if export.is_spec(value):
            inner = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
            inner |= _nested(inner)
            nested |= {f"{name}__{k}": v for k, v in inner.items()}
    return nested


def _with(held: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    return replace(held, **{path[0]: _with(getattr(held, path[0]), path[1:], value)})


def _same(a: Any, b: Any) -> bool:
    try:
        return a is b or bool(a == b)
    except (ValueError, TypeError):
        return False
