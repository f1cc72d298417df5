"""What the data and the machine are like, as far as the rules ask."""

import zlib
from dataclasses import dataclass
from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from foldwise.files.dataset import Dataset
from foldwise.files.params import AdviseSection

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


LAST_SIDE = 7  # pixels of the last maps, at which VGG, ResNet and GoogLeNet end
COLOURS = 3  # channels of a photo in colour
BILLION = 1e9
ORIGINAL_VGG = ("vgg16", "vgg19")  # 138 million parameters, most of them in three linear layers
LEAST_FOLDS = 5
LEAST_EPOCHS = 2


def most_halvings(side: int) -> int:
    """Return how often a network may halve a side in pixels: its last maps keep 7 of them.

    As VGG (Simonyan and Zisserman 2015) and ResNet (He et al. 2016) do, five times from 224.
    """
    return max(0, floor(log2(side / LAST_SIDE)))


def is_clean(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether images are drawn, scanned or cut out, and no photos."""
    return facts.background >= limits.clean


def is_like_imagenet(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether networks that know ImageNet's photos know something of these images.

    Kornblith et al. 2019, Do better ImageNet models transfer better?, CVPR, for photos; features
    of 224 pixels say little of much smaller ones.
    """
    is_large = facts.side >= limits.transfer_side
    return is_large and facts.channels == COLOURS and not is_clean(facts, limits)


def is_little(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether data are too few for a deep network trained from scratch."""
    return facts.n_images < limits.little_images or facts.per_class < limits.little_per_class


def is_much(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether data, or what is to be told apart, call for one step deeper."""
    is_rich = facts.n_classes > limits.many_classes or facts.per_class > limits.much_per_class
    return is_rich and not is_little(facts, limits)


def too_heavy(architecture: str, macs: int, facts: Facts, limits: AdviseSection) -> str | None:
    """Return why a network is not for this machine; None if it is.

    Args:
        architecture: Its name in the catalogue, whatever the variant is called.
        macs: Of one image, in the part that training runs in each step.
        facts: Of the machine.
        limits: What is too much.
    """
    if facts.has_gpu:
        return None
    if architecture in ORIGINAL_VGG:
        return "the original VGG needs a GPU"
    if macs > limits.most_multiply_adds * BILLION:
        return (
            f"{macs / BILLION:.1f} billion multiply-adds an image are over "
            f"{limits.most_multiply_adds:g}, and there is no GPU"
        )
    return None
