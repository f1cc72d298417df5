import numpy as np
import pytest
import yaml
from dataset_info import info_of

from foldwise.data.split import split_dataset
from foldwise.files.dataset import Dataset, Samples, create_images, write_dataset, write_digests
from foldwise.files.features import FeaturesInfo, write_features_info
from foldwise.files.network import HyperParameters, Network, write_network
from foldwise.files.params import AugmentSection
from foldwise.files.race import FoldDecision, write_decision
from foldwise.files.split import write_recipe, write_split
from foldwise.files.tuning import write_rate

SECTION = {
    "epochs": 2,
    "batch_size": 16,
    "learning_rate": 0.003,
    "weight_decay": 0.05,
    "warmup": 0.25,
}
HARDWARE = {"precision": "auto", "device": "cpu", "threads": 1}
NO_FEATURES = FeaturesInfo(views=[], dtype="float32", reason="every layer trains")
AUGMENT = {"shift": 0.1, "flip": 0.5, "rotation": 0, "erase": 0, "brightness": 0, "contrast": 0}


@pytest.fixture
def case(tmp_path):
    """Write a small data set of two classes that differ in brightness, split in three folds."""
    n, n_test, size = 96, 6, 16
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(n + n_test) % 2)
    images = create_images(tmp_path / "prepared", (n + n_test, size, size, 1))
    images[:] = rng.integers(0, 100, images.shape) + 120 * labels[:, None, None, None]
    is_test = np.arange(n + n_test) >= n
    samples = Samples([str(i) for i in range(len(labels))], labels, np.arange(len(labels)), is_test)
    info = info_of(["dark", "bright"], (size, size, 1), n, n_test)
    write_dataset(tmp_path / "prepared", info, samples)
    write_digests(tmp_path / "prepared", np.arange(n + n_test, dtype=np.uint64))
    split = split_dataset(Dataset(info, images, labels), samples.groups, 3, 0)
    write_split(tmp_path / "split", split)
    write_recipe(tmp_path / "augmented", AugmentSection(**AUGMENT))
    return tmp_path


@pytest.fixture
def flags(case):
    """Return a function that writes params and a network and returns the flags of train."""

    def flags(model="lenet5", fold=0, name="one", frozen=(), overrides=None, **section):
        params = case / "params.yaml"
        given = {key: section.pop(key) for key in HARDWARE if key in section}
        content = {"train": SECTION | section, "hardware": HARDWARE | given}
        params.write_text(yaml.safe_dump(content))
        own = model in ("lenet5", "slim_vgg", "vgg_resnet")
        network = Network(
            name=model,
            builder=f"zoo.{model}" if own else "from_library",
            settings={} if own else {"name": model},
            channels=1,
            height=16,
            width=16,
            n_classes=2,
            heads=[],
            frozen=list(frozen),
            thaw=[],
            cut=None,
            normalisation=None,
            keep_weights=False,
            training=HyperParameters(**overrides or {}),
            code={},
            weights_sha256=None,
        )
        write_network(case / "network", network)
        write_features_info(case / "features", NO_FEATURES)
        rate = network.training.learning_rate or content["train"]["learning_rate"]
        write_rate(case / "rate.json", 0.002 if rate == "auto" else rate)
        write_decision(case / "race.json", FoldDecision())
        paths = {
            "params": params,
            "dataset": case / "prepared",
            "split": case / "split",
            "recipe": case / "augmented",
            "network": case / "network",
            "features": case / "features",
            "rate": case / "rate.json",
            "predictions": case / name / "run",
            "record": case / name / "record.json",
            "forecast": case / "none" / "minutes.json",
            "race": case / "race.json",
            "first": case / "first",
            "repeat": 0,
            "fold": fold,
        }
        return [str(one) for flag, value in paths.items() for one in (f"--{flag}", value)]

    return flags
