"""Sequences of any lengths as vectors of one size, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..data.sequences.columns_spec import SequenceColumns
from ..data.sequences.holdout import Holdout
from ..errors import InputError
from ..estimator import Estimator, Task
from ..nn.layers.encoder import Encoder
from ..train.spec import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from ..data.labels.embedded import EmbeddedSequences
    from ..inspection.task_report import TaskReport


class Autoencoder(Estimator):
    """Tell sequences of numbers by vectors of one size, learned without labels.

    Sequences may be of any lengths, with missing values and irregular gaps. A recurrent
    autoencoder (Srivastava et al. 2015, https://arxiv.org/abs/1502.04681) begins as principal
    components of the stretched sequences and learns what they cannot say; its errors are put
    beside theirs.

    Args:
        code_size: Features of a vector.
        linear: Whether to begin as principal components; without it the recurrent layers alone
            read and write.
        variational: Whether a vector is drawn from a distribution while training, so that
            neighbouring vectors mean similar sequences and new ones can be made (Bowman et al.
            2016, https://arxiv.org/abs/1511.06349).
        kl_weight: Of the distributions' divergence from a standard normal one.
        input_noise: Deviation of the noise on the input while training, in units of the
            channel's (Vincent et al. 2008, https://doi.org/10.1145/1390156.1390294).
        holdout: What is held out.
        columns: Which columns of a table mean what; found by name when left out.
        encoder: The recurrent layers; the decoder has as many.
        trainer: How it is trained.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> waves = [np.sin(np.linspace(0, f, n)) for f, n in zip(rng.uniform(2, 9, 30),
        ...     rng.integers(12, 20, 30))]
        >>> model = Autoencoder(4, trainer=Trainer(max_steps=10)).fit(waves)
        >>> vectors = model.transform(waves)
        >>> vectors.shape, model.inverse_transform(vectors[:2], lengths=[12, 20])[1].shape
        ((30, 4), (20, 1))
    """

    verb: ClassVar[str | None] = "autoencoder"

    def __init__(
        self,
        code_size: int = 8,
        *,
        linear: bool = True,
        variational: bool = False,
        kl_weight: float = 0.1,
        input_noise: float = 0.1,
        holdout: Holdout = Holdout(),
        columns: SequenceColumns = SequenceColumns(),
        encoder: Encoder = Encoder(hidden_size=64, bidirectional=True),
        trainer: Trainer = Trainer(),
    ) -> None:
        self.code_size = code_size
        self.linear = linear
        self.variational = variational
        self.kl_weight = kl_weight
        self.input_noise = input_noise
        self.holdout = holdout
        self.columns = columns
        self.encoder = encoder
        self.trainer = trainer

    def data(self) -> EmbeddedSequences:
        """Sequences to batches."""
        from ..data.labels.embedded import EmbeddedSequences

        self._check()
        return EmbeddedSequences(
            self.code_size, columns=self.columns, holdout=self.holdout, seed=self.trainer.seed
        )

    def task(self, data: EmbeddedSequences) -> Task:
        """The network, the error of its reconstruction, vectors, and figures beside PCA's."""
        from ..decoders.codes import Codes
        from ..nn.networks.embedder import SequenceEmbedder
        from ..objectives.reconstruction import Reconstruction
        from .embedding import ReconstructionMeasure, training

        network = SequenceEmbedder(
            self.encoder,
            len(data.features_.columns),
            data.channels,
            self.code_size,
            data.pca_.grid,
            start=(data.pca_.mean, data.pca_.components) if self.linear else None,
            variational=self.variational,
            input_noise=self.input_noise,
        )
        return Task(
            network,
            Reconstruction(data.channels, data.features_.masked, self.kl_weight),
            Codes(),
            defaults=training(data.count_),
            measure=ReconstructionMeasure(data),
        )

    def transform(self, x: Any) -> np.ndarray:
        """The vector of each sequence, float32 [sequences, code_size].

        Args:
            x: Sequences, as for `fit`.

        Raises:
            InputError: It is not fitted, or `x` cannot be read.
        """
        from .embedding import codes

        self._check_fitted()
        return codes(self, x)

    def inverse_transform(
        self, vectors: Any, lengths: int | Sequence[int] | None = None
    ) -> list[np.ndarray]:
        """What vectors say, as sequences in the units of the data, float32 [steps, channels].

        Args:
            vectors: [sequences, code_size].
            lengths: Steps of each, or of all; the training sequences' median when left out.

        Raises:
            InputError: It is not fitted, or a shape or a length is not as above.
        """
        from .embedding import unfolded

        self._check_fitted()
        return unfolded(self, vectors, lengths)

    def reconstruct(self, x: Any) -> list[np.ndarray]:
        """Sequences as their vectors give them back, float32 [steps, channels] each.

        Args:
            x: Sequences, as for `fit`.

        Raises:
            InputError: It is not fitted, or `x` cannot be read.
        """
        from .embedding import reconstructed

        self._check_fitted()
        return reconstructed(self, x)

    @property
    def report_(self) -> TaskReport:
        """What the fit saw and reached, with a map of the vectors; after `fit`, not after `load`.

        Raises:
            AttributeError: The model was not fitted here.
        """
        from .embedding_report import embedding_report

        return embedding_report(self)

    def _check(self) -> None:
        from ..nn.networks.embedder import check_options

        size = self.code_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputError(f"code_size={size!r}: give a whole number of at least 1")
        for name in ("kl_weight", "input_noise"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value < float("inf"):
                raise InputError(f"{name}={value!r}: give a number of at least 0")
        check_options(self.encoder)
