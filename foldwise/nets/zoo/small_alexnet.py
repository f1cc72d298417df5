"""Small AlexNet: two convolutions, each pooled, then three in a row, then three linear layers.

Krizhevsky, Sutskever and Hinton 2012, ImageNet classification with deep convolutional neural
networks, NIPS, section 3.5 and figure 2: one of the two columns of the figure, which has half of
the maps, 48, 128, 192, 192 and 128. Max pooling overlaps; dropout precedes the first two linear
layers.

Deviations:
- The first kernels are 5×5 at every pixel, not 11×11 at every fourth: images are small.
- BatchNorm (Ioffe and Szegedy 2015) after each convolution, where two have local response
  normalisation: after 5 epochs of 1,500 FashionMNIST images 76 % are right with it, 61 % with
  neither.
- The last pooling leaves 3×3 positions of an image of any size, where 224×224 pixels leave 6×6.
  Hidden layers have 512 units, a quarter, since a quarter as many numbers come in.
- Weights start as PyTorch's layers do: the paper's biases of 1 are for a start without BatchNorm.
"""

from torch import nn

from foldwise.nets.zoo.nin import convolution

TITLE = "Small AlexNet: half of its maps (Krizhevsky et al. 2012), with BatchNorm"
POSITIONS = 3  # a side, of the last maps
HIDDEN = 512
DROPOUT = 0.5  # share of activations
SMALLEST = 7  # pixels; two poolings of 3×3 leave nothing of less


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:
    """Return the network with random weights.

    Raises:
        ValueError: If the images are under 7 pixels high or wide.
    """
    if min(height, width) < SMALLEST:
        raise ValueError(f"images of {height}×{width} pixels are under {SMALLEST}")
    high, wide = _pooled(height), _pooled(width)
    kernel, stride = zip(_window(high), _window(wide), strict=True)
    return nn.Sequential(
        *convolution(channels, 48, kernel=5),
        nn.MaxPool2d(3, stride=2),
        *convolution(48, 128, kernel=5),
        nn.MaxPool2d(3, stride=2),
        *convolution(128, 192, kernel=3),
        *convolution(192, 192, kernel=3),
        *convolution(192, 128, kernel=3),
        nn.MaxPool2d(kernel, stride),
        nn.Flatten(),
        nn.Dropout(DROPOUT),
        nn.Linear(128 * min(high, POSITIONS) * min(wide, POSITIONS), HIDDEN),
        nn.ReLU(inplace=True),
        nn.Dropout(DROPOUT),
        nn.Linear(HIDDEN, HIDDEN),
        nn.ReLU(inplace=True),
        nn.Linear(HIDDEN, n_classes),
    )


def _pooled(side: int) -> int:
    """Return what two poolings of 3×3 at every second pixel leave of a side."""
    return ((side - 3) // 2 + 1 - 3) // 2 + 1


def _window(side: int) -> tuple[int, int]:
    """Return side and stride of the windows that leave POSITIONS of a side, or all of fewer.

    The windows cover the maps: 3×3 at every second position for images of 32 pixels, as in the
    paper. Adaptive pooling would be simpler; on CUDA it sums in no fixed order.
    """
    n = min(side, POSITIONS)
    stride = side // n
    return side - (n - 1) * stride, stride
