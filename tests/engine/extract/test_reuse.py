"""Training on features is training behind the cut, only faster."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from foldwise.data.split import split_dataset
from foldwise.files.dataset import read_dataset
from foldwise.files.fold_record import read_record
from foldwise.files.network import read_network, write_network
from foldwise.files.race import FoldDecision, write_decision
from foldwise.files.split import write_split
from foldwise.files.tuning import write_rate
from foldwise.nets.weights.tensors import read_initial_weights
from stages.extract import main as extract
from stages.train import main as train

TRAIN = {"epochs": 3, "batch_size": 8, "learning_rate": 0.01, "weight_decay": 0.05, "warmup": 0.25}
OFF = {"shift": 0}


def race_flags(folder):
    return ["--race", str(folder / "race.json"), "--first", str(folder / "first")]


@pytest.fixture
def train_fold(case, tmp_path):
    """Run extract and train; return the record and the weights that were kept."""

    def train_fold(most, **section):
        flags = case(most=most, augment=OFF, keep_weights=True, **section)
        params = yaml.safe_load((tmp_path / "params.yaml").read_text()) | {"train": TRAIN}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
        split = split_dataset(read_dataset(tmp_path / "prepared"), np.arange(34), 3, 0)
        write_split(tmp_path / "split", split)
        extract(flags)
        paths = {"split": "split", "features": "features", "predictions": "run"}
        more = [str(x) for flag, name in paths.items() for x in (f"--{flag}", tmp_path / name)]
        more += ["--record", str(tmp_path / "record.json"), "--repeat", "0", "--fold", "1"]
        write_rate(tmp_path / "rate.json", TRAIN["learning_rate"])
        more += ["--forecast", str(tmp_path / "none.json"), "--rate", str(tmp_path / "rate.json")]
        write_decision(tmp_path / "race.json", FoldDecision())
        train([*flags[:-4], *more, *race_flags(tmp_path)])
        weights = load_file(tmp_path / "run" / "weights.safetensors")
        return read_record(tmp_path / "record.json"), weights

    return train_fold


@pytest.mark.parametrize(
    "section",
    [
        pytest.param({"policy": "frozen"}, id="head"),
        pytest.param({"frozen": ["[0:14]"]}, id="upper half", marks=pytest.mark.slow),
        pytest.param(
            {"policy": "frozen", "thaw": [{"at_epoch": 2, "layers": ["[14:20]"]}]},
            id="thawed",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_features_change_the_time_and_nothing_else(train_fold, section):
    with_features, kept = train_fold(1.0, **section)
    without, whole = train_fold(0.0, **section)
    for one, other in zip(with_features.curves, without.curves, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-3)
        assert one.validation_loss == pytest.approx(other.validation_loss, rel=1e-3)
    assert kept.keys() == whole.keys()


@pytest.mark.parametrize("most", [1.0, pytest.param(0.0, marks=pytest.mark.slow)])
def test_what_is_frozen_is_kept_to_the_bit_and_the_rest_has_trained(train_fold, tmp_path, most):
    _, kept = train_fold(most, frozen=["[0:14]"])
    start = read_initial_weights(tmp_path / "network")
    moved = {name.split(".")[0] for name in kept if not torch.equal(kept[name], start[name])}
    assert moved == {"14", "15", "17", "18", "22"}


def test_nothing_is_kept_unless_asked(train_fold, case, tmp_path):
    train_fold(1.0, policy="frozen")
    network = read_network(tmp_path / "network").model_copy(update={"keep_weights": False})
    write_network(tmp_path / "network", network)
    flags = {
        "params": "params.yaml",
        "dataset": "prepared",
        "recipe": "augmented",
        "network": "network",
        "split": "split",
        "features": "features",
        "rate": "rate.json",
        "predictions": "run",
        "record": "record.json",
    }
    paths = [str(x) for flag, name in flags.items() for x in (f"--{flag}", tmp_path / name)]
    more = ["--forecast", str(tmp_path / "none.json")]
    train([*paths, "--repeat", "0", "--fold", "1", *more, *race_flags(tmp_path)])
    assert not (tmp_path / "run" / "weights.safetensors").exists()
