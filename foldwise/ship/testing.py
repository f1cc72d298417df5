"""The one look at the test images, and how often models were tested on them before."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.stats import binomtest

from foldwise.core.git import blobs_in_history, git_output, read_blobs
from foldwise.data.digests import digest_images
from foldwise.engine.scores import count_fold
from foldwise.files.dataset import Dataset, Samples
from foldwise.files.final import (
    Calibrated,
    ClassScore,
    Expected,
    FinalModel,
    Opening,
    Scores,
    TestRecord,
    WrongImage,
)
from foldwise.selection.metrics import confusion_matrix, fold_metrics
from foldwise.ship.calibration import as_logits, describe
from foldwise.ship.conformal import prediction_sets

MAX_MISTAKES = 12

Floats = NDArray[np.float64]


def score_test(
    model: FinalModel,
    calibrated: Calibrated,
    expected: Expected,
    data: tuple[Dataset, Samples],
    probabilities: tuple[NDArray[np.float32], NDArray[np.float32]],
    record: Path,
) -> TestRecord:
    """Return the record of the test.

    Args:
        model: What is tested.
        calibrated: Its calibration.
        expected: What the comparison expects.
        data: The data set and its table; test images come last.
        probabilities: (n, n_classes) of the test images, before and after calibration.
        record: test.json, which may not exist; earlier tests on the same images stay in it.
    """
    (dataset, samples), (before, after) = data, probabilities
    n_train = dataset.info.n_train
    labels, levels = dataset.labels[n_train:], (expected.top_k, expected.confidence)
    scores = score_images(model, calibrated.threshold, (labels, samples.files), after, levels)
    digest = digest_images(dataset.images[n_train:], labels)
    earlier, complete, commit = read_openings(record, digest)
    this = Opening(
        model=model.weights_sha256,
        architecture=model.network.name,
        commit=commit,
        accuracy=scores.accuracy,
    )
    same = [each for each in earlier if each.model == this.model]
    openings = [each for each in earlier if each.model != this.model]
    low, high = expected.interval
    return TestRecord(
        **dict(scores),
        test_digest=digest,
        expected=expected,
        as_expected=low <= scores.metrics[expected.metric] <= high,
        calibration_error_before=describe(before.astype(np.float64), labels).calibration_error,
        openings=[*openings, *(same or [this])],
        history_complete=complete,
    )


def score_images(
    model: FinalModel,
    threshold: float,
    images: tuple[NDArray[np.int64], Sequence[str]],
    probabilities: NDArray[np.float32],
    levels: tuple[int, float],
) -> Scores:
    """Return the scores of a model on labelled images.

    Args:
        model: What is scored.
        threshold: Of its prediction sets.
        images: (n,) labels; and the files, of which those of the images come last.
        probabilities: (n, n_classes).
        levels: k of the top-k accuracy, and the confidence of the interval.
    """
    (labels, files), (top_k, confidence) = images, levels
    n, values = len(labels), probabilities.astype(np.float64)
    counts = count_fold(as_logits(probabilities), labels, np.arange(n))
    exact = binomtest(counts.n_correct, n).proportion_ci(confidence, "exact")
    sets = prediction_sets(values, threshold)
    metrics = fold_metrics(counts, top_k)
    return Scores(
        architecture=model.network.name,
        model=model.weights_sha256,
        n_images=n,
        n_correct=counts.n_correct,
        accuracy=metrics["accuracy"],
        interval=(float(exact.low), float(exact.high)),
        metrics=metrics,
        covered=float(sets[np.arange(n), labels].mean()),
        mean_set_size=float(sets.sum(axis=1).mean()),
        classes=_score_classes(confusion_matrix([counts]), model.classes),
        confusion=counts.confusion,
        mistakes=_find_mistakes(values, labels, model.classes, files),
    )


def read_openings(record: Path, test_digest: str) -> tuple[list[Opening], bool, str | None]:
    """Return each model that was tested on some images, whether git was read, and the commit.

    The records are those in the history of all branches and experiments, and the one on disk.

    Args:
        record: test.json, which may not exist.
        test_digest: Of the test images.
    """
    path = record.absolute()
    folder = next(parent for parent in path.parents if parent.is_dir())
    name = path.relative_to(folder).as_posix()
    shallow = git_output(folder, "rev-parse", "--is-shallow-repository")
    versions = blobs_in_history(folder, ["--all"])
    blobs = [blob for blob, version in versions.items() if version == name]
    contents = read_blobs(folder, blobs) if blobs else []
    if record.is_file():
        contents.append(record.read_bytes())
    head = git_output(folder, "rev-parse", "HEAD")
    openings = _openings_of(contents, test_digest)
    return openings, shallow == b"false\n", head.decode().strip() if head else None


def _openings_of(contents: Iterable[bytes], test_digest: str) -> list[Opening]:
    found: dict[str, Opening] = {}
    for content in contents:
        try:
            record = TestRecord.model_validate_json(content)
        except ValidationError:  # of another version of Foldwise
            continue
        if record.test_digest == test_digest:
            found |= {each.model: each for each in record.openings if each.model not in found}
    return list(found.values())


def _find_mistakes(
    probabilities: Floats, labels: NDArray[np.int64], classes: Sequence[str], files: Sequence[str]
) -> list[WrongImage]:
    """Return the wrong images of which the model is surest; their files are the last ones."""
    first = len(files) - len(labels)
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    return [
        WrongImage(
            image=first + int(at),
            file=files[first + at],
            true=classes[labels[at]],
            predicted=classes[predicted[at]],
            confidence=min(1.0, float(confidence[at])),
        )
        for at in worst
    ]


def _score_classes(matrix: NDArray[np.int64], names: Sequence[str]) -> list[ClassScore]:
    images, predictions = matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        ClassScore(
            name=name,
            n_images=int(images[at]),
            recall=float(matrix[at, at] / images[at]) if images[at] else None,
            precision=float(matrix[at, at] / predictions[at]) if predictions[at] else None,
        )
        for at, name in enumerate(names)
    ]
