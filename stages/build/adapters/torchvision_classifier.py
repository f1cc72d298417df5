"""Every classification architecture of torchvision, adapted to the data.

The papers are in stages/build/catalogue.py.

Deviations from torchvision: the first convolution takes the data's channels, and every
classifier has the data's classes, those of the auxiliary heads of GoogLeNet and Inception
included. Both networks keep these heads. GoogLeNet's pool to 4×4 whatever comes, so they learn
from small images, too; Inception's need 17×17 maps and so set the smallest image that it takes.
BatchNorm follows as stages/build/momentum.py says. Transformers keep the one size for which
torchvision makes them, that of their weights.
"""

from typing import Any

from torch import nn

from stages.build.channels import adapt_channels
from stages.build.light_torchvision import models
from stages.build.momentum import follow
from stages.build.stem import small_stem

# Both would warn that their default will change. True is that default, and the papers'.
_OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"init_weights": True},
    "inception_v3": {"init_weights": True},
}


def build(
    channels: int,
    height: int,  # noqa: ARG001 - the caller sees to it that the size fits
    width: int,  # noqa: ARG001
    n_classes: int,
    name: str,
    stem: str | None = None,
) -> nn.Module:
    """Return the architecture with fresh weights; `stem` may be "small"."""
    options = _OPTIONS.get(name, {})
    module: nn.Module = models.get_model(name, weights=None, num_classes=n_classes, **options)
    if stem is not None:
        small_stem(module, name)
    adapt_channels(module, channels)
    follow(module)
    return module
