"""data/features/NAME: cached features of the frozen layers of a network."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foldwise.core.machine import create_npy
from foldwise.files.base import Strict, read_json, write_json
from foldwise.files.network import Network

Dtype = Literal["float32", "bfloat16"]

PLAIN = "plain"


class FeaturesInfo(Strict):
    """features.json: the arrays beside it; none if no part of the network can run once."""

    views: list[str]  # files, without .npy; the epochs train on them in turn
    dtype: Dtype  # the npy stores bfloat16 as uint16
    reason: str | None  # why there are no features; None: there are


@dataclass(frozen=True)
class Features:
    """The features of every image of the data set.

    Attributes:
        dtype: Type of the numbers.
        plain: (n, ...) features without augmentation; maps are (n, h, w, c).
        views: Features of augmented views; empty if there are no features.
    """

    dtype: Dtype = "float32"
    plain: NDArray[np.generic] | None = None
    views: list[NDArray[np.generic]] = field(default_factory=list)


def create_array(
    folder: Path, name: str, shape: tuple[int, ...], dtype: Dtype
) -> NDArray[np.generic]:
    """Create a memory-mapped array of features, to be filled in place."""
    kind = np.uint16 if dtype == "bfloat16" else np.float32
    return create_npy(folder / f"{name}.npy", kind, shape)


def write_features_info(folder: Path, info: FeaturesInfo) -> None:
    """Write features.json after its arrays, and remove all other arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"{name}.npy" for name in (*info.views, PLAIN) if info.views}
    for path in folder.glob("*.npy"):
        if path.name not in names:
            path.unlink()
    write_json(folder / "features.json", info)


def read_features(folder: Path) -> Features:
    """Read the features, memory-mapped; without views if there are none."""
    info = read_json(folder / "features.json", FeaturesInfo)
    if not info.views:
        return Features()
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in {*info.views, PLAIN}}
    return Features(info.dtype, arrays[PLAIN], [arrays[name] for name in info.views])


def why_no_features(network: Network) -> str | None:
    """Return why a network has no features to cache; None if it has. Needs no torch."""
    if not network.frozen:
        return "every layer trains"
    if network.cut is None:
        return "no part from the input on, or up to the head, stays frozen to the end"
    if network.normalisation is None:
        return "each fold normalises the images in its own way; set normalisation to share features"
    return None
