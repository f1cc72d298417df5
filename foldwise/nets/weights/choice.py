"""Choose the tensors of a checkpoint file that belong to a network, by their names or their order.

Training scripts save state_dicts under keys and prefixes of their own, several of them in a file.
The names of the network's tensors tell which is meant: a list of wrappers is not needed.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from foldwise.core.errors import first_few
from foldwise.files.dataset import NO_IMAGES, RGB
from foldwise.files.layers import WeightSource
from foldwise.nets.adapt import find_grids
from foldwise.nets.network import covers
from foldwise.nets.weights.checkpoint import SHOWN, StateDict, WeightsError
from foldwise.nets.weights.sources import CheckpointFile
from foldwise.nets.weights.tensors import TrainedOn

OPTIONAL = "num_batches_tracked"  # of BatchNorm, not used; old files of torchvision lack it
MINIMUM_MATCH = 90  # percent of the tensors; fewer mean that the checkpoint is of another network
DTYPES = {  # that can be converted, unlike complex, quantised and packed numbers
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}
INSERTED = {"module", "_orig_mod"}  # into names, by DataParallel and by torch.compile
# Of equal weights: averages over the training first, momentum encoders and optimisers last.
AVERAGED = re.compile(r"(^|[._])(ema|swa|averaged|teacher)([._]|$)")
SECONDARY = re.compile(r"(^|[._])(encoder_k|optim\w*|exp_avg\w*)([._]|$)")
LAST_NAMES = {"weight", "bias", "running_mean", "running_var"}
RENAME = "set base to the architecture that was trained, or rename the tensors of the file"


@dataclass(frozen=True)
class SourceNetwork:
    """The whole network from which weights are taken.

    Attributes:
        title: Its name, for messages.
        tensors: Its state_dict, in its order, on the meta device.
        heads: Modules whose width is the number of classes.
        input_kernels: Names of the kernels whose input is the image.
    """

    title: str
    tensors: Mapping[str, Tensor]
    heads: Sequence[str]
    input_kernels: frozenset[str]


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint file that were chosen for a network.

    Attributes:
        title: Name of the source, for the card.
        sha256: SHA-256 of the file.
        state_dict: Values by their names in the network, not checked yet.
        trained_on: Its training images; None if unknown.
        key: The keys and the prefix under which they are in the file; "" without any.
        other_keys: Keys of other tensors that match as well.
        remedy: What to do if they do not match.
        is_by_order: Whether they were matched by their order.
        seen: Digests of all images that the file has seen; empty if unknown.
    """

    title: str
    sha256: str
    state_dict: StateDict
    trained_on: TrainedOn | None
    key: str = ""
    other_keys: tuple[str, ...] = ()
    remedy: str = RENAME
    is_by_order: bool = False
    seen: NDArray[np.uint64] = field(default_factory=lambda: NO_IMAGES)


@dataclass(frozen=True)
class _Choice:
    """Tensors with a common prefix, and how many of them have a name and shape of the network."""

    path: str
    prefix: str
    state: StateDict
    fitting: int = 0
    named: int = 0

    @property
    def key(self) -> str:
        return _join(self.path, self.prefix).rstrip(".")

    @property
    def rank(self) -> int:
        return bool(AVERAGED.search(self.key)) - bool(SECONDARY.search(self.key))

    @property
    def tensors(self) -> StateDict:
        start = self.prefix
        return {n.removeprefix(start): v for n, v in self.state.items() if n.startswith(start)}


def choose_tensors(
    file: CheckpointFile, source: WeightSource, network: SourceNetwork
) -> Checkpoint:
    """Return the tensors of a file that belong to a network.

    By name: the keys and the prefix with which most names and shapes are those of the network.
    Of equal matches, averaged weights (EMA, teacher) come first, then the first in the file.
    By order: all tensors, if they have the shapes of all of the network in its order.

    Raises:
        WeightsError: If the file has nothing under `weights_key`, or its order does not match.
    """
    states = _below(file.states, source.weights_key, network)
    if source.weights_match == "order":
        return _choose_by_order(file, states, network)
    choices = [choice for path in states for choice in _choices(path, states[path], network)]
    best = max(choices, key=lambda choice: (choice.fitting, choice.named, choice.rank))
    if 100 * best.fitting < (100 - MINIMUM_MATCH) * len(network.tensors):  # other names: show most
        path = max(states, key=lambda path: len(states[path]))
        best = _Choice(path, "", states[path])
    least = max(1, best.fitting * MINIMUM_MATCH / 100)
    others = _keys(best, *(choice for choice in choices if choice.fitting >= least))[1:]
    return Checkpoint(
        file.title,
        file.sha256,
        best.tensors,
        file.trained_on,
        best.key,
        tuple(others),
        _remedy(file, states, network, best.fitting),
        seen=file.seen,
    )


def _remedy(
    file: CheckpointFile, states: dict[str, StateDict], network: SourceNetwork, fitting: int
) -> str:
    """Return what to do if too few names match."""
    is_enough = 100 * fitting >= MINIMUM_MATCH * len(_in_order(network.tensors))
    if is_enough or not file.has_order or all(_order_problem(s, network) for s in states.values()):
        return RENAME
    return "the network has the same shapes in the same order: set weights_match: order"


