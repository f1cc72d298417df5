"""Facts about the data and the machine, and the rules of thumb that advise applies to them."""

import zlib
from dataclasses import dataclass
from math import ceil, floor, log2

import numpy as np
from numpy.typing import NDArray

from foldwise.data.folds import n_batches
from foldwise.files.dataset import RGB, Dataset
from foldwise.files.params import AdviseSection

SAMPLE = 500  # images that are inspected, evenly spread over the data set
SAMPLE_BYTES = 20_000_000  # upper limit of the sample: a second or two to compress
LAST_SIDE = 7  # pixels of the last feature maps of VGG, ResNet and GoogLeNet at 224 pixels
BILLION = 1e9
MIN_FOLDS = 5
MIN_EPOCHS = 2
# Of the optimiser, in a training. lenet5 on 250 digits, mean of 3 folds: .38 after trainings of 40
# steps, .73 of 100, .93 of 200, .96 of 300 and of 400, .98 of 800.
MIN_STEPS = 300
# Side to which few colour photos are enlarged. On 245 photos of ants and bees, a frozen
# EfficientNet-Lite0 with ImageNet weights reached .91 at 128 pixels and .82 at 64; networks from
# scratch .64 to .69.
ENLARGED_SIDE = 128
MOST_ENLARGEMENT = 4  # times the side of the files
MORE_DETAIL = 1.5  # times the side of the images, from which the files are worth mentioning


@dataclass(frozen=True)
class Facts:
    """The training images, and what the machine has.

    Attributes:
        side: Shorter side of the images, in pixels.
        file_side: Shorter side of the images in the files, in pixels; median.
        channels: Channels of an image.
        n_classes: Number of classes.
        n_images: Images of all folds together.
        smallest_class: Images of the rarest class.
        background: Mean share of the pixels of an image that have its most frequent value.
        compressed: Share of the bytes that remains after lossless compression.
        has_gpu: Whether training will use a GPU.
        has_lite0: Whether `lite0_frozen` of params.yaml finds its weights in a package.
        no_download: Why weights of ImageNet cannot be downloaded; empty: they can.
    """

    side: int
    file_side: int
    channels: int
    n_classes: int
    n_images: int
    smallest_class: int
    background: float
    compressed: float
    has_gpu: bool
    has_lite0: bool = False
    no_download: str = ""

    @property
    def has_weights(self) -> bool:
        """Whether there are any weights of ImageNet."""
        return self.has_lite0 or not self.no_download

    @property
    def per_class(self) -> float:
        """Mean number of images per class."""
        return self.n_images / self.n_classes


