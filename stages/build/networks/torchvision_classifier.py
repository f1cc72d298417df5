"""Every classification architecture of torchvision, adapted to the data.

The papers are in stages/build/catalogue.py.

Deviations from torchvision: the first convolution takes the data's channels, and every
classifier has the data's classes, those of the auxiliary heads of GoogLeNet and Inception
included. Both networks keep these heads. GoogLeNet's pool to 4×4 whatever comes, so they learn
from small images, too; Inception's need 17×17 maps and so set the smallest image that it takes.

MobileNetV3, MNASNet, MaxViT and EfficientNet B5 to B7 average the statistics of BatchNorm over
hundreds or thousands of steps, more than a comparison has: in 180 steps MobileNetV3 learned its
training batches and was at chance in eval mode, .101; with torch's own 0.1 of each batch, which
all take here, it reached .944.
"""

from typing import Any

from torch import nn
from torchvision.models import get_model

from stages.build.channels import adapt_channels

MOMENTUM = 0.1  # share of a batch in BatchNorm's running statistics, at least

# Both would warn that their default will change. True is that default, and the papers'.
_OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"init_weights": True},
    "inception_v3": {"init_weights": True},
}


def build(channels: int, height: int, width: int, n_classes: int, name: str) -> nn.Module:  # noqa: ARG001
    """Return the architecture with fresh weights; the caller sees to it that the size fits."""
    options = _OPTIONS.get(name, {})
    module: nn.Module = get_model(name, weights=None, num_classes=n_classes, **options)
    adapt_channels(module, channels)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d) and part.momentum is not None:
            part.momentum = max(part.momentum, MOMENTUM)
    return module
