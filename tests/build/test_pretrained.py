import os
import pickle
from pathlib import Path

import pytest
import torch

from stages.build.network import construct
from stages.build.pretrained import read_pretrained
from stages.contracts.command import InputError

FROZEN = ("conv1", "bn1", "layer1", "layer2")


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


@pytest.fixture
def read(network_of, weights_file):
    def read(content, name="weights.safetensors", channels=3, **changes):
        said = weights_file(content, name) | changes
        network = network_of("resnet18_transfer", channels, 32)
        return read_pretrained(Path(said["weights"]), said["weights_sha256"], network)

    return read


def refusal(read, *given, **changes):
    with pytest.raises(InputError) as caught:
        read(*given, **changes)
    message = str(caught.value)
    assert message.startswith("build.architectures.resnet18_transfer.weights is '")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.pth"])
def test_frozen_part_is_taken_and_nothing_else(read, trained_state, name):
    taken = read(trained_state, name)
    expected = {key for key in trained_state if key.split(".")[0] in FROZEN}
    assert taken.keys() == expected
    assert all(torch.equal(taken[key], trained_state[key]) for key in taken)


def test_grey_images_get_the_sum_of_the_colours(read, trained_state):
    kernel = read(trained_state, channels=1)["conv1.weight"]
    assert torch.equal(kernel, trained_state["conv1.weight"].sum(1, keepdim=True))


def test_grey_kernel_fits_grey_images_as_it_is(read, trained_state):
    kernel = torch.randn(64, 1, 7, 7)
    state = trained_state | {"conv1.weight": kernel}
    assert torch.equal(read(state, channels=1)["conv1.weight"], kernel)
    assert "conv1.weight has shape (64, 1, 7, 7), not (64, 3, 7, 7)" in refusal(read, state)


def test_taken_part_can_be_constructed(read, network_of, trained_state):
    module = construct(network_of("resnet18_transfer", 1, 32), read(trained_state, channels=1))
    assert torch.equal(module.layer2[0].conv1.weight, trained_state["layer2.0.conv1.weight"])


def test_half_precision_becomes_single(read, trained_state):
    half = {
        name: one.half() if one.is_floating_point() else one for name, one in trained_state.items()
    }
    taken = read(half)
    assert taken["layer1.0.conv1.weight"].dtype == torch.float32
    assert torch.equal(taken["bn1.weight"], trained_state["bn1.weight"].half().float())


def test_files_without_batch_counters_are_taken(read, trained_state):
    old = {name: one for name, one in trained_state.items() if "num_batches" not in name}
    assert "bn1.running_mean" in read(old)


def test_wrong_hash_names_both(read, trained_state, weights_file):
    right = weights_file(trained_state)["weights_sha256"]
    message = refusal(read, trained_state, weights_sha256="0" * 64)
    assert f"whose SHA-256 is {right}, but " in message
    assert f"weights_sha256 is {'0' * 64}; " in message


def test_missing_file(read, trained_state):
    message = refusal(read, trained_state, weights="nowhere.pt")
    assert "'nowhere.pt', which cannot be read (No such file or directory)" in message


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("layer2.1.bn2.bias", None, "is missing"),
        ("conv1.weight", None, "is missing"),
        ("layer1.0.conv1.weight", torch.zeros(64, 64, 1, 1), "has shape (64, 64, 1, 1), not (64"),
        ("bn1.running_var", torch.full((64,), torch.nan), "is not finite"),
        ("conv1.weight", torch.full((64, 3, 7, 7), torch.inf), "is not finite"),
        ("bn1.weight", torch.ones(64, dtype=torch.float64) * 1e300, "is not finite"),
        ("bn1.weight", torch.ones(64, dtype=torch.int64), "is of type torch.int64, not torch.fl"),
        ("bn1.weight", torch.ones(64, dtype=torch.complex64), "is of type torch.complex64, not"),
    ],
)
def test_unfit_tensor_is_named(read, trained_state, name, change, problem):
    state = {key: one for key, one in trained_state.items() if key != name}
    if change is not None:
        state[name] = change
    assert f"where {name} {problem}" in refusal(read, state)


@pytest.mark.parametrize("change", [3, torch.ones(64).to_sparse(), torch.ones(64, device="meta")])
def test_what_is_no_dense_tensor_is_named(read, trained_state, change):
    state = trained_state | {"bn1.weight": change}
    assert "where bn1.weight is no dense tensor; give the " in refusal(read, state, "w.pt")


def test_unfit_tensor_that_is_not_taken_does_not_matter(read, trained_state):
    assert read(trained_state | {"fc.weight": torch.full((3, 3), torch.nan)})


@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_is_unpickled(read, tmp_path, protocol):
    canary = tmp_path / "canary"
    for content in (pickle.dumps(Evil(canary), protocol), {"conv1.weight": Evil(canary)}):
        message = refusal(read, content, "evil.pt")
        assert "holds something else than tensors or is damaged" in message
        assert not canary.exists()
    # The trap works: whoever unpickles it is caught.
    pickle.loads(pickle.dumps(Evil(canary), protocol))
    assert canary.exists()


def test_whole_saved_network_is_refused(read):
    message = refusal(read, torch.nn.Linear(2, 2), "model.pt")
    assert "save the state_dict of the network anew" in message


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x80\x02", b"PK\x03\x04"])
def test_what_is_no_file_of_weights_is_refused(read, suffix, content):
    assert "is damaged" in refusal(read, content, f"broken.{suffix}")


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_truncated_file_is_refused(read, weights_file, trained_state, suffix):
    whole = Path(weights_file(trained_state, f"whole.{suffix}")["weights"]).read_bytes()
    assert "is damaged" in refusal(read, whole[: len(whole) // 2], f"half.{suffix}")


def test_file_that_holds_no_names_is_refused(read):
    assert "holds a Tensor; expected a state_dict" in refusal(read, torch.ones(2), "one.pt")
