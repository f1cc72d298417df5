"""What fold records say about themselves and about each other."""

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from foldwise.files.fold_record import FoldCounts, FoldRecord

SAME_DESIGN = ("epochs", "batch_size")  # the same budget for all
SAME_FOLD = ("n_train", "n_validation", "train_digest", "validation_digest")
MAX_ERROR = 1e-9  # of numbers that are computed in another order
MAX_RANKS = 10  # of the true class that are counted
ROUNDING_SECONDS = 0.0005  # of the times in a record
ROUNDING_RATE = 0.05  # images / second


class Fact(NamedTuple):
    """A value of a record that follows from other values.

    Attributes:
        key: Its key, or what is counted.
        value: As the record has it.
        expected: As it follows.
        source: The keys, or the file, from which it follows.
    """

    key: str
    value: object
    expected: object
    source: str

    def first_mismatch(self) -> "Fact | None":
        """Return the fact if it does not hold; of two lists, the first item that differs."""
        value, expected = self.value, self.expected
        if isinstance(value, list) and isinstance(expected, list) and len(value) == len(expected):
            for index, pair in enumerate(zip(value, expected, strict=True)):
                if wrong := Fact(f"{self.key}[{index}]", *pair, self.source).first_mismatch():
                    return wrong
            return None
        if isinstance(value, float) and isinstance(expected, float | int):
            holds = math.isclose(value, expected, rel_tol=MAX_ERROR, abs_tol=MAX_ERROR)
        else:
            holds = value == expected
        return None if holds else self


def facts_of_record(record: FoldRecord) -> Iterator[Fact]:
    """Yield what holds for every record that a training writes; stop at the first wrong value.

    Limits are facts, too: the expected value is then the value itself or the nearest allowed value.
    """
    finished, n_epochs = record.status == "finished", len(record.curves)
    status = f"status {record.status!r}"
    allowed = record.epochs if finished else min(n_epochs, record.epochs - 1)
    yield Fact("number of epochs in curves", n_epochs, allowed, f"epochs and {status}")
    numbers = [epoch.epoch for epoch in record.curves]
    yield Fact("epochs in curves", numbers, [*range(1, n_epochs + 1)], "their order")
    yield Fact("reason", record.reason, None if finished else record.reason or "a text", status)
    counts = record.fold_counts
    expected = (counts or "counts") if finished else None
    yield Fact("fold_counts", counts, expected, status)
    accuracies = [epoch.validation_accuracy for epoch in record.curves]
    best = 1 + accuracies.index(max(accuracies)) if accuracies else None
    yield Fact("best_epoch", record.best_epoch, best, "curves")
    yield Fact("n_train", record.n_train, max(record.n_train, 1), "training")
    yield Fact("n_validation", record.n_validation, max(record.n_validation, 1), "validation")
    yield from _timing(record)
    if counts:
        yield from _counts(counts, record.n_validation)
        yield from _mistakes(counts, record.n_train + record.n_validation)
        n, last = record.n_validation, record.curves[-1]
        key = "validation_accuracy of the last epoch in curves"
        yield Fact(key, last.validation_accuracy, counts.n_correct / n, "fold_counts.confusion")
        key = "validation_loss of the last epoch in curves"
        yield Fact(key, last.validation_loss, counts.log_loss / n, "fold_counts.log_loss")


def _timing(record: FoldRecord) -> Iterator[Fact]:
    timing, images = record.timing, record.n_train * len(record.curves)
    parts = timing.train_seconds + timing.evaluate_seconds
    total = max(timing.total_seconds, parts - 3 * ROUNDING_SECONDS)
    source = "timing.train_seconds and timing.evaluate_seconds"
    yield Fact("timing.total_seconds", timing.total_seconds, total, source)
    slowest = images / (timing.train_seconds + ROUNDING_SECONDS) - ROUNDING_RATE
    fastest = images / max(timing.train_seconds - ROUNDING_SECONDS, 1e-9) + ROUNDING_RATE
    rate = min(max(timing.images_per_second, slowest), fastest)
    source = "n_train, curves and timing.train_seconds"
    yield Fact("timing.images_per_second", timing.images_per_second, rate, source)
    on_cpu, peak = record.machine.device == "cpu", timing.peak_gpu_bytes
    source = f"machine.device {record.machine.device!r}"
    yield Fact(
        "timing.peak_gpu_bytes",
        peak,
        None if on_cpu else "a number" if peak is None else peak,
        source,
    )


def _counts(counts: FoldCounts, n_validation: int) -> Iterator[Fact]:
    n_classes, confusion = counts.n_classes, counts.confusion
    cells = {(t, p): n for t, p, n in confusion if max(t, p) < n_classes and n}
    source = f"n_classes {n_classes}: each pair once, in order, with images"
    yield Fact(
        "fold_counts.confusion", confusion, [(*pair, cells[pair]) for pair in sorted(cells)], source
    )
    key = "number of images in fold_counts.confusion"
    yield Fact(key, counts.n_images, n_validation, "n_validation")
    ranks, correct = counts.ranks, counts.n_correct
    n_ranks = min(n_classes, MAX_RANKS)
    yield Fact("length of fold_counts.ranks", len(ranks), n_ranks, f"n_classes {n_classes}")
    yield Fact("fold_counts.ranks[0]", ranks[0], correct, "fold_counts.confusion")
    ranked = n_validation if n_classes <= MAX_RANKS else min(sum(ranks), n_validation)
    yield Fact("sum of fold_counts.ranks", sum(ranks), ranked, "n_validation")
    yield from _image_ranks(counts)
    yield from _calibration(counts)


