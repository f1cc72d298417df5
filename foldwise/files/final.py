"""The files of the final pipeline: choice.json, model.json, calibration.json, test.json, ..."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from foldwise.core.errors import InputError, written_file
from foldwise.files.base import (
    Count,
    NonNegative,
    Positive,
    Share,
    Size,
    Strict,
    existing,
    read_json,
    read_yaml,
)
from foldwise.files.fold_record import Calibration, Digest, Machine
from foldwise.files.network import ChannelStatistics, Network
from foldwise.files.params import Name
from foldwise.files.validation import error_lines, raise_schema_errors
from foldwise.files.verdict import MetricName

FORMAT = 1  # of model.json; another one needs another version of Foldwise
Coverage = Annotated[float, Field(gt=0, lt=1)]


def named_model(architecture: str, n_networks: int) -> str:
    """Return the name of a final model, such as "slim_vgg" or "mean of 3 slim_vgg"."""
    return architecture if n_networks == 1 else f"mean of {n_networks} {architecture}"


class FinalParams(Strict):
    """final/params.yaml: which model to ship."""

    architecture: Name  # verdict: the choice of reports/verdict.json
    epochs: Literal["comparison"] | Annotated[int, Field(ge=1, le=10_000)]
    members: Annotated[int, Field(ge=1, le=100)]  # networks; over 1: of the first folds
    coverage: Coverage  # share of the images whose prediction set shall hold the true class


class Expected(Strict):
    """What the comparison expects of the architecture on new images."""

    value: float
    interval: tuple[float, float]  # not clipped to 0 .. 1
    corrected: bool  # for having been chosen
    metric: MetricName
    top_k: Size
    confidence: Share


class Preparation(Strict):
    """How an image file becomes the pixels that the network takes, as in section prepare."""

    height: Size  # pixels
    width: Size  # pixels
    channels: Size
    any_size: bool  # False: images of another size are refused, as `image_size: native` does
    resize: Literal["crop", "pad", "stretch"]
    background: tuple[int, int, int]  # RGB
    scale: tuple[int, int] | None  # values of more than 8 bits that become 0 and 255


class Choice(Strict):
    """choice.json: what is trained on all training images, and what is known of it."""

    architecture: str
    epochs: Size
    members: Size
    coverage: Coverage
    repeat: Count  # whose augmentation, and whose folds if there are several members
    expected: Expected
    preparation: Preparation


class Calibrated(Strict):
    """How logits become probabilities and prediction sets."""

    temperature: Positive  # divides the logits; 1 if there are several members
    coverage: Coverage
    threshold: Share  # a class of at least this probability is in the prediction set


class TestScore(Strict):
    """What model.json says of the test."""

    accuracy: Share
    interval: tuple[float, float]
    n_images: Size


class FinalModel(Strict):
    """model.json: all that is needed to construct a trained model; beside model.safetensors."""

    format: Size
    version: str  # of Foldwise
    network: Network
    normalisation: list[ChannelStatistics]  # of each member
    preparation: Preparation
    classes: list[str]
    dataset: str  # its name
    data_digest: Digest  # of the training images
    weights_sha256: Digest  # of model.safetensors
    calibrated: Calibrated | None = None  # None: before it was calibrated
    test: TestScore | None = None  # None: before the test
    commit: str | None = None  # of the project; None: no repository

    @model_validator(mode="after")
    def _agrees_with_its_network(self) -> "FinalModel":
        network, images, n = self.network, self.preparation, len(self.classes)
        errors: list[tuple[tuple[str, ...], str, object]] = [
            (("preparation", side), f"{getattr(network, side)}, as in network", value)
            for side, value in images
            if side in ("channels", "height", "width") and value != getattr(network, side)
        ]
        if n != network.n_classes:
            errors.append((("classes",), f"the {network.n_classes} of network", self.classes))
        raise_schema_errors(type(self).__name__, errors)
        return self


class MemberTraining(Strict):
    """The training of one member, in eval mode on some of its training images."""

    n_train: Size
    epochs: Size
    train_loss: NonNegative
    train_accuracy: Share
    train_seconds: NonNegative


class Refit(Strict):
    """reports/final/refit.json."""

    architecture: str
    members: list[MemberTraining]
    machine: Machine


class OutOfFold(Strict):
    """Quality of probabilities of images that did not train, before or after calibration."""

    log_loss: NonNegative
    calibration_error: Share
    bins: Calibration


class RiskPoint(Strict):
    """What remains if the least certain images are left to a person."""

    share: Share  # of the images that the model answers
    accuracy: Share  # on these
    confidence: Share  # the lowest of these


class CalibrationRecord(Strict):
    """reports/final/calibration.json: from logits of images that did not train."""

    calibrated: Calibrated
    n_images: Size
    n_networks: Size  # averaged for each image: as many as members, at most one per repeat
    before: OutOfFold
    after: OutOfFold
    accuracy: Share  # of the mean over all repeats
    accuracy_of_one: Share  # mean over single networks
    covered: Share  # of these images
    mean_set_size: Positive
    risk: list[RiskPoint]

    @property
    def scored_by(self) -> str:
        """What scored each image, in words."""
        n = self.n_networks
        return "a single network" if n == 1 else f"the mean of {n} networks"


class Opening(Strict):
    """One model that was tested on the test images."""

    model: Digest
    architecture: str
    commit: str | None
    accuracy: Share


class ClassScore(Strict):
    """One class among labelled images."""

    name: str
    n_images: Count
    recall: Share | None  # None: no image
    precision: Share | None  # None: never predicted


class WrongImage(Strict):
    """An image that was taken for another class."""

    image: Count  # position in the data set, or in the images of an evaluation
    file: str
    true: str
    predicted: str
    confidence: Share


class Scores(Strict):
    """How good a model is on labelled images."""

    architecture: str
    model: Digest  # of the weights
    n_images: Size
    n_correct: Count
    accuracy: Share
    interval: tuple[float, float]  # exact, by Clopper and Pearson
    metrics: dict[MetricName, float]
    covered: Share  # prediction sets that hold the true class
    mean_set_size: Positive
    classes: list[ClassScore]
    confusion: list[tuple[Count, Count, Count]]  # true class, predicted class, images
    mistakes: list[WrongImage]  # the most confident ones


class Evaluation(Scores):
    """What `foldwise evaluate --output` writes: scores on images that somebody brings."""

    data: str  # where they are
    top_k: Size
    confidence: Share  # of the interval
    coverage: Coverage  # that the prediction sets shall have
    seen: list[str] | None  # files that the model has seen in training; None: it does not say


class TestRecord(Scores):
    """reports/final/test.json: the one look at the test images."""

    test_digest: Digest  # of the test images
    expected: Expected  # with the confidence of the interval
    as_expected: bool  # whether the deciding metric lies in the interval of the comparison
    calibration_error_before: Share
    openings: list[Opening]  # every model that was ever tested on these images, this one last
    history_complete: bool  # whether git could be read


class Exported(Strict):
    """One exported file, compared with the model in PyTorch on every test image."""

    file: str
    bytes: Size
    same_class: Share
    largest_difference: Share  # of a probability
    image_seconds: NonNegative  # latency of one image on one thread
    image_seconds_threads: NonNegative  # on `threads`


class ExportRecord(Strict):
    """reports/final/export.json."""

    n_images: Size
    opset: Size
    threads: Size
    files: list[Exported]
    machine: Machine


def read_final_params(path: Path) -> FinalParams:
    """Read final/params.yaml.

    Raises:
        InputError: One line for each error.
    """
    content = read_yaml(path)
    try:
        return FinalParams.model_validate(content)
    except ValidationError as error:
        raise InputError(error_lines(error, FinalParams, content, str(path))) from None


def write_out_of_fold(folder: Path, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    """Write out_of_fold.npz: logits of images that did not train, by repeat.

    Args:
        folder: Where to write.
        logits: (repeats, n, n_classes).
        labels: (n,) true class.
    """
    with written_file(path := folder / "out_of_fold.npz"), path.open("wb") as file:
        np.savez(file, logits=logits, labels=labels)


def read_out_of_fold(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read out_of_fold.npz."""
    with np.load(existing(folder / "out_of_fold.npz"), allow_pickle=False) as arrays:
        return arrays["logits"], arrays["labels"]


def read_choice(folder: Path) -> Choice:
    """Read choice.json."""
    return read_json(folder / "choice.json", Choice)
