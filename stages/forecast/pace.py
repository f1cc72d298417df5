"""From the speed of a network to the seconds that it will take."""

import math
from dataclasses import dataclass

# Of a process, whatever its network. Measured on two cores: 1.8 to 2.0 s to start and leave Python,
# most of it for torch; .2 to .3 s more of the first step; .2 to .4 s of DVC.
START_SECONDS = 2.5


@dataclass(frozen=True)
class Pace:
    """The speed of one network on some hardware, in images a second.

    Attributes:
        training: By the epoch, counted from 1, from which it holds: what thaws slows it down.
        evaluation: Of images as they are.
        extraction: Of the part that never trains, once for all folds and epochs; infinite where
            nothing of the network is kept.
        passes: Of extraction over the images, as they are and in each augmented view; else 0.
    """

    training: dict[int, float]
    evaluation: float
    extraction: float = math.inf
    passes: int = 0

    def extract_seconds(self, n_images: int) -> float:
        """Return the seconds of the part that never trains, once for all folds and repeats."""
        if not self.passes:
            return 0.0
        return START_SECONDS + self.passes * n_images / self.extraction

    def fold_seconds(self, n_images: int, n_folds: int, epochs: int) -> float:
        """Return the seconds of one fold, with the start of its process.

        Args:
            n_images: Of the data set, all folds together.
            n_folds: k.
            epochs: Of training.
        """
        n_validation = n_images / n_folds
        n_train = n_images - n_validation
        n_evaluated = n_validation + min(n_validation, n_train)  # as many training images
        trained = sum(n_train / self.speed_at(epoch) for epoch in range(1, epochs + 1))
        return START_SECONDS + trained + epochs * n_evaluated / self.evaluation

    def speed_at(self, epoch: int) -> float:
        """Return the images a second of training in an epoch, counted from 1."""
        return self.training[max(start for start in self.training if start <= epoch)]
