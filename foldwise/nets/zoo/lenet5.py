"""LeNet-5: two convolutions and three linear layers, for handwritten digits.

LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition,
Proceedings of the IEEE 86(11), section II.B and figure 2. As there, 28×28 digits are centred in
a field of 32×32: every smaller image is, and larger ones are taken as they are, so the width of
the first linear layer follows the image.

Deviations:
- ReLU and max pooling instead of scaled tanh and trained average pooling: learns in few epochs.
- Every map of the second convolution sees all of the first (the paper's table I links some, to
  save work): 61,706 parameters for 28×28 digits where the paper counts 60,000.
- Ten logits under softmax instead of radial basis functions.
- The border is 0, which is the mean of normalised images, not the white of paper.
"""

from torch import nn

TITLE = "LeNet-5 (LeCun et al. 1998) with ReLU and max pooling"
FIELD = 32  # pixels


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:
    """Return LeNet-5 with fresh weights."""
    high, wide = max(height, FIELD), max(width, FIELD)
    top, left = (high - height) // 2, (wide - width) // 2
    return nn.Sequential(
        nn.ZeroPad2d((left, wide - width - left, top, high - height - top)),
        nn.Conv2d(channels, 6, kernel_size=5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * _pooled(high) * _pooled(wide), 120),
        nn.ReLU(inplace=True),
        nn.Linear(120, 84),
        nn.ReLU(inplace=True),
        nn.Linear(84, n_classes),
    )


def _pooled(side: int) -> int:
    """Return what two unpadded 5×5 convolutions, each pooled by 2, leave of a side."""
    return ((side - 4) // 2 - 4) // 2
