"""VGG-ResNet: a convolution, the second block of VGG-16 and the third stage of ResNet-18.

A network of the lesson that Foldwise grew from: layers of two known networks, joined.
Simonyan and Zisserman 2015, Very deep convolutional networks for large-scale image recognition,
ICLR, table 1, column D, with BatchNorm: torchvision's vgg16_bn().features[7:14].
He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR, table 1:
torchvision's resnet18().layer3. Weights start as both papers have it: He et al. 2015, normal,
by fan out.

Deviations: none in structure. The layers are spelt out here, since importing torchvision takes
.2 s in every fold; a test holds them against torchvision's.
"""

from torch import nn

from foldwise.nets.zoo.resnet20 import ResidualBlock, initialise_convolutions, projection

TITLE = "VGG-ResNet: block 2 of VGG-16-BN and stage 3 of ResNet-18, joined"


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with random weights; global pooling takes images of any size."""
    module = nn.Sequential(
        nn.Sequential(*_convolution(channels, 64)),
        nn.Sequential(*_convolution(64, 128), *_convolution(128, 128), nn.MaxPool2d(2)),
        nn.Sequential(
            ResidualBlock(128, 256, stride=2, shortcut=projection),
            ResidualBlock(256, 256, stride=1, shortcut=projection),
        ),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, n_classes),
    )
    initialise_convolutions(module)
    return module


def _convolution(channels: int, width: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, width, 3, padding=1)
    return convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)
