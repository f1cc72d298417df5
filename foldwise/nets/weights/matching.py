"""Tensors of a source, fitted into a part of the network one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from foldwise.core.errors import InputError
from foldwise.nets.adapt import adapt_kernel
from foldwise.nets.weights.sources import WeightFile

# A counter that BatchNorm does not read; files of torchvision's early days lack it.
OPTIONAL = "num_batches_tracked"
ENOUGH = 90  # percent of a part's tensors; with fewer, these are another network's weights
COLOURS = 3  # channels of the images that published weights know
SHOWN = 3  # problems in one message


@dataclass(frozen=True)
class TargetTensors:
    """What one source is to fill.

    Attributes:
        into: The layer of a composition; "" for the whole network.
        title: What is filled, for errors.
        architecture: Whose weights it takes.
        prefix: Before the names of its tensors in the source.
        wanted: Its tensors by their names in the network; on the meta device.
        kernels: Names of the kernels that see the image.
    """

    into: str
    title: str
    architecture: str
    prefix: str
    wanted: Mapping[str, Tensor]
    kernels: frozenset[str]

    def in_source(self, name: str) -> str:
        """Return the name that a tensor of the network has in the source."""
        return self.prefix + (name.removeprefix(f"{self.into}.") if self.into else name)


@dataclass
class Match:
    """What a source has for a part.

    Attributes:
        tensors: What fits, by its name in the network.
        problems: What does not, by its name in the network: what is wrong with it.
        not_finite: Names in the source of what fits and holds a NaN or an infinity.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    not_finite: list[str] = field(default_factory=list)

    @property
    def matched(self) -> list[str]:
        """Return the names of what fits, counters left aside."""
        return [name for name in self.tensors if not name.endswith(OPTIONAL)]


def seeing_kernels(module: nn.Module, channels: int) -> frozenset[str]:
    """Return the kernels that take as many channels as the image has: those that may see it."""
    return frozenset(
        f"{name}.weight"
        for name, part in module.named_modules()
        if isinstance(part, nn.Conv2d) and part.groups == 1 and part.in_channels == channels
    )


def match_tensors(part: TargetTensors, source: WeightFile) -> Match:
    """Return what a source has for a part, single precision where the network has that.

    A kernel that sees the image is adapted to its channels, from three or from as many as the
    source says that it was trained on. Each tensor has its own memory.

    Args:
        part: What to fill.
        source: With what.

    Raises:
        InputError: If fewer than 90 % of the part's tensors fit, or one that fits is not finite.
    """
    known = {COLOURS} if source.trained_on is None else {COLOURS, source.trained_on.channels}
    match = Match()
    for name, wanted in part.wanted.items():
        tensor = source.state.get(part.in_source(name))
        problem = _problem(tensor, wanted, known if name in part.kernels else set())
        if isinstance(tensor, Tensor) and not problem:
            match.tensors[name] = _fitted(tensor, wanted)
        elif not name.endswith(OPTIONAL):
            match.problems[name] = f"{part.in_source(name)} {problem}"
    match.not_finite += [
        part.in_source(name) for name, one in match.tensors.items() if not one.isfinite().all()
    ]
    _require_enough(part, match, source)
    _require_finite(match, source)
    return match


def some(problems: list[str]) -> str:
    """Return the first of some problems, and how many more there are."""
    more = len(problems) - SHOWN
    return ", ".join(problems[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _problem(tensor: object, wanted: Tensor, channels: set[int]) -> str | None:
    """Return what is wrong with a tensor of the source, after its name; None if nothing is.

    Args:
        tensor: Of the source.
        wanted: The network's own.
        channels: Others than its own that a kernel may have.
    """
    if tensor is None:
        return "is missing"
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return "is no dense tensor"
    if tensor.dtype.is_floating_point != wanted.dtype.is_floating_point:
        return f"is of type {tensor.dtype}, not {wanted.dtype}"
    if tuple(tensor.shape) not in _shapes(wanted, channels):
        return f"has shape {tuple(tensor.shape)}, not {tuple(wanted.shape)}"
    return None


def _shapes(wanted: Tensor, channels: set[int]) -> Iterator[tuple[int, ...]]:
    yield tuple(wanted.shape)
    for number in channels:
        yield (wanted.shape[0], number, *wanted.shape[2:])


def _fitted(tensor: Tensor, wanted: Tensor) -> Tensor:
    given = tensor.detach().to(wanted.dtype)
    if given.shape != wanted.shape:
        given = adapt_kernel(given, wanted.shape[1])
    return given.clone(memory_format=torch.contiguous_format)


def _require_enough(part: TargetTensors, match: Match, source: WeightFile) -> None:
    n = len(match.matched)
    total = n + len(match.problems)
    if total == 0:
        raise InputError(
            f"{source.said}, but {part.title} has no tensors to take from there; leave them out"
        )
    if 100 * n < ENOUGH * total:
        raise InputError(
            f"{source.said}, which has {n} of the {total} tensors of {part.title} "
            f"({100 * n // total} %; expected {ENOUGH} % or more), where "
            f"{some(list(match.problems.values()))}; give weights of {part.architecture}"
        )


def _require_finite(match: Match, source: WeightFile) -> None:
    if match.not_finite:
        verb = "is" if len(match.not_finite) == 1 else "are"
        raise InputError(
            f"{source.said}, where {some(match.not_finite)} {verb} not finite; give the weights "
            "of a training that did not diverge"
        )
