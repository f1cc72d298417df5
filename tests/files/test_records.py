"""card.json, recipe.json, network.json and fold records: one schema and one file each."""

import json
import math
import re

import numpy as np
import pytest
from dvc.render.converter.vega import get_datapoints
from pydantic import ValidationError

from foldwise.core.errors import InputError
from foldwise.files.fold_record import (
    Calibration,
    Epoch,
    FoldCounts,
    FoldRecord,
    Machine,
    Mistake,
    Timing,
    encode_ranks,
    read_record,
    record_path,
    write_record,
)
from foldwise.files.network import (
    Card,
    HyperParameters,
    LoadedWeights,
    MemoryNeed,
    Network,
    read_card,
    read_network,
    write_card,
    write_network,
)
from foldwise.files.params import AugmentSection
from foldwise.files.split import read_recipe, write_recipe

CARD = Card(
    name="lenet5",
    title="LeNet-5",
    defined_in="foldwise.nets.zoo.lenet5",
    input_shape=[1, 28, 28],
    classes=["cat", "dog"],
    parameters=10,
    trainable_parameters=9,
    locked_parameters=1,
    macs=100,
    activation_bytes=400,
    memory=MemoryNeed(process_bytes=500, weight_bytes=40, image_bytes=3),
    smallest_side=None,
    total_stride=4,
    policy="frozen: conv",
    loaded=[
        LoadedWeights(
            source="IMAGENET1K_V1",
            sha256="0" * 64,
            layer="",
            matched=1,
            missing_keys=[],
            unexpected_keys=["b"],
        )
    ],
    cautions=["trained on colours"],
)
RECIPE = AugmentSection(shift=0.2, flip=0.5, rotation=10, erase=0, brightness=0.1, contrast=0.1)
NETWORK = Network(
    name="lenet5",
    builder="zoo.lenet5",
    settings={},
    channels=1,
    height=28,
    width=28,
    n_classes=2,
    heads=["12"],
    frozen=[],
    thaw=[],
    cut=None,
    normalisation=None,
    keep_weights=False,
    training=HyperParameters(learning_rate=0.1),
    code={"stages": "0" * 64},
    weights_sha256=None,
)
FOLD_COUNTS = FoldCounts(
    n_classes=2,
    confusion=[(0, 0, 5), (0, 1, 5), (1, 0, 10)],
    log_loss=40,
    ranks=[5, 15],
    calibration=Calibration(images=[0, 20], correct=[0, 5], confidence=[0, 18.5]),
    mistakes=[Mistake(true=1, predicted=0, image=7, confidence=0.9)],
    image_ranks=encode_ranks(np.array([1] * 5 + [2] * 15), np.array([0] * 10 + [1] * 10)),
)
RECORD = FoldRecord(
    model="lenet5",
    repeat=0,
    fold=1,
    n_folds=5,
    status="finished",
    reason=None,
    n_train=80,
    n_validation=20,
    train_digest="a" * 64,
    validation_digest="b" * 64,
    epochs=1,
    batch_size=16,
    curves=[
        Epoch(
            epoch=1,
            train_loss=1 / 3,
            train_accuracy=0.5,
            validation_loss=2,
            validation_accuracy=0.25,
        )
    ],
    fold_counts=FOLD_COUNTS,
    best_epoch=1,
    timing=Timing(
        train_seconds=1,
        evaluate_seconds=0.5,
        total_seconds=2,
        images_per_second=80,
        peak_memory_bytes=600_000_000,
        peak_gpu_bytes=None,
    ),
    machine=Machine(
        cpu="EPYC", device="cpu", precision="float32", threads=2, versions={"torch": "2.14.0"}
    ),
)


def write_in(folder, record):
    write_record(folder / "0-1.json", record)


def read_in(folder):
    return read_record(folder / "0-1.json")


every_record = pytest.mark.parametrize(
    ("write", "read", "name", "record"),
    [
        (write_card, read_card, "card.json", CARD),
        (write_recipe, read_recipe, "recipe.json", RECIPE),
        (write_network, read_network, "network.json", NETWORK),
        (write_in, read_in, "0-1.json", RECORD),
    ],
)


