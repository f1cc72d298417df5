"""Fold records and cards made to measure, with the real contract classes."""

import yaml

from stages.contracts.card import Card, Loaded, Part, write_card
from stages.contracts.fold_record import (
    Epoch,
    FoldRecord,
    Machine,
    Timing,
    record_path,
    write_record,
)

MACHINE = Machine(device="cpu", precision="float32", threads=2, torch="2.14.0")


def card(name, **changes):
    facts = {
        "name": name,
        "title": f"The {name}",
        "origin": f"stages.build.networks.{name}",
        "input_shape": [1, 8, 8],
        "classes": ["cat", "dog"],
        "parameters": 1000,
        "trainable_parameters": 1000,
        "locked_parameters": 0,
        "multiply_adds": 5000,
        "activation_bytes": 20_000,
        "smallest_side": 4,
        "downsampling": 2,
        "policy": "trains from scratch",
        "loaded": [],
        "cautions": [],
        "parts": [part("conv"), part("fc", kind="Linear", output_shape=[2], parameters=100)],
    }
    return Card(**facts | changes)


def part(name, **changes):
    """Return a convolution that trains from the start, and otherwise what is said."""
    facts = {
        "name": name,
        "kind": "Conv2d",
        "output_shape": [4, 8, 8],
        "parameters": 900,
        "trainable_parameters": changes.get("parameters", 900),
        "trains_from": 1,
        "source": None,
        "weights": None,
        "beside": False,
    }
    return Part(**facts | changes)


def loaded(source, **changes):
    facts = {
        "source": source,
        "sha256": "ab" * 32,
        "into": "",
        "matched": 60,
        "missing": [],
        "left_over": [],
    }
    return Loaded(**facts | changes)


def record(model, repeat=0, fold=0, accuracy=0.9, epochs=2, **changes):
    """Return a record whose curves rise to the accuracy; None: it diverged in its last epoch."""
    diverged = accuracy is None
    end = 0.5 if diverged else accuracy
    curves = [
        Epoch(
            epoch=epoch,
            train_loss=1.1 / epoch,
            train_accuracy=min(1, end * epoch / epochs + 0.02),
            validation_loss=1.2 / epoch,
            validation_accuracy=end * epoch / epochs,
        )
        for epoch in range(1, epochs + (not diverged))
    ]
    facts = {
        "model": model,
        "repeat": repeat,
        "fold": fold,
        "n_folds": 3,
        "status": "diverged" if diverged else "finished",
        "reason": f"train loss is NaN in epoch {epochs}" if diverged else None,
        "n_train": 200,
        "n_validation": 100,
        "epochs": epochs,
        "curves": curves,
        "accuracy": accuracy,
        "log_loss": None if diverged else 0.3,
        "confusion": None,
        "best_epoch": None,
        "timing": Timing(
            train_seconds=3.0, evaluate_seconds=0.5, total_seconds=4.0, images_per_second=100.0
        ),
        "machine": MACHINE,
    }
    return FoldRecord(**facts | changes)


def write_case(root, accuracies, model=None, cards=None, **changes):
    """Write params.yaml, cards and records; return the flags of compare.

    Args:
        root: An empty folder.
        accuracies: Per model one list a repeat, with one value a fold; None: diverged.
        model: The architecture under test, the last one if not given.
        cards: Facts to change, by model.
        changes: To all records.
    """
    repeats = next(iter(accuracies.values()))
    k = len(repeats[0])
    for name, table in accuracies.items():
        write_card(root / "models" / name, card(name, **(cards or {}).get(name, {})))
        for repeat, row in enumerate(table):
            for fold, accuracy in enumerate(row):
                one = record(name, repeat, fold, accuracy, **{"n_folds": k} | changes)
                write_record(record_path(root / "folds", name, repeat, fold), one)
    params = {
        "model": model or list(accuracies)[-1],
        "candidates": list(accuracies),
        "repeats": list(range(len(repeats))),
        "folds": list(range(k)),
        "compare": {"confidence": 0.95},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    return flags(root)


def flags(root, output="out"):
    return [
        *("--params", str(root / "params.yaml"), "--folds", str(root / "folds")),
        *("--models", str(root / "models"), "--output", str(root / output)),
    ]
