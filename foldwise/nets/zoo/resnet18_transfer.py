"""ResNet-18 whose lower half is pretrained and frozen and whose upper half is fresh.

A network of the lesson that Foldwise grew from. He, Zhang, Ren and Sun 2016, Deep residual
learning for image recognition, CVPR, table 1, as torchvision has it; what is kept and what is
learnt anew follows Yosinski et al. 2014, How transferable are features in deep neural networks?,
NIPS: the lower layers are general.

Deviations: none for colour images. For images of other channels the pretrained kernels of the
first convolution are adapted (foldwise/nets/adapt.py).
"""

from torch import nn

from foldwise.nets.adapt import adapt_channels
from foldwise.nets.from_library import models

TITLE = "ResNet-18 (He et al. 2016), pretrained and frozen up to stage 2"
FROZEN: tuple[str, ...] = ("conv1", "bn1", "layer1", "layer2")  # as pretrained
WEIGHTS_OF = "resnet18"  # whose published weights it takes


def build(channels: int, height: int, width: int, n_classes: int) -> nn.Module:  # noqa: ARG001
    """Return the network with random weights; those of FROZEN wait for pretrained ones."""
    module: nn.Module = models.resnet18(weights=None, num_classes=n_classes)
    adapt_channels(module, channels)
    return module