def _image_ranks(counts: FoldCounts) -> Iterator[Fact]:
    """Yield what the ranks of single images share with the counts; a damaged text has no images."""
    try:
        ranks = counts.ranks_by_image
    except (ValueError, zlib.error):
        ranks = np.empty(0, np.uint8)
    name, source = "fold_counts.image_ranks", "fold_counts.confusion"
    yield Fact(f"number of images in {name}", len(ranks), counts.n_images, source)
    totals = np.bincount(ranks, minlength=MAX_RANKS + 1)[1 : 1 + len(counts.ranks)].tolist()
    yield Fact(f"images of each rank in {name}", totals, counts.ranks, "fold_counts.ranks")
    correct = Counter(counts.labels_by_image[ranks == 1].tolist())
    expected = {true: n for true, predicted, n in counts.confusion if true == predicted}
    key = f"correct images of each class in {name}"
    yield Fact(key, sorted(correct.items()), sorted(expected.items()), source)


def _calibration(counts: FoldCounts) -> Iterator[Fact]:
    name, bins = "fold_counts.calibration", counts.calibration
    images, correct, confidence = bins.images, bins.correct, bins.confidence
    source = "fold_counts.confusion"
    yield Fact(f"sum of {name}.images", sum(images), counts.n_images, source)
    yield Fact(f"sum of {name}.correct", sum(correct), counts.n_correct, source)
    n = len(images)
    yield Fact(f"length of {name}.correct", len(correct), n, f"{name}.images")
    yield Fact(f"length of {name}.confidence", len(confidence), n, f"{name}.images")
    most = [min(pair) for pair in zip(correct, images, strict=True)]
    yield Fact(f"{name}.correct", correct, most, f"{name}.images")
    within = [
        min(max(total, in_bin * number / n), in_bin * (number + 1) / n)
        for number, (total, in_bin) in enumerate(zip(confidence, images, strict=True))
    ]
    yield Fact(f"{name}.confidence", confidence, within, f"{name}.images and the bins")


def _mistakes(counts: FoldCounts, n_images: int) -> Iterator[Fact]:
    name, images = "fold_counts.mistakes", [mistake.image for mistake in counts.mistakes]
    pairs = [(mistake.true, mistake.predicted) for mistake in counts.mistakes]
    wrong = {(t, p) for t, p, _ in counts.confusion if t != p}
    source = "fold_counts.confusion"
    yield Fact(f"classes in {name}", pairs, [pair for pair in pairs if pair in wrong], source)
    allowed = [image for image in dict.fromkeys(images) if image < n_images]
    yield Fact(f"images in {name}", images, allowed, "n_train + n_validation, each image once")


def facts_of_siblings(
    records: Mapping[str, FoldRecord], *, resplit: bool
) -> Iterator[tuple[str, Fact]]:
    """Yield files with facts about their records; the source is the file of another record.

    Args:
        records: Record of each file; none contradicts itself.
        resplit: Whether each repeat has new folds.
    """
    design = next(iter(records))
    folds: dict[tuple[int, int], list[str]] = {}
    models: dict[str, str] = {}  # the first file of each architecture
    for file, record in records.items():
        yield from _same_values(records, SAME_DESIGN, file, design)
        first = models.setdefault(record.model, file)
        yield from _same_values(records, ("version",), file, first)
        folds.setdefault((record.repeat, record.fold), []).append(file)
    for files in folds.values():
        for file in files:
            yield from _same_values(records, SAME_FOLD, file, files[0])
        counts = {file: of_file for file in files if (of_file := records[file].fold_counts)}
        first = next(iter(counts), "")
        for file in counts:
            n_classes, n = counts[file].n_classes, counts[first].n_classes
            yield file, Fact("fold_counts.n_classes", n_classes, n, first)
            sizes, expected = _class_sizes(counts[file]), _class_sizes(counts[first])
            yield file, Fact("images of each class in fold_counts", sizes, expected, first)
    firsts = [files[0] for files in folds.values()]
    for file in firsts:
        yield from _facts_of_parts(records, file, firsts)
        if not resplit:
            fold = records[file].fold
            same = next(first for first in firsts if records[first].fold == fold)
            yield from _same_values(records, SAME_FOLD, file, same)


def _facts_of_parts(
    records: Mapping[str, FoldRecord], file: str, firsts: Sequence[str]
) -> Iterator[tuple[str, Fact]]:
    """Yield what holds because the folds of a repeat are parts of one data set.

    Args:
        records: Record of each file.
        file: One of `firsts`.
        firsts: File of one architecture for each fold of each repeat.
    """
    record = records[file]
    folds = [name for name in firsts if records[name].repeat == record.repeat]
    n_images = sum(records[name].n_validation for name in folds)
    n = record.n_train + record.n_validation
    yield file, Fact("n_train + n_validation", n, n_images, folds[0])
    for other in folds:
        if records[other].validation_digest == record.validation_digest:
            key = "fold with this validation_digest"
            yield file, Fact(key, record.fold, records[other].fold, other)


def _same_values(
    records: Mapping[str, FoldRecord], keys: Sequence[str], file: str, other: str
) -> Iterator[tuple[str, Fact]]:
    for key in keys:
        yield file, Fact(key, getattr(records[file], key), getattr(records[other], key), other)


def _class_sizes(counts: FoldCounts) -> list[tuple[int, int]]:
    """Return the classes that have validation images, and how many images."""
    sizes: Counter[int] = Counter()
    for true, _, n in counts.confusion:
        sizes[true] += n
    return sorted(sizes.items())
