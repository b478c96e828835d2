"""A vocabulary that is taken from elsewhere, as data parts see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .vocabulary import Vocabulary


class Borrows(Protocol):
    """Something whose vocabulary is read when a fit begins, and which is held with what is learned.

    A language model's encoder, for instance (`gatewise.tasks.transfer`).
    """

    def vocabulary(self) -> Vocabulary:
        """Find what is borrowed, and give its vocabulary."""
        ...

    def state(self) -> dict[str, Any]:
        """What is needed to have it again, as JSON can hold it."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        ...
