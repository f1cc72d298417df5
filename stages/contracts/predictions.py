"""data/runs/NAME/R-F/predictions.npz: what one architecture said of each validation image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """Logits of the validation images of one fold; no rows where training diverged.

    Attributes:
        index: (n,) position of each image in the data set, ascending.
        last: (n, n_classes) float32 logits after the last epoch: the score rests on them.
        best: (n, n_classes) float32 logits after the epoch with the highest validation accuracy.
    """

    index: NDArray[np.int64]
    last: NDArray[np.float32]
    best: NDArray[np.float32]


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write predictions.npz; the same bytes for the same numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "predictions.npz",
        allow_pickle=False,
        index=predictions.index,
        last=predictions.last,
        best=predictions.best,
    )


def read_predictions(folder: Path) -> Predictions:
    """Read predictions.npz."""
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        return Predictions(arrays["index"], arrays["last"], arrays["best"])
