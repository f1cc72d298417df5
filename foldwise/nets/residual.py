"""Residual blocks, their shortcuts, and the ResNet for CIFAR images that is made of them.

He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR: figure 2 has the
block, section 3.3 the shortcuts A and B, section 4.2 and its table the network. Weights start as
there: He et al. 2015, Delving deep into rectifiers, ICCV, normal, by fan out.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

CIFAR_WIDTHS = (16, 32, 64)  # maps of the three stages


class PaddedIdentity(nn.Module):
    """Option A: what went in, thinned out, and zeros for the maps that are new; no parameters."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self._stride = stride
        self._n_new = width - channels

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, width, h / stride, w / stride), rounded up, for (b, channels, h, w)."""
        thinned = images[:, :, :: self._stride, :: self._stride]
        # The paper leaves open where the new maps go; here they come last.
        return functional.pad(thinned, (0, 0, 0, 0, 0, self._n_new))


def projection(channels: int, width: int, stride: int) -> nn.Module:
    """Return option B, learnt: a 1×1 convolution with BatchNorm."""
    return nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))


class ResidualBlock(nn.Module):
    """He et al. 2016, figure 2: two convolutions added to what went in."""

    def __init__(
        self,
        channels: int,
        width: int,
        stride: int,
        shortcut: Callable[[int, int, int], nn.Module],
    ) -> None:
        """Make a block with fresh weights.

        Args:
            channels: Maps that go in.
            width: Maps that come out.
            stride: Of the first convolution.
            shortcut: Makes the way past the convolutions where shapes differ, from these three.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != width:
            self.downsample = shortcut(channels, width, stride)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, width, h / stride, w / stride), rounded up, for (b, channels, h, w)."""
        shortcut = images if self.downsample is None else self.downsample(images)
        residual = self.relu(self.bn1(self.conv1(images)))
        total: Tensor = self.relu(self.bn2(self.conv2(residual)) + shortcut)
        return total


def cifar_resnet(n_blocks: int, channels: int, n_classes: int) -> nn.Module:
    """Return a ResNet of 6 n + 2 layers; pooled globally, it has no size of its own.

    Args:
        n_blocks: n, blocks in each of the three stages.
        channels: Of the images.
        n_classes: Logits.
    """
    stages, width = [], CIFAR_WIDTHS[0]
    for number, wider in enumerate(CIFAR_WIDTHS):
        first = ResidualBlock(width, wider, 2 if number else 1, PaddedIdentity)
        others = [ResidualBlock(wider, wider, 1, PaddedIdentity) for _ in range(n_blocks - 1)]
        stages.append(nn.Sequential(first, *others))
        width = wider
    module = nn.Sequential(
        nn.Conv2d(channels, CIFAR_WIDTHS[0], 3, padding=1, bias=False),
        nn.BatchNorm2d(CIFAR_WIDTHS[0]),
        nn.ReLU(inplace=True),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, n_classes),
    )
    start_convolutions(module)
    return module


def start_convolutions(module: nn.Module) -> None:
    """Draw the kernels of all convolutions as He et al. 2015 do, and set their biases to 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
