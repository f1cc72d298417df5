"""Pretrained weights that have seen images of the comparison."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sourcing import rejection
from stage_calls import FOLDS, fit, judge, learn, make_data, write_params

from foldwise.core.errors import InputError
from foldwise.data.sources import open_digits
from foldwise.files.base import read_json
from foldwise.files.comparison import Comparison
from foldwise.files.dataset import read_digests, read_samples
from foldwise.files.network import read_card
from foldwise.files.verdict import Verdict
from foldwise.nets.weights.seen import count_seen
from foldwise.nets.weights.tensors import (
    TrainedOn,
    read_initial_seen,
    read_record,
    write_trained_weights,
)

DIGITS = TrainedOn(data="digits", channels=1, height=8, width=8, mean=[0.3], std=[0.4])
KEEPS = {"lenet5": {"keep_weights": True}}
WEIGHTS = "data/runs/lenet5/0-0/weights.safetensors"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Train lenet5 on a fold of 150 digits, and return the folder."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_params(KEEPS)
        make_data()
        fit("lenet5")
        learn("lenet5")
    return folder


@pytest.fixture
def in_project(project, monkeypatch):
    monkeypatch.chdir(project)


def starting_from(path, **section):
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return {"weights": str(path), "weights_sha256": digest, **section}


def refusal(name="warm", key="weights"):
    message = rejection(fit, name, error=InputError)
    assert message.startswith(f"build.architectures.{name}.{key} is '")
    assert "allow_seen: true" in message
    return message


@pytest.mark.usefixtures("in_project")
def test_weights_that_have_seen_validation_images_are_refused_in_any_layer():
    layers = [{"take": "lenet5[0:11]", **starting_from(WEIGHTS), "frozen": True}, "linear"]
    warm = starting_from(WEIGHTS, base="lenet5", policy="frozen")
    write_params({"warm": warm, "composed": {"layers": layers}})
    for message in (refusal(), refusal("composed", "layers.0.weights")):
        assert "100 of the 150 images" in message
        assert "0 of the 38 test images" in message


@pytest.mark.usefixtures("in_project")
def test_allowed_weights_hand_on_all_that_they_have_seen():
    section = {"base": "lenet5", "keep_weights": True, "allow_seen": True}
    write_params({"warm": starting_from(WEIGHTS, **section)})
    fit("warm")
    card = read_card(Path("reports/models/warm"))
    assert card.seen_images == 100
    assert "100 of the 150 images" in card.cautions[0]
    assert "kept out" in card.cautions[0]
    assert len(read_initial_seen(Path("data/models/warm"))) == 100
    second = learn("warm", fold=1)
    images = read_digests(Path("data/prepared")).train
    assert read_record(second.read_bytes()).digests.tolist() == sorted(images.tolist())
    initial = "data/models/warm/weights.safetensors"
    for path, n in ((initial, 100), (second, 150)):
        write_params({"third": starting_from(path, base="lenet5")})
        assert f"have seen {n} of the 150 images" in refusal("third")


def photos(images, labels):
    """Save images as PNG files of one or three channels in class folders."""
    for position, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = Path("photos", str(label), f"{position}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).convert("RGB" if position % 2 else "L").save(path)


def test_weights_of_another_data_set_that_shares_images_are_refused(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepared, digits = project / "data/prepared", open_digits()
    seen, used = read_digests(prepared).train, [*map(int, read_samples(prepared).files)]
    kernels = {"conv.weight": torch.ones(4, 1, 3, 3), "conv.bias": torch.ones(4)}
    write_trained_weights(Path("own"), kernels, DIGITS, seen)
    layers = [{"conv": 4}, "global_average_pool", "linear"]
    warm = starting_from("own/weights.safetensors", layers=layers)
    write_params({"warm": warm}, dataset="folder", root="photos", image_size=16, limit=None)
    shared = np.array([*used[:60], *np.setdiff1d(np.arange(200), used)[:40]])
    photos(digits.pixels[shared, :, :, 0], digits.labels[shared])
    make_data()
    train, test = count_seen(seen, read_digests(Path("data/prepared")))
    assert train + test == 60
    assert f"have seen {train} of the 80 images" in refusal()
    assert f"and {test} of the 20 test images" in refusal()
    photos(255 - digits.pixels[shared, :, :, 0], digits.labels[shared])
    make_data()
    fit("warm")
    assert read_card(Path("reports/models/warm")).seen_images == 0


@pytest.mark.slow  # 6 trainings: 5 s
@pytest.mark.usefixtures("in_project")
def test_what_has_seen_the_images_is_compared_and_not_chosen():
    warm = starting_from(WEIGHTS, base="lenet5", policy="frozen", allow_seen=True)
    write_params(KEEPS | {"warm": warm}, ("lenet5", "warm"))
    for name in ("lenet5", "warm"):
        fit(name)
        for fold in FOLDS:
            learn(name, fold)
    judge()
    found = read_json(Path("reports/comparison.json"), Comparison)
    assert {each.name: each.seen_images for each in found.finished} == {"lenet5": 0, "warm": 100}
    verdict = read_json(Path("reports/verdict.json"), Verdict)
    assert (verdict.chosen, verdict.best) == ("lenet5", "lenet5")
    assert "warm is kept out" in verdict.text