def measure_facts(dataset: Dataset, *, has_gpu: bool, has_lite0: bool = False) -> Facts:
    """Return the facts about the training images; the test images are not read.

    Args:
        dataset: The prepared images.
        has_gpu: Whether training will use a GPU.
        has_lite0: Whether `lite0_frozen` of params.yaml finds its weights in a package.
    """
    info = dataset.info
    n = min(SAMPLE, max(1, SAMPLE_BYTES // dataset.images[0].nbytes), info.n_train)
    index = np.linspace(0, info.n_train - 1, n).astype(np.int64)
    sample: NDArray[np.uint8] = np.ascontiguousarray(dataset.images[index])
    counts = np.bincount(dataset.labels[: info.n_train], minlength=len(info.classes))
    return Facts(
        side=min(info.height, info.width),
        file_side=min(info.decoding.file_size or (info.height, info.width)),
        channels=info.channels,
        n_classes=len(info.classes),
        n_images=info.n_train,
        smallest_class=int(counts.min()),
        background=background(sample),
        compressed=compressed(sample),
        has_gpu=has_gpu,
        has_lite0=has_lite0,
    )


def background(images: NDArray[np.uint8]) -> float:
    """Return the mean share of the pixels of an image that have its most frequent value.

    Digits .49, FashionMNIST .50, CIFAR-10 .01, photos of 64 to 224 pixels below .03. Drawings,
    scans and cut-outs have a background of one value; photos have none.

    Args:
        images: (n, h, w, c).
    """
    shifts = 8 * np.arange(images.shape[-1], dtype=np.uint64)  # one number per pixel: c <= 8
    pixels = (images.astype(np.uint64) << shifts).sum(axis=-1).reshape(len(images), -1)
    counts = [np.unique(image, return_counts=True)[1].max() for image in pixels]
    return float(np.mean(counts) / pixels.shape[1])


def compressed(images: NDArray[np.uint8]) -> float:
    """Return the share of the bytes that remains after lossless compression: 1 for noise.

    Like PNG's filter "sub" and its compression, but over all images at once, because the files of
    tiny images would consist of headers. Digits .49, FashionMNIST .56, CIFAR-10 .75; photos of 32
    pixels enlarged to 96 .40.

    Args:
        images: (n, h, w, c).
    """
    steps = np.diff(images, axis=2, prepend=np.zeros_like(images[:, :, :1]))  # modulo 256
    return len(zlib.compress(steps.tobytes())) / images.nbytes


def max_downsamplings(side: int) -> int:
    """Return how often a network may halve the side and still keep maps of 7 pixels.

    VGG (Simonyan and Zisserman 2015) and ResNet (He et al. 2016) do so five times from 224.
    """
    return max(0, floor(log2(side / LAST_SIDE)))


def is_clean(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether the images are drawings, scans or cut-outs rather than photos."""
    return facts.background >= limits.clean


def min_epochs(n_train: int, batch_size: int) -> int:
    """Return the number of epochs below which a training has too few steps to compare networks.

    Args:
        n_train: Training images of a fold.
        batch_size: Images per step.
    """
    return max(MIN_EPOCHS, ceil(MIN_STEPS / n_batches(n_train, batch_size)))


def are_colour_photos(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether the images are of the kind that ImageNet has, whatever their size."""
    return facts.channels == RGB and not is_clean(facts, limits)


def enlarged_side(facts: Facts, limits: AdviseSection) -> int | None:
    """Return the side to which to enlarge few colour photos for a pretrained network; None: not."""
    least = limits.transfer_side
    if facts.side >= least or facts.file_side * MOST_ENLARGEMENT < least:
        return None
    if not are_colour_photos(facts, limits) or not is_small_data(facts, limits):
        return None
    if not facts.has_weights:
        return None
    return max(least, min(facts.file_side, ENLARGED_SIDE))


def is_like_imagenet(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether features learnt on ImageNet are likely to help.

    Kornblith et al. 2019, Do better ImageNet models transfer better?, CVPR, for photos. Features
    of 224 pixels say little about much smaller images.
    """
    return facts.side >= limits.transfer_side and are_colour_photos(facts, limits)


def is_small_data(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether there are too few images for a deep network trained from scratch."""
    return facts.n_images < limits.little_images or facts.per_class < limits.little_per_class


def is_large_data(facts: Facts, limits: AdviseSection) -> bool:
    """Return whether the number of images or of classes calls for a deeper network."""
    is_rich = facts.n_classes > limits.many_classes or facts.per_class > limits.much_per_class
    return is_rich and not is_small_data(facts, limits)


def why_too_heavy(macs: int, facts: Facts, limits: AdviseSection) -> str | None:
    """Return why a network is too slow for this machine; None if it is not.

    Args:
        macs: Multiply-accumulate operations (MACs) of one image in a training step.
        facts: Of the machine.
        limits: The thresholds.
    """
    if facts.has_gpu or macs <= limits.most_multiply_adds * BILLION:
        return None
    return (
        f"{macs / BILLION:.1f} billion MACs per image exceed advise.most_multiply_adds "
        f"({limits.most_multiply_adds:g}), and there is no GPU"
    )
