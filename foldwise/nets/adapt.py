"""Adapt a network for 224×224 colour photographs: input channels, stem and position embeddings."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from foldwise.core.errors import InputError

IMAGE_CHANNELS = (1, 3, 4)  # of a convolution that takes images, and not what is made of them
# The first convolution and the pooling after it, in networks of torchvision and timm.
_STEMS = (
    ("conv1", "maxpool"),  # ResNet and its relatives, ShuffleNet
    ("features.conv0", "features.pool0"),  # DenseNet
    ("layer0.conv1", "pool0"),  # timm's legacy SENets
    ("stem.conv", "stem.pool"),  # timm's ResNets with activation before convolution
)
LARGE, SMALL = (7, 7), (3, 3)  # pixels; kernels for images of 224 pixels and for small images
HALVING = (2, 2)  # stride
MOST_PREFIX = 5  # tokens before the patches: a class token and four registers


def first_convolution(module: nn.Module) -> nn.Conv2d | None:
    """Return the first convolution in the order in which a network lists its modules."""
    return next((part for part in module.modules() if isinstance(part, nn.Conv2d)), None)


def adapt_kernel(kernel: Tensor, channels: int) -> Tensor:
    """Return a kernel for another number of input channels whose output has the same scale.

    As timm does (Wightman, pytorch-image-models, adapt_input_conv). For one channel: the sum, so
    that a grey image gives exactly the output of a colour image with three equal channels. For
    other numbers: the channels repeated cyclically and rescaled.

    Args:
        kernel: (out, c, height, width).
        channels: Of the images; c returns the kernel unchanged.

    Returns:
        (out, channels, height, width).
    """
    old_channels = kernel.shape[1]
    if channels == old_channels:
        return kernel
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    repeated = kernel.repeat(1, math.ceil(channels / old_channels), 1, 1)
    return repeated[:, :channels] * (old_channels / channels)


def adapt_channels(module: nn.Module, channels: int) -> None:
    """Change the first convolution of a network to take images with this number of channels.

    The initial kernel is adapted and not drawn again, so that the network's own initialisation
    holds. A network that takes these channels already stays unchanged. So does one that begins
    without a convolution, or with one that is grouped, computes its weight, or takes other channels
    than images have; `require_fit` then tells whether it takes the images.
    """
    convolution = first_convolution(module)
    if convolution is None or convolution.groups > 1 or convolution.in_channels == channels:
        return
    parameters = dict(convolution.named_parameters(recurse=False))
    if "weight" not in parameters or convolution.in_channels not in IMAGE_CHANNELS:
        return
    convolution.weight = nn.Parameter(adapt_kernel(convolution.weight.detach(), channels))
    convolution.in_channels = channels


class Grids(NamedTuple):
    """Two square grids of patches whose position embeddings begin with the same tokens.

    Attributes:
        prefix: Tokens before the patches, such as the class token.
        old: Patches in a row of the first grid.
        new: Patches in a row of the second grid.
    """

    prefix: int
    old: int
    new: int


def find_grids(old_shape: torch.Size, new_shape: torch.Size) -> Grids | None:
    """Return the grids of two position embeddings (1, tokens, d); None if they are none."""
    if len(old_shape) != 3 or len(new_shape) != 3 or old_shape[0] != 1:
        return None
    (_, n_old, old_width), (_, n_new, new_width) = old_shape, new_shape
    if (new_shape[0], new_width) != (1, old_width):
        return None
    for prefix in range(min(MOST_PREFIX + 1, n_old, n_new)):
        sides = math.isqrt(n_old - prefix), math.isqrt(n_new - prefix)
        if [side**2 + prefix for side in sides] == [n_old, n_new]:
            return Grids(prefix, *sides)
    return None


def adapt_positions(embeddings: Tensor, grids: Grids) -> Tensor:
    """Return position embeddings for another grid of patches, by bicubic interpolation.

    As timm does (Wightman, pytorch-image-models, resample_abs_pos_embed): shrinking averages
    (antialias), and the tokens before the patches stay.

    Args:
        embeddings: (1, prefix + old², d).
        grids: Both grids.

    Returns:
        (1, prefix + new², d).
    """
    tokens, patches = embeddings[:, : grids.prefix], embeddings[:, grids.prefix :]
    image = patches.float().mT.reshape(1, -1, grids.old, grids.old)
    size = (grids.new, grids.new)
    resized = functional.interpolate(image, size, mode="bicubic", antialias=True)
    return torch.cat([tokens, resized.flatten(2).mT.to(embeddings.dtype)], dim=1)


def small_stem(module: nn.Module, name: str) -> nn.Module:
    """Replace a 7×7 convolution with stride 2 and max pooling by a 3×3 convolution with stride 1.

    A network for images of 224 pixels then keeps feature maps of 32×32 where it would begin with
    8×8. He et al. 2016, Deep residual learning for image recognition, section 4.2, begin their
    networks for CIFAR-10 like that; Huang et al. 2017, Densely connected convolutional networks,
    section 4.2, theirs. The new kernel is initialised as ResNet's: He et al. 2015, normal, by fan
    out. A stem of 3×3 kernels, as the three of ResNet-D, keeps them, the first with stride 1.

    Args:
        module: A ResNet or relative, or a DenseNet; it is changed in place.
        name: Of the network, for the error.

    Raises:
        InputError: If the network begins in another way.
    """
    parts = dict(module.named_modules())
    for convolution, pool in _STEMS:
        small = _small(parts[convolution]) if {convolution, pool} <= parts.keys() else None
        if small is not None:
            module.set_submodule(convolution, small)
            module.set_submodule(pool, nn.Identity())
            return module
    raise InputError(
        f"{name} has no stem of a 7×7 convolution and a max pooling to make small; leave out "
        "stem, or choose a ResNet, ResNeXt, Wide ResNet, DenseNet or ShuffleNet"
    )


def _small(stem: nn.Module) -> nn.Module | None:
    """Return the replacement of one or several convolutions; None if their stride is not 2."""
    if isinstance(stem, nn.Sequential):
        first = _small(stem[0])
        if first is None:
            return None
        stem[0] = first
        return stem
    # No subclasses: a plain convolution cannot replace one that standardises its weights.
    if type(stem) is not nn.Conv2d or stem.stride != HALVING:
        return None
    if stem.kernel_size == SMALL:
        stem.stride = (1, 1)
        return stem
    if stem.kernel_size != LARGE:
        return None
    bias = stem.bias is not None
    small = nn.Conv2d(stem.in_channels, stem.out_channels, SMALL, padding=1, bias=bias)
    nn.init.kaiming_normal_(small.weight, mode="fan_out", nonlinearity="relu")
    return small
