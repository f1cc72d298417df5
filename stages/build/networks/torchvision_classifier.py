"""Every classification architecture of torchvision, adapted to the data.

The papers are in stages/build/catalogue.py.

Deviations from torchvision: the first convolution takes the data's channels, and every
classifier has the data's classes, those of the auxiliary heads of GoogLeNet and Inception
included. Both networks keep these heads. GoogLeNet's pool to 4×4 whatever comes, so they learn
from small images, too; Inception's need 17×17 maps and so set the smallest image that it takes.
"""

from typing import Any

from torch import nn
from torchvision.models import get_model

from stages.build.channels import adapt_channels

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
    return module
