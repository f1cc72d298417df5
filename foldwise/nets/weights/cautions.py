"""Which normalisation images get before a network sees them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from foldwise.core.errors import InputError
from foldwise.files.architecture import ArchitectureSection
from foldwise.files.network import ChannelStatistics, Network
from foldwise.nets.weights.matching import Match, TargetTensors, some
from foldwise.nets.weights.sources import WeightFile
from foldwise.nets.weights.tensors import TrainedOn

IMAGENET = ChannelStatistics(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])


def choose(
    wanted: ArchitectureSection, known: Iterable[TrainedOn], channels: int, key: str
) -> ChannelStatistics | None:
    """Return the normalisation; None for that of each fold.

    What params.yaml sets; else that of the weights, of the first that have one.

    Args:
        wanted: What is set for the architecture.
        known: What its weights were trained on, from the image on.
        channels: Of the images.
        key: Of the normalisation in params.yaml.

    Raises:
        InputError: If the one that is set is for other channels.
    """
    match wanted.normalisation:
        case "folds":
            return None
        case "imagenet":
            return for_channels(IMAGENET.mean, IMAGENET.std, channels)
        case ChannelStatistics() as given:
            for part, values in (("mean", given.mean), ("std", given.std)):
                if len(values) != channels:
                    raise InputError(
                        f"{key}.{part} has {len(values)} numbers; expected one for each channel "
                        f"of the images, {channels}"
                    )
            return given
    first = next(iter(known), None)
    return None if first is None else for_channels(first.mean, first.std, channels)


def for_channels(mean: Sequence[float], std: Sequence[float], channels: int) -> ChannelStatistics:
    """Return statistics adapted to the channels of images, as kernels are.

    For one channel the mean over the channels, for others the channels repeated in turn.
    """
    return ChannelStatistics(mean=_adapted(mean, channels), std=_adapted(std, channels))


def _adapted(values: Sequence[float], channels: int) -> list[float]:
    n = len(values)
    if channels == 1:
        return [sum(values) / n]
    return [values[index % n] for index in range(channels)]


@dataclass(frozen=True)
class Fill:
    """A part of the network, and what fills it."""

    part: TargetTensors
    source: WeightFile
    match: Match


def find_cautions(network: Network, fills: Sequence[Fill]) -> list[str]:
    """Return a sentence for each way in which weights meet unlike data, or unlike weights.

    Other channels than they were trained on, much smaller images, another normalisation or one
    that nothing names, two networks mixed in one, and tensors that start fresh among them.

    Args:
        network: With its normalisation.
        fills: Its weights.
    """
    found = [one for fill in fills for one in _of_fill(network, fill)]
    return list(dict.fromkeys([*found, *_mixed(fills)]))


def _of_fill(network: Network, fill: Fill) -> Iterator[str]:
    title, trained_on = fill.source.title, fill.source.trained_on
    channels = _other_channels(network, fill)
    if channels is not None:
        yield (
            f"{title} was trained on images of {channels} channel{_s(channels)}, these have "
            f"{network.channels}"
        )
    if trained_on is None:
        yield from _unknown(network, title)
    else:
        yield from _size(network, title, trained_on)
        yield from _normalisation(network, title, trained_on)
    problems = list(fill.match.problems.values())
    if problems:
        yield (
            f"{len(problems)} tensor{_s(len(problems))} of {fill.part.title} start"
            f"{'s' if len(problems) == 1 else ''} fresh, since in {title} {some(problems)}"
        )


def _other_channels(network: Network, fill: Fill) -> int | None:
    """Return the channels of the images that the weights know; None if as here, or not known."""
    trained_on, kernels = fill.source.trained_on, fill.part.kernels & fill.match.tensors.keys()
    if trained_on is not None:
        known = {trained_on.channels}
    else:
        given = [fill.source.state[fill.part.in_source(name)] for name in kernels]
        known = {one.shape[1] for one in given if isinstance(one, Tensor)}
    return min(known - {network.channels}, default=None)


def _size(network: Network, title: str, known: TrainedOn) -> Iterator[str]:
    if 2 * min(network.height, network.width) < min(known.height, known.width):
        yield (
            f"{title} was trained on images of {known.height}×{known.width} px, these have "
            f"{network.height}×{network.width}: what they show is much smaller"
        )


def _normalisation(network: Network, title: str, known: TrainedOn) -> Iterator[str]:
    own = for_channels(known.mean, known.std, network.channels)
    used = network.normalisation
    if used != own:
        here = "each fold's own" if used is None else _text(used)
        yield f"{title} was trained on images normalised by {_text(own)}, here they are by {here}"


def _unknown(network: Network, title: str) -> Iterator[str]:
    if network.normalisation is None:
        yield (
            f"{title} does not say for which normalisation its weights were made, and images are "
            "normalised by each fold's own: if the weights are ImageNet's, set "
            f"build.architectures.{network.name}.normalisation to imagenet"
        )


def _mixed(fills: Sequence[Fill]) -> Iterator[str]:
    sources = {(one.part.architecture, one.source.sha256): one for one in fills}
    if len(sources) > 1:
        layers = ", ".join(f"{one.part.into} from {one.source.title}" for one in sources.values())
        yield (
            f"weights of {len(sources)} networks are mixed, {layers}: none was trained on what "
            "the one before it gives"
        )


def _text(statistics: ChannelStatistics) -> str:
    mean, std = (
        ", ".join(f"{one:.3g}" for one in values) for values in (statistics.mean, statistics.std)
    )
    return f"mean {mean} and std {std}"


def _s(number: int) -> str:
    return "" if number == 1 else "s"
