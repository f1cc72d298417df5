import importlib
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import foldwise.engine.hardware as hardware
from benchmarks.contestants.__main__ import MODULES
from benchmarks.contestants.entry import open_entry
from foldwise.data.augment import AugmentationDraws, shift_pixels
from foldwise.engine.inputs import ImageBatches
from foldwise.engine.training import open_fold
from foldwise.files.features import Features

pytestmark = pytest.mark.slow  # importing the peers takes half a minute
EXACT = "donot_use_mm_for_euclid_dist"
NAMES = ("foldwise", "plain", "skorch", "lightning")
LARGE = ("skorch", "lightning")  # take seconds to import


@pytest.fixture
def entry(case):
    """Return the input of the contestants."""
    return open_entry(case, "float32", [0, 1], seed=3, workers=0)


@pytest.fixture
def pictures(entry):
    """Return a function that returns images as the peers load them."""
    peers = pytest.importorskip("benchmarks.contestants.pictures", reason="no peers")

    def pictures(index, train):
        rows = peers.Pictures(entry, index, train)
        return torch.stack([rows[position][0] for position in range(len(rows))])

    return pictures


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_contestants_train_the_same_folds(case, name):
    if name in LARGE:
        pytest.importorskip(name, reason="the extra 'bench' is not installed")
    command = [sys.executable, "-m", "benchmarks.contestants", name, "--case", str(case)]
    command += ["--precision", "float32", "--folds", "0", "1", "--seed", "0", "--workers", "0"]
    completed = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(completed.stdout.splitlines()[-1])
    n_validation = 40
    assert len(result["accuracies"]) == 2
    for accuracy in result["accuracies"]:
        assert accuracy * n_validation == pytest.approx(round(accuracy * n_validation), abs=1e-3)
    assert result["seconds"] > 0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in NAMES]
)
def test_only_foldwise_keeps_freed_memory(entry, name, monkeypatch):
    """The peers stay as a user would write them."""
    if name in LARGE:
        pytest.importorskip(name, reason="the extra 'bench' is not installed")
    calls = []
    monkeypatch.setattr(hardware, "keep_freed_memory", lambda: calls.append(name))
    importlib.import_module(f"benchmarks.contestants.{MODULES[name]}").train_folds(entry)
    assert bool(calls) == (name == "foldwise")


def test_the_peers_evaluate_on_the_images_of_foldwise(entry, pictures):
    no_features = Features(views=[], plain=None, dtype="float32")
    fold = open_fold(entry.data, (0, 1), entry.network, no_features, torch.device("cpu"))
    assert np.array_equal(fold.validation, entry.validation(1))
    ours, theirs = fold.inputs.plain(fold.validation), pictures(fold.validation, train=False)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_peers_augment_as_foldwise_does(entry, pictures):
    """Each augmented image is one that Foldwise may draw, and not always the same."""
    dataset, _, recipe = entry.data
    statistics = entry.network.normalisation
    most = shift_pixels(recipe, dataset.info.height, dataset.info.width)
    moves = range(-most, most + 1)
    views = list(itertools.product(moves, moves, (False, True)))
    zeros, ones = np.zeros(len(views), np.float32), np.ones(len(views), np.float32)
    draws = AugmentationDraws(
        shift=np.array([view[:2] for view in views]),
        flip=np.array([view[2] for view in views]),
        angle=zeros,
        brightness=ones,
        contrast=ones,
        erased=np.zeros((len(views), 4), np.float32),
    )
    same = np.repeat(dataset.images[7:8], len(views), axis=0)  # image i is drawn as views[i]
    images = ImageBatches(same, statistics.mean, statistics.std, torch.device("cpu"))
    every = images.augmented(np.arange(len(views)), draws, recipe)
    theirs = pictures(np.full(60, 7), train=True)
    nearest = torch.cdist(theirs.flatten(1), every.flatten(1), compute_mode=EXACT).min(dim=1)
    assert nearest.values.max() < 1e-3
    assert len(nearest.indices.unique()) > 5


def test_seeds_give_other_weights_and_the_same_seed_the_same(case, entry):
    again = open_entry(case, "float32", [0], seed=3, workers=0)
    other = open_entry(case, "float32", [0], seed=4, workers=0)
    first, second, third = (
        next(iter(opened.module(0).parameters())) for opened in (entry, again, other)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
