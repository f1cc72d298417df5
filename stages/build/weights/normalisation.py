"""Which normalisation images get before a network sees them."""

from collections.abc import Iterable, Sequence

from stages.build.section import ArchitectureSection
from stages.contracts.command import InputError
from stages.contracts.network import ChannelStatistics
from stages.contracts.weights import TrainedOn

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