@every_record
def test_what_is_written_is_read_and_nothing_is_rounded(tmp_path, write, read, name, record):
    write(tmp_path / "new", record)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]
    assert read(tmp_path / "new") == record


@every_record
def test_missing_record_is_named(tmp_path, write, read, name, record):
    with pytest.raises(InputError, match=f"{name} is missing; run 'dvc repro' to make it"):
        read(tmp_path)


@every_record
def test_record_has_every_key_and_no_other(tmp_path, write, read, name, record):
    write(tmp_path, record)
    content = json.loads((tmp_path / name).read_text())
    for wrong in ({**content, "more": 1}, dict(list(content.items())[1:])):
        (tmp_path / name).write_text(json.dumps(wrong))
        with pytest.raises(InputError, match=r"is not a known key|is missing; add it"):
            read(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "fine"},
        {"fold": -1},
        {"n_folds": 1},
        {"epochs": 0},
        {"best_epoch": 0},
    ],
)
def test_number_that_no_fold_can_have_is_refused(changes):
    with pytest.raises(ValidationError):
        FoldRecord.model_validate({**RECORD.model_dump(), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"log_loss": math.inf},
        {"log_loss": -1},
        {"n_classes": 1},
        {"confusion": [(0, 0, -1)]},
        {"confusion": [(0, 0)]},
        {"ranks": [0.5]},
        {"mistakes": [{"true": 0, "predicted": 1, "image": 3, "confidence": 1.01}]},
    ],
)
def test_count_that_no_fold_can_have_is_refused(changes):
    with pytest.raises(ValidationError):
        FoldCounts.model_validate({**FOLD_COUNTS.model_dump(), **changes})


def test_accuracy_is_the_diagonal_of_the_confusion():
    assert FOLD_COUNTS.n_images == 20
    assert RECORD.accuracy == 0.25


def test_fold_that_diverged_has_no_score(tmp_path):
    none = dict.fromkeys(("fold_counts", "best_epoch"))
    lost = {"status": "diverged", "reason": "the loss is NaN", "curves": [], **none}
    record = FoldRecord.model_validate({**RECORD.model_dump(), **lost})
    write_record(tmp_path / "a.json", record)
    assert read_record(tmp_path / "a.json") == record
    assert record.accuracy is None


def test_each_fold_has_its_own_file(tmp_path):
    runs = [("a", 0, 1), ("a", 1, 0), ("b", 0, 1), ("a", 11, 1), ("a", 1, 11)]
    assert len({record_path(tmp_path, *run) for run in runs}) == len(runs)
    assert record_path(tmp_path, "a", 0, 1) == tmp_path / "a" / "0-1.json"


def test_a_version_changes_with_what_the_user_can_change_and_not_with_foldwise():
    def version(**changes):
        return NETWORK.model_copy(update=changes).version

    code = {"foldwise.nets.zoo.lenet5": "0" * 64, "nets/mine.py": "0" * 64}
    versions = [
        version(),
        version(settings={"channels": 3}),
        version(training=HyperParameters(weight_decay=0.1)),
        version(weights_sha256="0" * 64),
        version(code=code),
        *(version(code=code | {name: "1" * 64}) for name in code),
    ]
    assert len(set(versions)) == len(versions)
    assert version(code={"foldwise.nets.shapes": "1" * 64}) == version()
    assert version(keep_weights=True) == version()
    assert re.fullmatch("[0-9a-f]{64}", version())


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "stopped", "reason": "x", "curves": [], "fold_counts": None, "best_epoch": None},
        {"fold_counts": FOLD_COUNTS.model_copy(update={"mistakes": []})},
    ],
    ids=["stopped", "no mistakes"],
)
def test_dvc_finds_only_lists_that_it_can_draw_in_a_record(tmp_path, changes):
    record = RECORD.model_copy(update=changes)
    write_record(tmp_path / "record.json", record)
    get_datapoints(json.loads((tmp_path / "record.json").read_text()))  # fails at an empty list
    assert read_record(tmp_path / "record.json") == record
