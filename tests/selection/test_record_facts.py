"""Fold records that contradict themselves or their siblings are refused, whatever was changed."""

import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
from records import flags, record, write_case

from foldwise.core.errors import InputError
from foldwise.engine.scores import accuracy, count_fold, log_loss
from foldwise.files.fold_record import encode_ranks, read_record, record_path, write_record
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.selection.record_facts import facts_of_record
from foldwise.selection.records import read_records, require_fair_comparison
from stages.compare import main

TWO = {"lenet5": [[0.9, 0.92, 0.91]], "slim_vgg": [[0.95, 0.94, 0.97]]}
REMEDY = "; run 'dvc repro -f -s train@lenet5-0-1', then 'dvc repro'"
# Nothing else in the records follows from these; a changed machine is said in the verdict.
FREE = (
    *("curves[0]", "curves[-1].train", "fold_counts.mistakes", "machine.", "reason"),
    *("timing.evaluate_seconds", "timing.total_seconds", "timing.peak_memory_bytes"),
    "fold_counts.calibration.confidence",  # within the limits of its bin
)
MUTANTS = (None, "x", [], {}, -1, 0, 1, 0.5, 1e308, 10**30, 10**400, True, "a\nb\x1b[31m")


def places(value, place=""):
    """Yield the places of all values in a record, of lists the first and the last item only."""
    yield place
    keys = list(value) if isinstance(value, dict) else []
    for key in keys:
        yield from places(value[key], f"{place}.{key}".removeprefix("."))
    if isinstance(value, list) and value:
        for index in (0, -1):
            yield from places(value[index], f"{place}[{index}]")


def steps(place):
    parts = place.replace("[", ".").replace("]", "").split(".")
    return [int(part) if part.lstrip("-").isdigit() else part for part in parts]


def changed(content, place, change):
    """Return a copy in which one value is changed by a function."""
    content = copy.deepcopy(content)
    *parents, last = steps(place)
    inside = content
    for step in parents:
        inside = inside[step]
    inside[last] = change(inside[last])
    return content


def mutants(content, place):
    """Yield copies with other values at a place."""
    value = content
    for step in steps(place):
        value = value[step]
    values = [*MUTANTS]
    if isinstance(value, int | float) and not isinstance(value, bool):
        values += [value + 1, value / 2, value * 1.01, value * 2]
    if isinstance(value, list) and value:
        values += [value[:-1], value[1:], [*value, value[-1]], value[::-1]]
    for other in values:
        if other != value:
            yield changed(content, place, lambda _, other=other: other), other


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    root = tmp_path_factory.mktemp("case")
    write_case(root, TWO)
    params = read_params(root / "params.yaml", *RUN_KEYS, "resplit", "compare")
    path = record_path(root / "folds", "lenet5", 0, 1)
    return root, params, path, json.loads(path.read_text())


def refusal(case, content):
    """Return the error of compare's checks for other content of a record; None: accepted."""
    root, params, path, sound = case
    path.write_text(json.dumps(content))
    try:
        require_fair_comparison(read_records(root / "folds", params), params)
    except InputError as error:
        return str(error)
    else:
        main(flags(root))  # without a traceback
    finally:
        path.write_text(json.dumps(sound))


@pytest.mark.slow
def test_every_changed_value_is_refused_in_one_line_with_the_remedy(case, capsys):
    *_, sound = case
    accepted = []
    for place in filter(None, places(sound)):
        for content, value in mutants(sound, place):
            error = refusal(case, content)
            if error is None:
                accepted.append((place, value))
            else:
                assert error.count("\n") == 0, (place, value)
                assert "\x1b" not in error, (place, value)
                assert "train@lenet5-0-1" in error, (place, value)
    assert [case for case in accepted if not case[0].startswith(FREE)] == []


def test_every_missing_key_is_refused_with_the_remedy(case):
    *_, sound = case
    for key in {*sound} - {"curves", "version"}:
        content = {name: value for name, value in sound.items() if name != key}
        assert refusal(case, content).endswith(f"{key} is missing; add it{REMEDY}")


def test_a_fold_of_another_version_of_the_architecture_is_refused(case):
    *_, sound = case
    error = refusal(case, sound | {"version": "1" * 64})
    assert "version is" in error
    assert error.count("train@lenet5-0-") == 2  # either may be the old one


