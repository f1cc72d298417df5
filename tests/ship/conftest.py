"""A small data set of two classes, and a final model of it that the real stages made."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from dataset_info import info_of

from foldwise.data.content import content_digest, short_digests
from foldwise.data.split import split_dataset
from foldwise.files.base import read_json, write_json
from foldwise.files.dataset import Dataset, Samples, create_images, write_dataset, write_digests
from foldwise.files.final import CalibrationRecord, Choice, FinalModel, write_out_of_fold
from foldwise.files.network import HyperParameters, Network, write_network
from foldwise.files.params import AugmentSection
from foldwise.files.split import write_recipe, write_split
from stages import calibrate, refit, test

N, N_TEST, SIDE = 48, 20, 12
SECTION = {"epochs": 9, "batch_size": 16, "learning_rate": 0.003}
SECTION |= {"weight_decay": 0.05, "warmup": 0.25}
HARDWARE = {"precision": "float32", "device": "cpu", "threads": 1}
AUGMENT = {"shift": 0.1, "flip": 0.5, "rotation": 0, "erase": 0, "brightness": 0, "contrast": 0}
CHOICE = {
    "architecture": "slim_vgg",
    "epochs": 2,
    "members": 1,
    "coverage": 0.9,
    "repeat": 0,
    "expected": {
        **{"value": 0.9, "interval": [0.8, 1.01], "corrected": True, "metric": "accuracy"},
        **{"top_k": 3, "confidence": 0.95},
    },
    "preparation": {
        **{"height": SIDE, "width": SIDE, "channels": 1, "any_size": True, "resize": "crop"},
        **{"background": [255, 255, 255], "scale": None},
    },
}


def network_of(builder="zoo.slim_vgg", **settings):
    """Return the description of a network for the images of `write_comparison`."""
    facts = {
        **{"name": builder.rpartition(".")[2], "builder": builder, "settings": settings},
        **{"channels": 1, "height": SIDE, "width": SIDE, "n_classes": 2, "heads": []},
        **{"frozen": [], "thaw": [], "cut": None, "normalisation": None, "code": {}},
        **{"keep_weights": False, "weights_sha256": None, "training": HyperParameters()},
    }
    return Network(**facts)


def write_comparison(root, network=None, **changes):
    """Write what stage choose collects, and the data set.

    Args:
        root: An empty folder.
        network: Description of the network; None: slim_vgg.
        changes: Changed keys of choice.json.
    """
    rng = np.random.default_rng(0)
    n = N + N_TEST
    labels = rng.permutation(np.arange(n) % 2)
    images = create_images(root / "prepared", (n, SIDE, SIDE, 1))
    images[:] = rng.integers(0, 160, images.shape) + 40 * labels[:, None, None, None]
    samples = Samples([f"{i}.png" for i in range(n)], labels, np.arange(n), np.arange(n) >= N)
    info = info_of(["dark", "bright"], (SIDE, SIDE, 1), N, N_TEST)
    write_dataset(root / "prepared", info, samples)
    write_digests(root / "prepared", short_digests([content_digest(image) for image in images]))
    choice = Choice.model_validate_json(json.dumps(CHOICE | changes))
    write_json(root / "choice" / "choice.json", choice)
    split = split_dataset(Dataset(info, images, labels), samples.groups, 3, 0)
    write_split(root / "choice" / "split", split)
    write_recipe(root / "choice" / "recipe", AugmentSection(**AUGMENT))
    write_network(root / "choice" / "network", network or network_of())
    logits = rng.normal(size=(1, N, 2)) + 3 * np.eye(2)[labels[:N]]
    write_out_of_fold(root / "choice", logits.astype(np.float32), labels[:N])
    params = {"train": SECTION, "hardware": HARDWARE}
    (root / "params.yaml").write_text(yaml.safe_dump(params))


def flags(root, **names):
    """Return the options of a stage: names below the root."""
    return [str(word) for flag, name in names.items() for word in (f"--{flag}", root / name)]


def run_refit(root):
    """Train the final model."""
    names = {"params": "params.yaml", "choice": "choice", "dataset": "prepared"}
    refit.main(flags(root, **names, model="model", record="refit.json"))


def run_test(root, record="final/test.json"):
    """Calibrate and test the final model."""
    calibrate.main(flags(root, choice="choice", output="calibration.json"))
    names = {"params": "params.yaml", "choice": "choice", "dataset": "prepared", "model": "model"}
    test.main(flags(root, **names, calibration="calibration.json", output=record))


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """Return the folder of a final model that was refitted, calibrated and tested; read only."""
    root = tmp_path_factory.mktemp("shipped")
    write_comparison(root)
    run_refit(root)
    run_test(root)
    return root


@pytest.fixture(scope="session")
def folder(shipped, tmp_path_factory):
    """Return a calibrated model; read only."""
    folder = tmp_path_factory.mktemp("model") / "export"
    shutil.copytree(shipped / "model", folder)
    calibrated = read_json(shipped / "calibration.json", CalibrationRecord).calibrated
    model = read_json(folder / "model.json", FinalModel)
    write_json(folder / "model.json", model.model_copy(update={"calibrated": calibrated}))
    return folder


@pytest.fixture
def changed(folder, tmp_path):
    """Copy the model, with other keys in model.json."""

    def changed(**keys):
        shutil.copytree(folder, tmp_path / "changed")
        path = tmp_path / "changed" / "model.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))
        return tmp_path / "changed"

    return changed


@pytest.fixture
def made():
    """Return the functions above."""
    return SimpleNamespace(
        write_comparison=write_comparison,
        network_of=network_of,
        flags=flags,
        run_refit=run_refit,
        run_test=run_test,
    )
