"""What the data and the machine are like, as far as the rules ask."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.contracts.dataset import Dataset

SAMPLE = 500  # images that are looked at, evenly over the data set
SAMPLE_BYTES = 20_000_000  # of them, at most: a second or two to compress


@dataclass(frozen=True)
class Facts:
    """The data that trains and validates, and where it does.

    Attributes:
        side: Pixels, the shorter one.
        channels: Of an image.
        n_classes: Of the data set.
        n_images: All folds together.
        smallest_class: Images of the rarest class.
        background: Mean share of the pixels of an image that have its commonest value.
        compressed: Share of the bytes that lossless compression leaves.
        has_gpu: Whether training will use one.
    """

    side: int
    channels: int
    n_classes: int
    n_images: int
    smallest_class: int
    background: float
    compressed: float
    has_gpu: bool

    @property
    def per_class(self) -> float:
        """Images of a class, on average."""
        return self.n_images / self.n_classes


def measure_facts(dataset: Dataset, *, has_gpu: bool) -> Facts:
    """Return the facts; images held out are left alone.

    Args:
        dataset: The prepared images.
        has_gpu: Whether training will use one.
    """
    info = dataset.info
    n = min(SAMPLE, max(1, SAMPLE_BYTES // dataset.images[0].nbytes), info.n_train)
    places = np.linspace(0, info.n_train - 1, n).astype(np.int64)
    sample: NDArray[np.uint8] = np.ascontiguousarray(dataset.images[places])
    counts = np.bincount(dataset.labels[: info.n_train], minlength=len(info.classes))
    return Facts(
        side=min(info.height, info.width),
        channels=info.channels,
        n_classes=len(info.classes),
        n_images=info.n_train,
        smallest_class=int(counts.min()),
        background=background(sample),
        compressed=compressed(sample),
        has_gpu=has_gpu,
    )


def background(images: NDArray[np.uint8]) -> float:
    """Return the mean share of the pixels of an image that have its commonest value.

    Digits .49, FashionMNIST .50, CIFAR-10 .01, photos at 64 to 224 pixels under .03: what was
    drawn, scanned or cut out has a background of one value, and a photo has not.

    Args:
        images: (n, h, w, c).
    """
    return float(np.mean([_commonest(image) for image in images]))


def compressed(images: NDArray[np.uint8]) -> float:
    """Return the share of the bytes that lossless compression leaves: 1 for noise.

    As PNG's filter "sub" and its compression, but of all images at once: tiny ones would be
    headers for the most part. Digits .49, FashionMNIST .56, CIFAR-10 .75; photos of 32 pixels
    enlarged to 96 .40.

    Args:
        images: (n, h, w, c).
    """
    steps = np.diff(images, axis=2, prepend=np.zeros_like(images[:, :, :1]))  # modulo 256
    return len(zlib.compress(steps.tobytes())) / images.nbytes


def _commonest(image: NDArray[np.uint8]) -> float:
    channels = image.reshape(-1, image.shape[-1]).astype(np.uint64)
    shifts = 8 * np.arange(image.shape[-1], dtype=np.uint64)
    colours = (channels << shifts).sum(axis=1)  # one number a pixel: 8 channels at most
    _, counts = np.unique(colours, return_counts=True)
    return float(counts.max() / len(colours))
