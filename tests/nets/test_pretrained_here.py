from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from foldwise.files.network import ChannelStatistics, read_network
from foldwise.nets.network import construct
from foldwise.nets.weights.tensors import (
    TrainedOn,
    digest_weights,
    read_initial_weights,
    write_trained_weights,
)

DIGITS = TrainedOn(data="digits", channels=1, height=28, width=28, mean=[0.3], std=[0.4])


@pytest.fixture
def own_weights(begin, tmp_path, weights_file):
    """Write what a fold of lenet5 trained on grey digits."""

    def own_weights(**settings):
        torch.manual_seed(3)
        network = begin("lenet5", 1, 28, **settings).network
        write_trained_weights(tmp_path / "0-0", construct(network, {}).state_dict(), DIGITS)
        path = tmp_path / "0-0" / "weights.safetensors"
        return weights_file(path.read_bytes(), "trained.safetensors")

    return own_weights


def test_own_weights_go_round(begin, own_weights):
    said = own_weights()
    started = begin("lenet5", 1, 28, **said)
    trained = load_file(said["weights"])
    assert started.weights.keys() == trained.keys() - {"12.weight", "12.bias"}
    assert all(torch.equal(one, trained[name]) for name, one in started.weights.items())
    assert started.network.normalisation == ChannelStatistics(mean=[0.3], std=[0.4])
    assert started.findings.cautions == []
    assert started.findings.loaded[0].unexpected_keys == ["12.bias", "12.weight"]


def test_own_weights_fit_other_channels(begin, own_weights):
    started = begin("lenet5", 3, 28, **own_weights())
    assert started.weights["1.weight"].shape == (6, 3, 5, 5)
    assert started.network.normalisation == ChannelStatistics(mean=[0.3] * 3, std=[0.4] * 3)
    (caution,) = started.findings.cautions
    assert caution.endswith("1 channel, not 3")


def test_own_weights_of_a_composition_fill_the_same_composition(begin, tmp_path, weights_file):
    layers = {"layers": [{"conv": 8}, "batch_norm", "relu", "global_average_pool", "linear"]}
    torch.manual_seed(3)
    state = construct(begin("net", 1, 28, **layers).network, {}).state_dict()
    write_trained_weights(tmp_path / "0-0", state, DIGITS)
    content = (tmp_path / "0-0" / "weights.safetensors").read_bytes()
    started = begin("net", 1, 28, **layers, **weights_file(content))
    assert started.weights.keys() == state.keys() - {"linear.weight", "linear.bias"}


def test_normalisation_can_be_each_folds_own_nevertheless(begin, own_weights):
    started = begin("lenet5", 1, 28, normalisation="folds", **own_weights())
    assert started.network.normalisation is None
    (caution,) = started.findings.cautions
    assert "mean 0.3 and std 0.4" in caution


def test_build_stores_what_train_starts_from(build, own_weights):
    said = own_weights()
    folder, _ = build("lenet5", 1, 28, architectures={"lenet5": {"policy": "finetune", **said}})
    trained = load_file(said["weights"])
    Path(said["weights"]).unlink()
    stored = read_initial_weights(folder)
    assert all(torch.equal(one, trained[name]) for name, one in stored.items())
    assert read_network(folder).weights_sha256 == digest_weights(stored)


def test_build_without_weights_leaves_none_of_an_earlier_one(build, own_weights):
    folder, _ = build("lenet5", 1, 28, architectures={"lenet5": own_weights()})
    assert (folder / "weights.safetensors").exists()
    build("lenet5", 1, 28)
    assert not (folder / "weights.safetensors").exists()
    assert read_initial_weights(folder) == {}


def test_cautions_are_printed(build, own_weights, capsys):
    build("lenet5", 3, 28, architectures={"lenet5": own_weights()})
    assert "build: caution: " in capsys.readouterr().out
