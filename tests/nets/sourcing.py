"""Sources of weights for tests."""

import hashlib
import io

import pytest
import torch
from torchvision.models import get_model

from foldwise.core.errors import InputError
from foldwise.files.layers import WeightSource
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.choice import SourceNetwork

STATE = {"one.weight": torch.arange(6.0).reshape(2, 3), "one.bias": torch.ones(2)}
PAGE = b"\n<!DOCTYPE html><html><title>Log in</title></html>"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def saved(content, **how):
    """Return what torch writes of something."""
    stream = io.BytesIO()
    torch.save(content, stream, **how)
    return stream.getvalue()


def source_of(weights, content=None, *, trust_pickle=False):
    digest = None if content is None else sha256(content)
    return WeightSource(weights=str(weights), weights_sha256=digest, trust_pickle=trust_pickle)


def network_like(state, heads=()):
    """Return a network with the tensors of a state."""
    return SourceNetwork("net", state, heads, frozenset())


def rejection(call, *args, error=WeightsError, **kwargs):
    """Return the one line with which a call is rejected."""
    with pytest.raises(error) as caught:
        call(*args, **kwargs)
    message = str(caught.value)
    assert message.isprintable()
    assert "; " in message, "a remedy"
    return message


def refusal(begin, model, *shape, at="weights", **section):
    """Return the line with which an architecture is rejected; it names the key of the weights."""
    message = rejection(begin, model, *shape, error=InputError, **section)
    assert message.startswith(f"build.architectures.{model}.{at} is '")
    return message


def assert_same(state, expected=STATE):
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def weightless(name):
    """Return a state of the right shapes that makes a file of a few kilobytes."""
    with torch.device("meta"):
        made = get_model(name, weights=None).state_dict()
    return {key: torch.zeros((), dtype=one.dtype).expand(one.shape) for key, one in made.items()}


def in_front(state, *names):
    """Return the names of the tensors in some of a state's outermost modules."""
    return {name for name in state if name.split(".")[0] in names}


def counted(names):
    return {name for name in names if not name.endswith("num_batches_tracked")}
