"""The stage inspect on a small data set with a copy, a wrong label and a missing class."""

import numpy as np
import pytest
import yaml
from dataset_info import info_of
from PIL import Image
from records import card

from foldwise.files.base import read_json
from foldwise.files.dataset import Samples, create_images, write_dataset
from foldwise.files.fold_record import Predictions, read_predictions, write_predictions
from foldwise.files.inspection import LABELS, NEAR_DUPLICATES, CheckedCounts, Inspection
from foldwise.files.network import write_card
from foldwise.files.split import FoldDigests, Normalisation, Split, write_split
from foldwise.files.tables import read_table
from stages.inspect import main

N, N_TEST = 40, 4
FOLD = np.where(np.arange(N + N_TEST) < N, np.arange(N + N_TEST) % 2, -1)


@pytest.fixture
def flags(tmp_path):
    """Write what the stage reads: image 3 is labelled cat, 6 and 9 are copies, 1 and 41 also."""
    rng = np.random.default_rng(0)
    images = create_images(tmp_path / "prepared", (N + N_TEST, 16, 16, 1))
    for image in images:
        coarse = Image.fromarray(rng.integers(0, 150, (5, 5), dtype=np.uint8))
        image[:, :, 0] = coarse.resize((16, 16))
    images[9], images[41] = images[6] + 40, images[1] + 30
    images.flush()
    true = np.arange(N + N_TEST) // 2 % 2
    labels = np.where(np.arange(N + N_TEST) == 3, 0, true)
    samples = Samples([f"{n}.png" for n in range(N + N_TEST)], labels, np.arange(44), FOLD < 0)
    info = info_of(["cat", "dog", "emu"], (16, 16, 1), N, N_TEST)
    write_dataset(tmp_path / "prepared", info, samples)
    statistics = Normalisation(mean=[[0.5]] * 2, std=[[0.2]] * 2)
    digests = FoldDigests(train=["a", "b"], validation=["a", "b"])
    write_split(tmp_path / "splits" / "0", Split(FOLD, statistics, digests))
    for model in ("a", "b"):
        for fold in range(2):
            index = np.flatnonzero(fold == FOLD)
            logits = np.eye(3, dtype=np.float32)[true[index]] * (3 + 4 * (index[:, None] < 9))
            predictions = Predictions(index, logits, logits)
            write_predictions(tmp_path / "runs" / model / f"0-{fold}", predictions)
        write_card(tmp_path / "models" / model, card(model))
    prepare = {"dataset": "digits", "root": "raw", "image_size": "native", "test_fraction": 0.2}
    params = {"model": "a", "candidates": ["a", "b"], "repeats": [0], "folds": [0, 1]}
    params["prepare"] = prepare | {"limit": None, "groups": None}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    names = {"params": "params.yaml", "dataset": "prepared", "output": "out"}
    names |= {"splits": "splits", "runs": "runs", "models": "models"}
    return [word for flag, name in names.items() for word in (f"--{flag}", f"{tmp_path}/{name}")]


def test_copies_and_wrong_labels_are_found_and_shown(flags, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pair-7.png").touch()  # of an earlier run
    main(flags)
    assert "2 pairs of near-duplicates, 1 suspicious label ->" in capsys.readouterr().out
    pairs = read_table(tmp_path / "out" / "near_duplicates.csv", NEAR_DUPLICATES)
    assert sorted(pairs.to_numpy().tolist()) == [
        ["1.png", "41.png", "cat", "cat", "train and test"],
        ["6.png", "9.png", "dog", "cat", "different folds"],
    ]
    labels = read_table(tmp_path / "out" / "labels.csv", LABELS)
    assert labels.iloc[:, :3].to_numpy().tolist() == [["3.png", "cat", "dog"]]
    found = read_json(tmp_path / "out" / "inspection.json", Inspection)
    assert found.near_duplicates.model_dump() == {
        **{"pairs": 2, "other_labels": 1, "train_and_test": 1, "different_folds": 1},
        "mode": "report",
    }
    assert (found.labels.images, found.labels.checked) == (1, N)
    assert (found.class_images, found.fold_sizes) == ([21, 19, 0], [[20, 20]])
    assert [(each.fold, each.label) for each in found.missing] == [(0, "emu"), (1, "emu")]
    pictures = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert pictures == ["label-0.png", "pair-0.png", "pair-1.png"]


def test_copies_are_not_searched_if_ignored(flags, tmp_path):
    path = tmp_path / "params.yaml"
    params = yaml.safe_load(path.read_text())
    params["prepare"]["near_duplicates"] = "ignore"
    path.write_text(yaml.safe_dump(params))
    main(flags)
    inspection = read_json(tmp_path / "out" / "inspection.json", Inspection)
    assert (inspection.near_duplicates.pairs, inspection.near_duplicates.mode) == (0, "ignore")


@pytest.mark.parametrize("diverged", [["a"], ["a", "b"]])
def test_trainings_that_diverged_count_for_nothing(flags, tmp_path, diverged):
    nothing = np.empty((0, 0), dtype=np.float32)
    for model in diverged:
        for fold in range(2):
            predictions = Predictions(np.empty(0, dtype=np.int64), nothing, nothing)
            write_predictions(tmp_path / "runs" / model / f"0-{fold}", predictions)
    main(flags)
    inspection = read_json(tmp_path / "out" / "inspection.json", Inspection)
    assert inspection.labels.checked == (N if diverged == ["a"] else 0)
    runs = read_json(tmp_path / "out" / "counts.json", CheckedCounts).runs
    assert {run.model for run in runs if run.fold_counts is None} == set(diverged)


@pytest.mark.parametrize(("kept_out", "checked", "wrong"), [(["a"], N, 1), (["a", "b"], 0, 0)])
def test_weights_that_have_seen_the_images_judge_no_label(
    flags, tmp_path, kept_out, checked, wrong
):
    sure = np.eye(3, dtype=np.float32)[[0]] * 99  # of the label of image 3, which is wrong
    for model in kept_out:
        write_card(tmp_path / "models" / model, card(model, seen_images=N))
        predictions = read_predictions(tmp_path / "runs" / model / "0-1")
        predictions.last[predictions.index == 3] = sure
        write_predictions(tmp_path / "runs" / model / "0-1", predictions)
    main(flags)
    found = read_json(tmp_path / "out" / "inspection.json", Inspection)
    assert (found.labels.images, found.labels.checked) == (wrong, checked)
    runs = read_json(tmp_path / "out" / "counts.json", CheckedCounts).runs
    assert {run.model for run in runs} == {"a", "b"}


def test_counts_leave_out_labels_that_look_wrong(flags, tmp_path):
    main(flags)
    runs = read_json(tmp_path / "out" / "counts.json", CheckedCounts).runs
    images = {(run.model, run.fold): run.fold_counts.n_images for run in runs}
    assert images == {("a", 0): 20, ("a", 1): 19, ("b", 0): 20, ("b", 1): 19}


def test_second_run_writes_the_same_bytes(flags, tmp_path):
    main(flags)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    main(flags)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
