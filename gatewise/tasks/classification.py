"""Find the class of a sequence: many steps in, one label out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..data.sequences.columns_spec import SequenceColumns
from ..data.sequences.holdout import Holdout
from ..data.text.tokens_spec import Tokens
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..nn.networks.reading import Reading
from ..train.spec import Trainer

if TYPE_CHECKING:
    import numpy as np

    from ..data.labels.labelled import Labelled
    from ..inspection.task_report import TaskReport


class SequenceClassifier(Estimator):
    """Find the class of a sequence of numbers, a text or letters.

    Sequences may be of any lengths. Missing values are marked by channels of their own, irregular
    time gaps are read; probabilities are calibrated on what is held out, and a linear model is
    listened to as far as that helps there. `score` is the accuracy.

    Args:
        reading: How the network reads a sequence, and what it drops while training.
        label_smoothing: Share of the truth that is spread over all classes while training.
        class_weights: "balanced" to let every class count the same, however rare.
        top_k: Classes to answer with, the likeliest first.
        ensemble: Networks of different seeds, whose logits are averaged.
        holdout: What is held out.
        columns: Which columns of a table mean what; found by name when left out.
        tokens: What texts are cut into; letters for FASTA.
        pretrained: Folder of a language model whose tokens and encoder are taken for texts and
            fine-tuned, in place of `tokens` and `encoder`; or two folders, of a forward and a
            backward one, whose answers are averaged.
        encoder: The recurrent layers.
        trainer: How it is trained.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> up = [np.linspace(0, 1, n) for n in rng.integers(5, 9, 20)]
        >>> x, y = up + [a[::-1] for a in up], ["up"] * 20 + ["down"] * 20
        >>> model = SequenceClassifier(trainer=Trainer(max_epochs=8)).fit(x, y)
        >>> model.predict([[1.0, 2.0, 3.0]]).tolist()
        ['up']
    """

    verb: ClassVar[str | None] = "classifier"
    kind: ClassVar[Literal["classifier", "regressor"] | None] = "classifier"

    def __init__(
        self,
        *,
        reading: Reading = Reading(),
        label_smoothing: float = 0.05,
        class_weights: Literal["balanced"] | None = None,
        top_k: int = 1,
        ensemble: int = 1,
        holdout: Holdout = Holdout(),
        columns: SequenceColumns = SequenceColumns(),
        tokens: Tokens = Tokens(),
        pretrained: str | tuple[str, ...] | None = None,
        encoder: Encoder = Encoder(hidden_size=64, bidirectional=True),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.reading = reading
        self.label_smoothing = label_smoothing
        self.class_weights: Literal["balanced"] | None = class_weights
        self.top_k = top_k
        self.ensemble = ensemble
        self.holdout = holdout
        self.columns = columns
        self.tokens = tokens
        self.pretrained = pretrained
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> Labelled:
        """Sequences to batches, labels to numbers."""
        from ..data.labels.answers import Classes
        from ..data.labels.labelled import Labelled
        from ..nn.networks.classifier import takes_gaps
        from .transfer import Borrowed

        self._check()
        return Labelled(
            Classes(self.top_k),
            columns=self.columns,
            tokens=self.tokens,
            holdout=self.holdout,
            gap_channel=not takes_gaps(self.encoder.cell),
            seed=self.trainer.seed,
            borrowed=Borrowed(self.pretrained) if self.pretrained else None,
        )

    def task(self, data: Labelled) -> Task:
        """The network, cross entropy, calibrated probabilities, and figures beside baselines."""
        from ..decoders.labels import Probabilities
        from ..objectives.labels import LabelLoss
        from .label_figures import MeasureClasses
        from .labels import sequence_network, training

        classes: Any = data.answers_
        network = sequence_network(self, data, len(classes.classes))
        weights = None
        if self.class_weights == "balanced":
            total = sum(classes.counts)
            weights = [total / (len(classes.counts) * count) for count in classes.counts]
        return Task(
            network,
            LabelLoss(weights, self.label_smoothing),
            Probabilities(),
            defaults=training(data, self.reading.architecture),
            measure=MeasureClasses(data),
        )

    @property
    def report_(self) -> TaskReport:
        """What the fit saw, did and reached, to be looked at; there after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here.
        """
        from .classification_report import classification_report

        return classification_report(self)

    @property
    def classes_(self) -> np.ndarray:
        """The labels, in the order of the probabilities' columns."""
        self._check_fitted()
        return self.data_.answers_.array  # pyright: ignore[reportAttributeAccessIssue]

    def predict_proba(self, x: Any) -> np.ndarray:
        """Probability of each class of `classes_`, float64 [sequences, classes].

        Raises:
            InputError: It is not fitted, or `x` cannot be read.
        """
        from .labels import decoded

        self._check_fitted()
        return decoded(self, x)

    def _check(self) -> None:
        from .labels import check_settings

        check_settings(self)
        if self.class_weights not in (None, "balanced"):
            raise InputError(f"class_weights={self.class_weights!r}: give 'balanced' or None")
