"""reports/folds/NAME/R-F.json: how one architecture did on one fold; in git."""

import base64
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from foldwise.core.errors import written_file
from foldwise.files.base import Count, NonNegative, Share, Size, Strict, read_json, write_json

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # SHA-256


class Epoch(Strict):
    """One point of the curves; losses in nats, all in eval mode without augmentation."""

    epoch: Size
    train_loss: NonNegative
    train_accuracy: Share
    validation_loss: NonNegative
    validation_accuracy: Share


class Timing(Strict):
    """What clock and memory said: facts of a machine, never the same twice."""

    train_seconds: NonNegative  # all epochs, without evaluation
    evaluate_seconds: NonNegative  # all evaluations
    total_seconds: NonNegative  # from the fresh network to its last score
    images_per_second: NonNegative  # in training steps
    peak_memory_bytes: Count  # of the process, libraries included
    peak_gpu_bytes: Count | None  # of all tensors on the GPU; None: trained on the CPU


class Machine(Strict):
    """Hardware and software of a training; another machine may give other results.

    Times of two trainings compare only if their machines are equal.
    """

    cpu: str  # model name, for example "AMD EPYC 9R14"
    device: str  # "cpu", or "cuda" with the name of the GPU
    precision: Literal["float32", "bfloat16"]
    threads: Size
    versions: dict[str, str]  # of Python and of the packages that compute, by name


class Calibration(Strict):
    """Images by how sure the network was of its prediction, in equal bins of 0 .. 1.

    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """

    images: list[Count]  # (bins,)
    correct: list[Count]  # (bins,)
    confidence: list[NonNegative]  # (bins,) sum of the probabilities of the predicted classes


class Mistake(Strict):
    """One image that was taken for another class."""

    true: Count  # class
    predicted: Count  # class
    image: Count  # position in the data set
    confidence: Share  # probability of the predicted class


class FoldCounts(Strict):
    """What was said of the validation images, as counts and sums: they add up over folds."""

    n_classes: Annotated[int, Field(ge=2)]
    # True class, predicted class, images: in this order, pairs with images only.
    confusion: list[tuple[Count, Count, Count]]
    log_loss: NonNegative  # sum over the images, in nats
    ranks: list[Count]  # images whose class came first, second, .. tenth
    calibration: Calibration
    mistakes: list[Mistake] = Field(
        default_factory=list
    )  # the surest ones of the most confused pairs of classes
    # The rank of the true class of every image, as `encode_ranks` packs it. The images are in the
    # order of their class, then of their position, so those of two architectures pair.
    image_ranks: str

    @property
    def ranks_by_image(self) -> NDArray[np.uint8]:
        """(n_images,) rank of the true class, from 1; by class, then by position of the image."""
        return np.frombuffer(zlib.decompress(base64.b64decode(self.image_ranks)), np.uint8)

    @property
    def labels_by_image(self) -> NDArray[np.int64]:
        """(n_images,) true class of the images, in the order of `ranks_by_image`."""
        classes, counts = zip(*((true, count) for true, _, count in self.confusion), strict=True)
        return np.repeat(classes, counts)

    @property
    def n_images(self) -> int:
        """Images that were classified."""
        return sum(count for _, _, count in self.confusion)

    @property
    def n_correct(self) -> int:
        """Images that were classified as what they are."""
        return sum(count for true, predicted, count in self.confusion if true == predicted)


class FoldRecord(Strict):
    """All that compare and report need to know of one fold.

    The scores are the last epoch's: choosing the best epoch on the validation fold flatters.
    """

    model: str
    repeat: Count
    fold: Count
    n_folds: Annotated[int, Field(ge=2)]
    status: Literal["finished", "diverged", "stopped"]  # stopped: never trained, see files/race.py
    reason: str | None  # why it diverged, or was stopped
    n_train: Count
    n_validation: Count
    train_digest: Digest  # of the pixels and labels of the images that train
    validation_digest: Digest  # of the pixels and labels of the images that validate
    epochs: Size  # asked for
    batch_size: Size  # images a step, at most
    curves: list[Epoch] = Field(default_factory=list)  # up to the last epoch with finite losses
    # Of the validation images after the last epoch; None: diverged or stopped.
    fold_counts: FoldCounts | None
    best_epoch: Size | None  # by validation accuracy; never the score
    timing: Timing
    machine: Machine
    version: Digest | None = None  # of the architecture, see Network.version; None: an old record

    @property
    def accuracy(self) -> float | None:
        """Share of the validation images that are classified right; None without counts."""
        return self.fold_counts.n_correct / self.fold_counts.n_images if self.fold_counts else None


def encode_ranks(ranks: NDArray[np.int64], labels: NDArray[np.int64]) -> str:
    """Pack the rank of the true class of each image for a record; ranks over 255 become 255.

    Args:
        ranks: (n,) rank of the true class, from 1, in the order of the positions.
        labels: (n,) true class.
    """
    by_class = ranks[np.argsort(labels, kind="stable")]
    packed = zlib.compress(np.minimum(by_class, 255).astype(np.uint8).tobytes(), 9)
    return base64.b64encode(packed).decode()


def result_line(record: FoldRecord) -> str:
    """Return the line with which a stage reports the result of a fold, without a full stop."""
    fold = f"{record.model} repeat {record.repeat} fold {record.fold}"
    if record.accuracy is None:
        return f"{fold}, {record.status}: {record.reason}"
    throughput = f"{record.timing.images_per_second:,.0f} images/s"
    return f"{fold}, {100 * record.accuracy:.2f} % of validation images right, {throughput}"


def record_path(folder: Path, model: str, repeat: int, fold: int) -> Path:
    """Return where the record of one fold lies below reports/folds."""
    return folder / model / f"{repeat}-{fold}.json"


def write_record(path: Path, record: FoldRecord) -> None:
    """Write a fold record, without empty lists: `dvc plots` takes each list for data points."""
    content = record.model_dump(mode="json")
    for part, key in ((content, "curves"), (content["fold_counts"] or {}, "mistakes")):
        if part.get(key) == []:
            del part[key]
    write_json(path, content)


def read_record(path: Path) -> FoldRecord:
    """Read a fold record."""
    return read_json(path, FoldRecord)


@dataclass(frozen=True)
class Predictions:
    """Logits of the validation images of one fold; no rows where none finished its training.

    Attributes:
        index: (n,) position of each image in the data set, ascending.
        last: (n, n_classes) float32 logits after the last epoch: the score rests on them.
        best: (n, n_classes) float32 logits after the epoch with the highest validation accuracy.
    """

    index: NDArray[np.int64]
    last: NDArray[np.float32]
    best: NDArray[np.float32]


def no_predictions() -> Predictions:
    """Return the predictions of a fold whose training diverged, or that a race left out."""
    no_logits = np.empty((0, 0), dtype=np.float32)
    return Predictions(np.empty(0, dtype=np.int64), no_logits, no_logits)


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write predictions.npz; the same bytes for the same numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(predictions, name) for name in ("index", "last", "best")}
    with written_file(path := folder / "predictions.npz"):
        np.savez(path, allow_pickle=False, **arrays)


def read_predictions(folder: Path) -> Predictions:
    """Read predictions.npz."""
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        return Predictions(arrays["index"], arrays["last"], arrays["best"])
