"""ResNet-56: three stages of residual blocks for small images.

He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR, section 4.2, with
n = 9: 6 n + 2 layers in three stages of 16, 32 and 64 feature maps, and shortcuts without
parameters (option A). 853,018 parameters for CIFAR-10; the paper's table 6 has 0.85 million.

Deviations: none in structure. The paper crops 32×32 out of padded images. Here images of any size
are taken, and the work grows with the number of pixels.
"""

from torch import nn

from foldwise.nets.zoo.resnet20 import cifar_resnet

TITLE = "ResNet-56 for CIFAR-10 (He et al. 2016, section 4.2)"


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with random weights; global pooling takes images of any size."""
    return cifar_resnet(9, channels, n_classes)
