"""Synthetic fold records and cards, of the real schemas."""

import hashlib
import math
from collections import Counter
from functools import cache

import numpy as np
import yaml
from measured import LATENCY, MACHINE

from foldwise.files.base import write_json
from foldwise.files.fold_record import (
    Calibration,
    Epoch,
    FoldCounts,
    FoldRecord,
    Mistake,
    Timing,
    encode_ranks,
    record_path,
    write_record,
)
from foldwise.files.inspection import RunCounts
from foldwise.files.measurements import Extraction, write_extraction, write_latency
from foldwise.files.network import Card, LoadedWeights, MemoryNeed, write_card

CLASSES = ["cat", "dog", "emu", "fox"]
BINS = 15
SECTION = {
    "metric": "accuracy",
    "top_k": 3,
    "confidence": 0.95,
    "worth": 0.01,
    "cost": "macs",
    "target": 0.9,
    "gap": 0.05,
}
PREPARE = {
    "dataset": "digits",
    "root": "data/raw",
    "image_size": "native",
    "test_fraction": 0.2,
    "limit": None,
    "groups": None,
}


def card(name, **changes):
    facts = {
        "name": name,
        "title": f"The {name}",
        "defined_in": f"stages.build.networks.{name}",
        "input_shape": [1, 8, 8],
        "classes": CLASSES,
        "parameters": 1000,
        "trainable_parameters": 1000,
        "locked_parameters": 0,
        "macs": 5000,
        "activation_bytes": 20_000,
        "memory": MemoryNeed(
            process_bytes=500_000_000, weight_bytes=20_000_000, image_bytes=1_000_000
        ),
        "smallest_side": 4,
        "total_stride": 2,
        "policy": "trains from scratch",
        "loaded": [],
        "cautions": [],
    }
    return Card(**facts | changes)


def loaded(source, **changes):
    facts = {
        "source": source,
        "sha256": "ab" * 32,
        "layer": "",
        "matched": 60,
        "missing_keys": [],
        "unexpected_keys": [],
    }
    return LoadedWeights(**facts | changes)


STOPPED = "0.5000 on the first fold"


def record(model, repeat=0, fold=0, accuracy=0.9, epochs=2, **changes):
    """Return a record whose curves rise to the accuracy; None: it diverged in its last epoch.

    STOPPED as accuracy: a race left it out.

    The fold counts have this accuracy, to the nearest image. `changes` may hold `n_classes`, and
    `seconds` of training. Everything else follows, so that the record does not contradict itself.
    """
    if accuracy == STOPPED:
        left_out = {"status": "stopped", "reason": STOPPED, "curves": [], "best_epoch": None}
        return record(model, repeat, fold, None, epochs, **changes).model_copy(update=left_out)
    diverged = accuracy is None
    n_classes, seconds = changes.pop("n_classes", len(CLASSES)), changes.pop("seconds", 3.0)
    n_folds, n_validation = changes.get("n_folds", 3), changes.get("n_validation", 100)
    counts = None if diverged else fold_counts(accuracy, n_validation, n_classes, fold)
    end = counts.n_correct / n_validation if counts else 0.5
    curves = [
        Epoch(
            epoch=epoch,
            train_loss=1.1 / epoch,
            train_accuracy=min(1, end * epoch / epochs + 0.02),
            validation_loss=counts.log_loss / n_validation * epochs / epoch if counts else 1.2,
            validation_accuracy=end * epoch / epochs,
        )
        for epoch in range(1, epochs + (not diverged))
    ]
    machine = changes.get("machine", MACHINE)
    n_train = changes.get("n_train", n_validation * (n_folds - 1))
    facts = {
        "model": model,
        "repeat": repeat,
        "fold": fold,
        "n_folds": n_folds,
        "status": "diverged" if diverged else "finished",
        "reason": f"train loss is NaN in epoch {epochs}" if diverged else None,
        "n_train": n_train,
        "n_validation": n_validation,
        "train_digest": digest(f"train {repeat} {fold}"),
        "validation_digest": digest(f"validation {repeat} {fold}"),
        "epochs": epochs,
        "batch_size": 64,
        "curves": curves,
        "fold_counts": counts,
        "best_epoch": (len(curves) if end else 1) if curves else None,
        "timing": timing(seconds, n_train * len(curves), machine),
        "machine": machine,
    }
    return FoldRecord(**facts | changes)


def digest(content):
    return hashlib.sha256(content.encode()).hexdigest()


def latency(seconds=LATENCY.image, **changes):
    return LATENCY.model_copy(update={"image": seconds} | changes)


def extraction(seconds=0.0, machine=MACHINE):
    return Extraction(seconds=seconds, machine=machine if seconds else None)


def timing(train_seconds, n_images=400, machine=MACHINE):
    """Return the timing of a training of so many images, all epochs together."""
    return Timing(
        train_seconds=train_seconds,
        evaluate_seconds=0.5,
        total_seconds=train_seconds + 1,
        images_per_second=round(n_images / train_seconds, 1),
        peak_memory_bytes=600_000_000,
        peak_gpu_bytes=None if machine.device == "cpu" else 2_330_000_000,
    )


