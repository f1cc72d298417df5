"""ResNet-20: three stages of residual blocks for small images.

He, Zhang, Ren and Sun 2016, Deep residual learning for image recognition, CVPR, section 4.2, with
n = 3: 6 n + 2 layers in three stages of 16, 32 and 64 maps, and shortcuts without parameters
(option A). 269,722 parameters for CIFAR-10; the paper's table 6 has 0.27 million.

Deviations: none in structure. The paper crops 32×32 out of padded images; here any size goes in,
and the work grows with the number of pixels.
"""

from torch import nn

from foldwise.nets.residual import cifar_resnet

TITLE = "ResNet-20 for CIFAR-10 (He et al. 2016, section 4.2)"


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with fresh weights; pooled globally, it has no size of its own."""
    return cifar_resnet(3, channels, n_classes)