@pytest.mark.parametrize(
    ("place", "change", "key"),
    [
        ("curves[-1].validation_accuracy", lambda _: 0.0, "best_epoch"),
        ("curves[-1].validation_loss", lambda _: 0.1, "validation_loss of the last epoch"),
        ("curves[-1].epoch", lambda _: 10**30, "curves"),
        ("curves", lambda curves: curves[:1], "number of epochs in curves"),
        ("curves", lambda _: [], "number of epochs in curves"),
        ("batch_size", lambda _: 128, "batch_size"),
        ("status", lambda _: "diverged", "number of epochs in curves"),
        ("fold_counts", lambda _: None, "fold_counts"),
        ("fold_counts.ranks", lambda _: [], "length of fold_counts.ranks"),
        ("fold_counts.ranks[0]", lambda n: n - 1, r"fold_counts.ranks\[0\]"),
        (
            "fold_counts.image_ranks",
            lambda _: "AAAA",
            "number of images in fold_counts.image_ranks",
        ),
        (
            "fold_counts.image_ranks",
            lambda _: encode_ranks(np.ones(100, int), np.arange(100)),
            "images of each rank in fold_counts.image_ranks",
        ),
        ("fold_counts.confusion[0][0]", lambda _: 4, "fold_counts.confusion"),
        ("fold_counts.calibration.images", lambda _: [], "sum of fold_counts.calibration.images"),
        ("fold_counts.calibration.correct", lambda n: n[1:], "length of fold_counts.calibration"),
        ("fold_counts.mistakes[0].image", lambda _: 300, "images in fold_counts.mistakes"),
        ("timing.train_seconds", lambda _: 0.0, "timing.images_per_second"),
        ("timing.total_seconds", lambda _: 0.1, "timing.total_seconds"),
        ("timing.peak_gpu_bytes", lambda _: 1, "timing.peak_gpu_bytes"),
    ],
)
def test_record_that_contradicts_itself(case, place, change, key):
    *_, path, sound = case
    error = refusal(case, changed(sound, place, change))
    assert re.match(f"{path}: {key}", error)
    assert "train@lenet5-0-1" in error


def test_fold_that_is_a_copy_of_another(tmp_path):
    write_case(tmp_path, TWO)
    for model in TWO:
        folder = tmp_path / "folds" / model
        twin = read_record(folder / "0-0.json").model_copy(update={"fold": 1})
        write_record(folder / "0-1.json", twin)
    with pytest.raises(InputError, match=r"lenet5/0-0.*validation_digest.* train@lenet5-0-1"):
        main(flags(tmp_path))


def test_other_classes_of_the_same_images(tmp_path):
    write_case(tmp_path, TWO)
    path = record_path(tmp_path / "folds", "slim_vgg", 0, 1)
    content = json.loads(path.read_text())
    cells = content["fold_counts"]["confusion"]
    cells[0][2] -= 1  # of class 0, correct
    cells[-1][2] += 1  # of class 3, correct
    ranks = read_record(path).fold_counts.ranks_by_image
    labels = np.repeat([0, 1, 2, 3], [24, 25, 25, 26])
    ranks = np.insert(np.delete(ranks, np.flatnonzero(ranks == 1)[0]), -1, 1)
    content["fold_counts"]["image_ranks"] = encode_ranks(ranks, labels)
    path.write_text(json.dumps(content))
    with pytest.raises(
        InputError, match=r"slim_vgg/0-1.json: images of each class.*\[0\] is \(0, 24\)"
    ):
        main(flags(tmp_path))


def test_number_of_classes_that_fills_the_memory(tmp_path):
    ten = list("abcdefghij")
    write_case(tmp_path, TWO, classes=ten)
    path = record_path(tmp_path / "folds", "lenet5", 0, 0)
    for n_classes in (11, 2**53, 10**30):
        content = json.loads(path.read_text())
        content["fold_counts"]["n_classes"] = n_classes
        path.write_text(json.dumps(content))
        message = (
            f"n_classes is 10, but {n_classes} .*{path}; .*train@slim_vgg-0-0 train@lenet5-0-0"
        )
        with pytest.raises(InputError, match=message):
            main(flags(tmp_path))


def test_repeats_of_the_same_folds_have_the_same_images(tmp_path):
    twice = {"lenet5": [[0.9, 0.8], [0.7, 0.9]], "slim_vgg": [[0.6, 0.5], [0.7, 0.6]]}
    main(write_case(tmp_path, twice, resplit=False))
    for model in twice:
        path = record_path(tmp_path / "folds", model, 1, 0)
        write_record(path, record(model, 1, 0, 0.7, n_folds=2))
    with pytest.raises(InputError, match=r"1-0.json: train_digest .*0-0.json; run .*-1-0 .*-0-0'"):
        main(flags(tmp_path))


@pytest.mark.parametrize("n_classes", [2, 3, 10, 12])
def test_what_a_training_writes_does_not_contradict_itself(n_classes):
    random = np.random.default_rng(n_classes)
    logits = random.normal(0, 3, (200, n_classes)).astype(np.float32).round(1)  # some are equal
    labels = np.where(random.random(200) < 0.6, logits.argmax(1), random.integers(0, n_classes))
    counts = count_fold(logits, labels, np.arange(100, 300))
    plain = record("a", accuracy=0.9, n_validation=200, n_classes=n_classes)
    last = {"validation_loss": log_loss(logits, labels)}
    last["validation_accuracy"] = accuracy(logits, labels)
    curves = [plain.curves[0].model_copy(update={"validation_accuracy": 0.0})]
    curves.append(plain.curves[1].model_copy(update=last))
    changes = {"curves": curves, "fold_counts": counts, "best_epoch": 2}
    require_no_contradiction(plain.model_copy(update=changes))


def test_no_committed_record_contradicts_itself():
    paths = sorted(Path("reports/folds").glob("*/*.json"))
    assert paths
    for path in paths:
        require_no_contradiction(read_record(path))


def require_no_contradiction(content):
    for fact in facts_of_record(content):
        assert fact.first_mismatch() is None
