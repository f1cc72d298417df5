"""ResNet-20: three stages of residual blocks for small images.

He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR: figure 2 has the
block, section 3.3 the shortcuts A and B, section 4.2 the network, with n = 3: 6 n + 2 layers in
three stages of 16, 32 and 64 feature maps, and shortcuts without parameters (option A). 269,722
parameters for CIFAR-10; the paper's table 6 has 0.27 million. Weights are initialised as in the
paper: He et al. 2015, Delving deep into rectifiers, ICCV, normal, by fan out.

Deviations: none in structure. The paper crops 32×32 out of padded images. Here images of any size
are taken, and the work grows with the number of pixels.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

TITLE = "ResNet-20 for CIFAR-10 (He et al. 2016, section 4.2)"
WIDTHS = (16, 32, 64)  # feature maps of the three stages


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with random weights; global pooling takes images of any size."""
    return cifar_resnet(3, channels, n_classes)


def cifar_resnet(n_blocks: int, channels: int, n_classes: int) -> nn.Module:
    """Return a ResNet of 6 n + 2 layers for images of any size.

    Args:
        n_blocks: n, blocks in each of the three stages.
        channels: Of the images.
        n_classes: Number of logits.
    """
    stages, width = [], WIDTHS[0]
    for number, next_width in enumerate(WIDTHS):
        first = ResidualBlock(width, next_width, 2 if number else 1, PaddedIdentity)
        rest = [
            ResidualBlock(next_width, next_width, 1, PaddedIdentity) for _ in range(n_blocks - 1)
        ]
        stages.append(nn.Sequential(first, *rest))
        width = next_width
    module = nn.Sequential(
        nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False),
        nn.BatchNorm2d(WIDTHS[0]),
        nn.ReLU(inplace=True),
        *stages,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, n_classes),
    )
    initialise_convolutions(module)
    return module


class ResidualBlock(nn.Module):
    """He et al. 2016, figure 2: two convolutions whose output is added to their input."""

    def __init__(
        self,
        channels: int,
        width: int,
        stride: int,
        shortcut: Callable[[int, int, int], nn.Module],
    ) -> None:
        """Make a block with random weights.

        Args:
            channels: Feature maps of the input.
            width: Feature maps of the output.
            stride: Of the first convolution.
            shortcut: Makes the module for the shortcut from these three numbers, if the shapes of
                input and output differ.
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


class PaddedIdentity(nn.Module):
    """Shortcut A: the input at every stride-th pixel, and zeros for the new feature maps."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self._stride = stride
        self._n_new = width - channels

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, width, h / stride, w / stride), rounded up, for (b, channels, h, w)."""
        strided = images[:, :, :: self._stride, :: self._stride]
        # The paper leaves open where the new feature maps go; here they come last.
        return functional.pad(strided, (0, 0, 0, 0, 0, self._n_new))


def projection(channels: int, width: int, stride: int) -> nn.Module:
    """Return shortcut B, which is learned: a 1×1 convolution with BatchNorm."""
    return nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))


def initialise_convolutions(module: nn.Module) -> None:
    """Draw the kernels of all convolutions as He et al. 2015 do, and set their biases to 0."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