def _below(
    states: dict[str, StateDict], key: str | None, network: SourceNetwork
) -> dict[str, StateDict]:
    """Return the tensors whose keys and names begin with a key; all of them without a key."""
    if key is None:
        return states
    if key in states:
        return {key: states[key]}
    for path, state in states.items():
        for renamed in _renamed(state):
            names = {_join(path, name): value for name, value in renamed.items()}
            inner = {
                n.removeprefix(f"{key}."): v for n, v in names.items() if n.startswith(f"{key}.")
            }
            if inner:
                return {key: inner}
    choices = [choice for path in states for choice in _choices(path, states[path], network)]
    choices.sort(key=lambda choice: -choice.fitting)
    known = _keys(*(choice for choice in choices if choice.fitting)) or list(states)
    listed = first_few(list(map(repr, known)), SHOWN)
    raise WeightsError(f"weights_key is {key!r}; the file has {listed}")


def _keys(*choices: _Choice) -> list[str]:
    """Return the keys of choices, the first of those that differ in inserted parts only."""
    keys: dict[str, str] = {}
    for choice in choices:
        keys.setdefault(_plain(choice.key), choice.key)
    return list(keys.values())


def _choices(path: str, state: StateDict, network: SourceNetwork) -> Iterator[_Choice]:
    """Yield a choice for each prefix before which some name of the network stands."""
    for renamed in _renamed(state):
        fitting, named = Counter({"": 0}), Counter({"": 0})
        for name, value in renamed.items():
            starts = [0, *(match.end() for match in re.finditer(r"\.", name))]
            for start in starts:
                expected = network.tensors.get(name[start:])
                if expected is None or name.endswith(OPTIONAL):
                    continue
                named[name[:start]] += 1
                fitting[name[:start]] += problem_of(value, expected, set()) is None
        for prefix, n_named in named.items():
            yield _Choice(path, prefix, renamed, fitting[prefix], n_named)


def _renamed(state: StateDict) -> Iterator[StateDict]:
    """Yield a state_dict as it is, then without what wrappers of modules insert into names."""
    yield state
    plain = {_plain(name): value for name, value in state.items()}
    if len(plain) == len(state) and plain.keys() != state.keys():
        yield plain


def _plain(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in INSERTED)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _choose_by_order(
    file: CheckpointFile, states: dict[str, StateDict], network: SourceNetwork
) -> Checkpoint:
    if not file.has_order:
        raise WeightsError(
            "weights_match is order, but safetensors sorts tensors by their names; give a file of "
            "torch.save, or leave weights_match out"
        )
    choices = [_Choice(path, "", state) for path, state in states.items()]
    choices.sort(key=lambda choice: (-choice.rank, -len(choice.state)))
    problems = [_order_problem(choice.state, network) for choice in choices]
    fitting = [choice for choice, problem in zip(choices, problems, strict=True) if not problem]
    if not fitting:
        raise WeightsError(
            f"weights_match is order, but {problems[0]}; set base to the architecture that was "
            "trained"
        )
    names = (name for name, _ in _in_order(network.tensors))
    values = (value for _, value in _in_order(fitting[0].state))
    key, *others = (choice.key for choice in fitting)
    return Checkpoint(
        file.title,
        file.sha256,
        dict(zip(names, values, strict=True)),
        file.trained_on,
        key,
        tuple(others),
        is_by_order=True,
        seen=file.seen,
    )


def _in_order(state: Mapping[str, object]) -> list[tuple[str, Tensor]]:
    return [
        (name, value)
        for name, value in state.items()
        if isinstance(value, Tensor) and not name.endswith(OPTIONAL)
    ]


def _order_problem(state: StateDict, network: SourceNetwork) -> str | None:
    """Return the first difference between the tensors of a file and those of a network."""
    pairs = zip_longest(_in_order(state), _in_order(network.tensors))
    for number, (here, there) in enumerate(pairs, start=1):
        if here is None or there is None:
            name, _ = here or there
            place = "the file has" if there is None else f"{network.title} has"
            return f"only {place} a tensor {number}, {name}"
        (name, tensor), (expected_name, expected) = here, there
        if covers(network.heads, expected_name) and tensor.dim() == expected.dim():
            expected = expected.new_empty((tensor.shape[0], *expected.shape[1:]))
        # Published weights were trained on images in colour.
        channels = {RGB} if expected_name in network.input_kernels else set()
        problem = problem_of(tensor, expected, channels)
        last = {name.rpartition(".")[2], expected_name.rpartition(".")[2]}
        if problem or (len(last) > 1 and last <= LAST_NAMES):
            difference = f"{name} {problem}" if problem else name
            return f"tensor {number} is {difference}, where {network.title} has {expected_name}"
    return None


def problem_of(tensor: object, expected: Tensor, channels: set[int]) -> str | None:
    """Return why a value does not fit; None if it fits.

    Args:
        tensor: Value in the checkpoint.
        expected: Tensor of the network.
        channels: Further numbers of channels from which a kernel can be adapted.
    """
    if tensor is None:
        return "is missing"
    if not (isinstance(tensor, Tensor) and _is_dense(tensor)):
        return "is not a dense tensor"
    is_float = tensor.dtype.is_floating_point
    if tensor.dtype not in DTYPES or is_float != expected.dtype.is_floating_point:
        return f"is of type {tensor.dtype}, not {expected.dtype}"
    shape = expected.shape
    shapes = {shape, *((shape[0], number, *shape[2:]) for number in channels)}
    if tuple(tensor.shape) not in shapes and not (is_float and find_grids(tensor.shape, shape)):
        return f"has shape {tuple(tensor.shape)}, not {tuple(shape)}"
    return None


def _is_dense(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_meta and not tensor.is_nested