@cache
def fold_counts(accuracy, n_validation=100, n_classes=4, fold=0):
    """Return the fold counts of images of all classes in turn; the last images are mistakes.

    Most mistakes predict the next class, every third the class after it. The confidence falls
    from image to image.
    """
    n_correct = round(accuracy * n_validation)
    labels = [image % n_classes for image in range(n_validation)]
    predicted = [
        (label + (image >= n_correct) * (2 if image % 3 == 0 else 1)) % n_classes
        for image, label in enumerate(labels)
    ]
    confidence = [0.98 - 0.4 * image / n_validation for image in range(n_validation)]
    return counts_of(labels, predicted, confidence, n_classes, first=fold * n_validation)


def counts_of(labels, predicted, confidence, n_classes, first=0):
    """Return the fold counts of predictions; the other classes share the rest of the probability.

    Args:
        labels: (n,) true class.
        predicted: (n,) predicted class.
        confidence: (n,) its probability, over one half.
        n_classes: Number of classes of the data set.
        first: Position of the first image in the data set.
    """
    images = list(enumerate(zip(labels, predicted, confidence, strict=True), start=first))
    bins = [[] for _ in range(BINS)]
    for _, image in images:
        bins[min(int(image[2] * BINS), BINS - 1)].append(image)
    pairs = Counter(zip(labels, predicted, strict=True))
    image_ranks = [0 if t == p else 1 + t - (p < t) for _, (t, p, _) in images]
    ranks = Counter(image_ranks)
    return FoldCounts(
        n_classes=n_classes,
        confusion=[(t, p, n) for (t, p), n in sorted(pairs.items())],
        log_loss=-sum(
            math.log(c if t == p else (1 - c) / (n_classes - 1)) for _, (t, p, c) in images
        ),
        ranks=[ranks[rank] for rank in range(min(n_classes, 10))],
        calibration=Calibration(
            images=[len(images) for images in bins],
            correct=[sum(t == p for t, p, _ in images) for images in bins],
            confidence=[sum(c for _, _, c in images) for images in bins],
        ),
        mistakes=[
            Mistake(true=t, predicted=p, image=image, confidence=c)
            for image, (t, p, c) in images
            if t != p
        ],
        image_ranks=encode_ranks(1 + np.array(image_ranks), np.array(labels)),
    )


def write_case(root, accuracies, model=None, cards=None, section=None, **changes):
    """Write params.yaml, cards and records; return the flags of compare.

    Args:
        root: An empty folder.
        accuracies: Per model one list per repeat, with one value per fold; None: diverged.
        model: The architecture under test; None: the last.
        cards: Changed keys of each card, by model; also `seconds` per epoch, `extraction` seconds
            and `latency` in seconds.
        section: Changed keys of the section `compare` of params.yaml.
        changes: Changed keys of all records; also `classes` and `resplit`.
    """
    repeats = next(iter(accuracies.values()))
    k = len(repeats[0])
    classes = changes.pop("classes", CLASSES)
    resplit = changes.pop("resplit", True)
    epochs, counts = changes.get("epochs", 2), []
    for name, table in accuracies.items():
        facts = {"classes": list(classes)} | (cards or {}).get(name, {})
        seconds = facts.pop("seconds", 1.5)
        write_extraction(
            root / "extraction" / f"{name}.json", extraction(facts.pop("extraction", 0))
        )
        write_latency(
            root / "models" / name / "latency.json", latency(facts.pop("latency", LATENCY.image))
        )
        write_card(root / "models" / name, card(name, **facts))
        of_all = {"n_folds": k, "n_classes": len(classes), "seconds": seconds * epochs}
        for repeat, row in enumerate(table):
            for fold, accuracy in enumerate(row):
                path = record_path(root / "folds", name, repeat, fold)
                content = record(name, repeat, fold, accuracy, **of_all | changes)
                if not resplit:
                    parts = ("train", "validation")
                    same = {f"{part}_digest": digest(f"{part} 0 {fold}") for part in parts}
                    content = content.model_copy(update=same)
                write_record(path, content)
                counts.append(content.model_dump(include={*RunCounts.model_fields}))
    write_json(root / "inspection" / "counts.json", {"runs": counts})
    params = {
        "model": model or list(accuracies)[-1],
        "candidates": list(accuracies),
        "repeats": list(range(len(repeats))),
        "folds": list(range(k)),
        "resplit": resplit,
        "prepare": PREPARE,
        "compare": SECTION | (section or {}),
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return flags(root)


def flags(root, output="out"):
    return [
        *("--params", str(root / "params.yaml"), "--folds", str(root / "folds")),
        *("--models", str(root / "models"), "--extraction", str(root / "extraction")),
        *("--inspection", str(root / "inspection"), "--output", str(root / output)),
    ]
