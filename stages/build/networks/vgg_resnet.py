"""VGG-ResNet: a convolution, the second block of VGG-16 and the third stage of ResNet-18.

A network of the lesson that Foldwise grew from: layers of two known networks, joined.
Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition,
ICLR, table 1, column D, with BatchNorm: torchvision's vgg16_bn().features[7:14].
He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR, table 1:
torchvision's resnet18().layer3. Weights start as both papers have it: He et al. 2015, normal,
by fan out.

Deviations: none in structure. The layers are spelt out here, since importing torchvision takes
1.6 s in every fold; a test holds them against torchvision's.
"""

from torch import Tensor, nn

TITLE = "VGG-ResNet: block 2 of VGG-16-BN and stage 3 of ResNet-18, joined"


class ResidualBlock(nn.Module):
    """He et al. 2016, figure 2: two convolutions added to what went in."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != width:  # option B: a projection where shapes differ
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, width, h / stride, w / stride), rounded up, for (b, channels, h, w)."""
        shortcut = images if self.downsample is None else self.downsample(images)
        residual = self.relu(self.bn1(self.conv1(images)))
        total: Tensor = self.relu(self.bn2(self.conv2(residual)) + shortcut)
        return total


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with fresh weights; pooled globally, it has no size of its own."""
    module = nn.Sequential(
        nn.Sequential(*_convolution(channels, 64)),
        nn.Sequential(*_convolution(64, 128), *_convolution(128, 128), nn.MaxPool2d(2)),
        nn.Sequential(ResidualBlock(128, 256, stride=2), ResidualBlock(256, 256, stride=1)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, n_classes),
    )
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return module


def _convolution(channels: int, width: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, width, 3, padding=1)
    return convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)
