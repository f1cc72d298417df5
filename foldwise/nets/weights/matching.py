"""Match the tensors of a checkpoint to a part of a network, and find what limits their use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from foldwise.core.errors import counted, first_few
from foldwise.files.dataset import PIXEL_MAX, RGB
from foldwise.files.network import ChannelStatistics, Network
from foldwise.nets.adapt import adapt_kernel, adapt_positions, find_grids
from foldwise.nets.network import covers
from foldwise.nets.weights.checkpoint import WeightsError
from foldwise.nets.weights.choice import MINIMUM_MATCH, OPTIONAL, Checkpoint, problem_of
from foldwise.nets.weights.tensors import TrainedOn


@dataclass(frozen=True)
class Target:
    """The part of a network that takes its weights from one source.

    Attributes:
        layer: Layer of a composition; "" for the whole network.
        title: Name of the part, for messages.
        architecture: Architecture of the source.
        prefix: Prefix of the names in the source.
        tensors: Tensors of the part by their names in the network, on the meta device.
        input_kernels: Names of the kernels whose input is the image.
    """

    layer: str
    title: str
    architecture: str
    prefix: str
    tensors: Mapping[str, Tensor]
    input_kernels: frozenset[str]

    def source_name(self, name: str) -> str:
        """Return the name that a tensor of the network has in the source."""
        return self.prefix + (name.removeprefix(f"{self.layer}.") if self.layer else name)


@dataclass(frozen=True)
class Match:
    """The tensors that a checkpoint provides for a target.

    Attributes:
        tensors: Matching tensors by their names in the network.
        missing: Why the other tensors do not match, by their names in the network.
    """

    target: Target
    checkpoint: Checkpoint
    tensors: dict[str, Tensor] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def matched(self) -> list[str]:
        """Names of the matching tensors, without counters."""
        return [name for name in self.tensors if not name.endswith(OPTIONAL)]

    @property
    def used(self) -> set[str]:
        """Names of the matching tensors in the source."""
        return {self.target.source_name(name) for name in self.tensors}

    def unexpected(self, used: set[str]) -> list[str]:
        """Return the tensors of the checkpoint that are not used, sorted, without counters."""
        return sorted(
            name
            for name, value in self.checkpoint.state_dict.items()
            if isinstance(value, Tensor) and name not in used and not name.endswith(OPTIONAL)
        )


def input_kernels(module: nn.Module, channels: int) -> frozenset[str]:
    """Return the kernels that may see the image: they have as many channels, in one group."""
    return frozenset(
        f"{name}.weight"
        for name, part in module.named_modules()
        if isinstance(part, nn.Conv2d) and part.groups == 1 and part.in_channels == channels
    )


def match_tensors(target: Target, checkpoint: Checkpoint) -> Match:
    """Return copies of the tensors that fit a part of a network, in the part's data types.

    Kernels that see the image are adapted to its channels, from three channels or from those on
    which the checkpoint was trained, and position embeddings to its size. No two tensors share
    memory.

    Raises:
        WeightsError: If fewer than 90 % of the tensors match, or a matching one is not finite.
    """
    trained_on = checkpoint.trained_on
    channels = {RGB} if trained_on is None else {RGB, trained_on.channels}
    match = Match(target, checkpoint)
    for name, expected in target.tensors.items():
        source_name = target.source_name(name)
        tensor = checkpoint.state_dict.get(source_name)
        problem = problem_of(tensor, expected, channels if name in target.input_kernels else set())
        if isinstance(tensor, Tensor) and not problem:
            match.tensors[name] = _converted(tensor, expected)
        elif not name.endswith(OPTIONAL):
            match.missing[name] = f"{source_name} {problem}"
    _require_enough(match)
    infinite = [name for name, tensor in match.tensors.items() if not tensor.isfinite().all()]
    if infinite:
        raise WeightsError(
            f"not finite: {first_few([target.source_name(name) for name in infinite])}; give "
            "weights of a training that did not diverge"
        )
    return match


def require_same_network(match: Match, heads: Sequence[str]) -> None:
    """Reject a checkpoint with many tensors that the network lacks.

    A ResNet-34 has all tensors of a ResNet-18, but there they have learned another function.
    """
    unexpected = [name for name in match.unexpected(match.used) if not covers(heads, name)]
    if 100 * len(match.used) < MINIMUM_MATCH * (len(match.used) + len(unexpected)):
        raise WeightsError(
            f"{match.target.title} does not have {len(unexpected)} of its tensors: "
            f"{first_few(unexpected)}; set base to the architecture that was trained, or combine "
            "parts of both networks as layers"
        )


def require_frozen(match: Match, frozen: Sequence[str]) -> None:
    """Reject a checkpoint without some tensor of a frozen layer."""
    problems = [problem for name, problem in match.missing.items() if covers(frozen, name)]
    if problems:
        raise WeightsError(
            f"{first_few(problems)}; that layer is frozen and would stay random; give weights "
            "that have it, or do not freeze it"
        )


def _converted(tensor: Tensor, expected: Tensor) -> Tensor:
    tensor = tensor.detach().to(expected.dtype)
    if tensor.shape != expected.shape:
        grids = find_grids(tensor.shape, expected.shape)
        if grids is None:
            tensor = adapt_kernel(tensor, expected.shape[1])
        else:
            tensor = adapt_positions(tensor, grids)
    return tensor.clone(memory_format=torch.contiguous_format)


def _require_enough(match: Match) -> None:
    n, title = len(match.matched), match.target.title
    total = n + len(match.missing)
    if total == 0:
        raise WeightsError(f"{title} has no weights; remove this key")
    if 100 * n < MINIMUM_MATCH * total:
        raise WeightsError(
            f"{n} of the {counted(total, 'tensor')} of {title} match ({100 * n // total} %; "
            f"expected at least {MINIMUM_MATCH} %): {first_few(list(match.missing.values()))}"
            f"{_names_found(match)}; {match.checkpoint.remedy}"
        )


def _names_found(match: Match) -> str:
    """Return the names in the file that nothing takes, and with what all of them begin."""
    unused = match.unexpected(match.used | set(map(match.target.source_name, match.missing)))
    if not unused:
        return ""
    file_order = [name for name in match.checkpoint.state_dict if name in set(unused)]
    starts = {name.partition(".")[0] for name in unused if "." in name}
    common = f", its names begin with {min(starts)}." if len(starts) == 1 < len(unused) else ""
    return f"; the file has {first_few(file_order)}{common}"


def adapt_statistics(known: ChannelStatistics | TrainedOn, channels: int) -> ChannelStatistics:
    """Return a normalisation adapted to the channels of the images.

    For one channel the mean over the channels, otherwise the channels repeated, as kernels are.
    """

    def adapt(values: Sequence[float]) -> list[float]:
        n = len(values)
        return [sum(values) / n] if channels == 1 else [values[i % n] for i in range(channels)]

    return ChannelStatistics(mean=adapt(known.mean), std=adapt(known.std))


def find_cautions(network: Network, matches: Sequence[Match]) -> list[str]:
    """Return a sentence for each reason why pretrained weights may suit the data less.

    Reasons are other channels, much smaller images, another or an unknown normalisation, tensors
    that do not match, and layers of different networks.

    Args:
        network: The network with its normalisation.
        matches: Its pretrained weights.
    """
    cautions = [caution for match in matches for caution in _cautions(network, match)]
    sources = {(m.target.architecture, m.checkpoint.sha256): m for m in matches}
    if len(sources) > 1:
        layers = ", ".join(f"{m.target.layer} from {m.checkpoint.title}" for m in sources.values())
        cautions.append(
            f"weights of {len(sources)} networks are mixed ({layers}): no layer was trained on "
            "the output of another network"
        )
    return list(dict.fromkeys(cautions))


def _cautions(network: Network, match: Match) -> Iterator[str]:
    title, trained_on = match.checkpoint.title, match.checkpoint.trained_on
    channels = _other_channels(network, match)
    if channels is not None:
        trained = counted(channels, "channel")
        yield f"{title} was trained on images with {trained}, not {network.channels}"
    if trained_on is not None:
        yield from _image_cautions(network, title, trained_on)
    elif network.normalisation is None:
        yield (
            f"{title} does not state its normalisation, and each fold is normalised by its own "
            "statistics: for weights trained on ImageNet, set "
            f"build.architectures.{network.name}.normalisation to imagenet"
        )
    yield from _position_cautions(match)
    if match.checkpoint.is_by_order:
        yield (
            f"the tensors of {title} were matched by their order: two of the same shape that are "
            "exchanged would not be noticed"
        )
    if match.missing:
        yield (
            f"random initialisation of {counted(len(match.missing), 'tensor')} of "
            f"{match.target.title}, because in {title} {first_few(list(match.missing.values()))}"
        )


def _position_cautions(match: Match) -> Iterator[str]:
    for name, tensor in match.tensors.items():
        given = match.checkpoint.state_dict[match.target.source_name(name)]
        assert isinstance(given, Tensor)
        grids = find_grids(given.shape, tensor.shape) if given.shape != tensor.shape else None
        if grids is not None:
            yield (
                f"the position embeddings of {match.checkpoint.title} are interpolated from "
                f"{grids.old}×{grids.old} to {grids.new}×{grids.new} patches"
            )


def _other_channels(network: Network, match: Match) -> int | None:
    """Return the channels on which the weights were trained; None if unknown or as here."""
    target, checkpoint = match.target, match.checkpoint
    if checkpoint.trained_on is not None:
        known = {checkpoint.trained_on.channels}
    else:
        names = target.input_kernels & match.tensors.keys()
        values = [checkpoint.state_dict[target.source_name(name)] for name in names]
        known = {value.shape[1] for value in values if isinstance(value, Tensor)}
    return min(known - {network.channels}, default=None)


def _image_cautions(network: Network, title: str, known: TrainedOn) -> Iterator[str]:
    if 2 * min(network.height, network.width) < min(known.height, known.width):
        yield (
            f"{title} was trained on images of {known.height}×{known.width} px, these have "
            f"{network.height}×{network.width} px: objects look much smaller"
        )
    original = adapt_statistics(known, network.channels)
    used = network.normalisation
    if used is None or not _is_alike(used, original):
        text = "by the statistics of each fold" if used is None else f"with {_text(used)}"
        yield f"{title} was trained on images normalised with {_text(original)}, not {text}"


def _is_alike(a: ChannelStatistics, b: ChannelStatistics) -> bool:
    """Return whether all values differ by less than a grey level, as do 0.498 and 127 / 255."""
    return bool(np.allclose([a.mean, a.std], [b.mean, b.std], rtol=0, atol=1 / PIXEL_MAX))


def _text(statistics: ChannelStatistics) -> str:
    values = (statistics.mean, statistics.std)
    mean, std = (", ".join(f"{number:.3g}" for number in numbers) for numbers in values)
    return f"mean {mean} and std {std}"
