"""Damaged files of weights: each either loads or is refused in one line."""

import random
import resource
from collections import Counter

import pytest
import torch
from safetensors.torch import save
from sourcing import network_like, saved, source_of

from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.choice import choose_tensors
from foldwise.nets.weights.matching import Target, match_tensors
from foldwise.nets.weights.sources import open_checkpoint
from foldwise.nets.weights.tensors import METADATA_KEY, TrainedOn

STATE = {
    "0.weight": torch.linspace(-1, 1, 36).reshape(4, 1, 3, 3),
    "1.running_mean": torch.zeros(4),
    "1.num_batches_tracked": torch.tensor(3),
    "2.weight": torch.ones(2, 4, dtype=torch.float16),
}
TARGET = Target(
    layer="",
    title="the network",
    architecture="resnet18",
    prefix="",
    tensors={name: tensor.to("meta").float() for name, tensor in STATE.items()},
    input_kernels=frozenset({"0.weight"}),
)
RECORD = TrainedOn(data="digits", channels=1, height=8, width=8, mean=[0.3], std=[0.4])
FILES = {
    "w.pt": saved(STATE),
    "wrapped.pt": saved({"model": STATE, "epoch": 3, "args": {"lr": 0.1}}),
    "old.pth": saved(STATE, _use_new_zipfile_serialization=False),
    "w.safetensors": save(STATE, {METADATA_KEY: RECORD.model_dump_json()}),
}
N_MUTANTS = 1500  # of each file
MAX_ADDRESSES = 16 * 2**30  # bytes; a mutant may ask for terabytes


def mutant_of(content, rng):
    """Cut the content, or change one to four bits or bytes, mostly where its structure is."""
    if rng.random() < 0.15:
        return content[: rng.randrange(len(content))]
    changed = bytearray(content)
    end = len(content) if rng.random() < 0.5 else min(len(content), 600)
    for _ in range(rng.choice([1, 1, 2, 4])):
        index = rng.randrange(end)
        bit = 1 << rng.randrange(8)
        changed[index] = changed[index] ^ bit if rng.random() < 0.7 else rng.randrange(256)
    return bytes(changed)


@pytest.fixture
def limited_memory():
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESSES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.slow
@pytest.mark.usefixtures("limited_memory")
@pytest.mark.parametrize("trust_pickle", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_damaged_file_loads_or_is_refused_in_one_line(tmp_path, name, trust_pickle):
    rng = random.Random(f"{name} {trust_pickle}")
    counts = Counter([outcome(tmp_path / name, FILES[name], trust_pickle=trust_pickle)])
    assert counts == {"loaded": 1}
    for _ in range(N_MUTANTS):
        mutant = mutant_of(FILES[name], rng)
        counts[outcome(tmp_path / name, mutant, trust_pickle=trust_pickle)] += 1
    print(f"{name}, trust_pickle={trust_pickle}: {dict(counts)}")  # noqa: T201 - for pytest -s
    assert counts["refused"] > N_MUTANTS / 10
    assert counts.total() == 1 + N_MUTANTS


def outcome(path, content, *, trust_pickle):
    path.write_bytes(content)
    source = source_of(path, content, trust_pickle=trust_pickle)
    try:
        file = open_checkpoint(source, "resnet18")
        match_tensors(TARGET, choose_tensors(file, source, network_like(STATE)))
    except WeightsError as error:
        message = str(error)
        assert message.isprintable()
        assert "; " in message
        assert len(message) < 3000
        return "refused"
    return "loaded"
