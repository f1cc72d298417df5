import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from foldwise.core.errors import InputError
from foldwise.files.network import HyperParameters, Network, write_network
from foldwise.nets.weights.tensors import (
    TrainedOn,
    WeightRecord,
    digest_weights,
    read_initial_weights,
    read_record,
    write_initial_weights,
    write_trained_weights,
)

WEIGHTS = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.steps": torch.tensor(5)}
SCRATCH = Network(
    name="lenet5",
    builder="zoo.lenet5",
    settings={},
    channels=1,
    height=28,
    width=28,
    n_classes=2,
    heads=[],
    frozen=[],
    thaw=[],
    cut=None,
    normalisation=None,
    training=HyperParameters(),
    keep_weights=False,
    code={},
    weights_sha256=None,
)
PRETRAINED = SCRATCH.model_copy(update={"weights_sha256": digest_weights(WEIGHTS)})
TRAINED_ON = TrainedOn(data="made", channels=1, height=8, width=9, mean=[0.25], std=[0.5])


def write(folder, network, weights):
    write_network(folder, network)
    write_initial_weights(folder, weights)


def test_weights_are_read_bit_by_bit(tmp_path):
    write(tmp_path, PRETRAINED, WEIGHTS)
    read = read_initial_weights(tmp_path)
    assert set(read) == set(WEIGHTS)
    assert all(torch.equal(read[name], WEIGHTS[name]) for name in WEIGHTS)


def test_same_weights_are_the_same_bytes(tmp_path):
    write_initial_weights(tmp_path / "one", WEIGHTS)
    write_initial_weights(tmp_path / "two", dict(reversed(WEIGHTS.items())))
    one, two = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    assert hashlib.sha256(one).hexdigest() == digest_weights(WEIGHTS)


def test_network_from_scratch_has_no_weights(tmp_path):
    write(tmp_path, PRETRAINED, WEIGHTS)
    write(tmp_path, SCRATCH, {})
    assert read_initial_weights(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["network.json"]


def test_other_weights_than_named_are_refused(tmp_path):
    write(tmp_path, PRETRAINED, {**WEIGHTS, "bn.steps": torch.tensor(6)})
    message = r"weights.safetensors is missing or not .*network.json; run 'dvc repro'"
    with pytest.raises(InputError, match=message):
        read_initial_weights(tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=message):
        read_initial_weights(tmp_path)


def test_trained_weights_say_what_they_know(tmp_path):
    digests = np.array([3, 1], dtype=np.uint64), np.array([2, 3], dtype=np.uint64)
    write_trained_weights(tmp_path, WEIGHTS, TRAINED_ON, *digests)
    path = tmp_path / "weights.safetensors"
    record = read_record(path.read_bytes())
    assert record.trained_on == TRAINED_ON
    assert record.digests.tolist() == [1, 2, 3]  # each once, so that the order says nothing
    read = load_file(path)
    assert all(torch.equal(read[name], WEIGHTS[name]) for name in WEIGHTS)


def test_channels_last_weights_are_kept(tmp_path):
    kernel = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last)
    write_trained_weights(tmp_path, {"kernel": kernel}, TRAINED_ON)
    assert torch.equal(load_file(tmp_path / "weights.safetensors")["kernel"], kernel)


def test_a_fold_that_keeps_nothing_removes_what_an_earlier_one_left(tmp_path):
    write_trained_weights(tmp_path, WEIGHTS, TRAINED_ON)
    write_trained_weights(tmp_path, None, TRAINED_ON)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_say_nothing(tmp_path):
    save_file(WEIGHTS, tmp_path / "other.safetensors")
    assert read_record((tmp_path / "other.safetensors").read_bytes()) == WeightRecord()


def test_files_of_versions_without_single_images_say_the_rest(tmp_path):
    save_file(WEIGHTS, tmp_path / "old.safetensors", {"foldwise": TRAINED_ON.model_dump_json()})
    record = read_record((tmp_path / "old.safetensors").read_bytes())
    assert (record.trained_on, record.digests.tolist()) == (TRAINED_ON, [])
