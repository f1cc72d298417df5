"""Slim VGG: two blocks in the manner of VGG, with BatchNorm and dropout, for small images.

A network of the lesson that Foldwise grew from, after Simonyan and Zisserman 2015, Very deep
convolutional networks for large-scale image recognition, ICLR: blocks of same-size convolutions,
each block pooled by 2. From its authors: 5×5 kernels in the first block, where they use 3×3
throughout; BatchNorm (Ioffe and Szegedy 2015); whole maps dropped (Tompson et al. 2015).

Deviations from the lesson: the width of the first linear layer follows the image, where the
lesson has 7·7 maps of 28×28 images.
"""

from collections.abc import Iterator

from torch import nn

TITLE = "Slim VGG: 5 convolutions in 2 blocks, after Simonyan and Zisserman 2015"
DROPOUT = 0.25  # share of maps
SMALLEST = 4  # pixels; two poolings leave nothing of less


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:
    """Return the network with random weights.

    Raises:
        ValueError: If the images are under 4 pixels high or wide.
    """
    if min(height, width) < SMALLEST:
        raise ValueError(f"images of {height}×{width} pixels are under {SMALLEST}")
    return nn.Sequential(
        *_block(channels, 32, n=2, kernel=5),
        *_block(32, 64, n=3, kernel=3),
        nn.Flatten(),
        nn.Linear(64 * (height // 4) * (width // 4), 256),
        nn.BatchNorm1d(256),
        nn.ReLU(inplace=True),
        nn.Linear(256, n_classes),
    )


def _block(channels: int, width: int, n: int, kernel: int) -> Iterator[nn.Module]:
    for index in range(n):
        yield nn.Conv2d(width if index else channels, width, kernel, padding="same")
        yield nn.BatchNorm2d(width)
        yield nn.ReLU(inplace=True)
    yield nn.MaxPool2d(2)
    yield nn.Dropout2d(DROPOUT)
