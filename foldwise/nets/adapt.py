"""The first convolution of a network for colour images, made to take other channels."""

import math

from torch import Tensor, nn

from foldwise.core.errors import InputError


def first_convolution(module: nn.Module) -> nn.Conv2d | None:
    """Return the convolution that sees the image, as a network lists its modules."""
    return next((part for part in module.modules() if isinstance(part, nn.Conv2d)), None)


def adapt_kernel(kernel: Tensor, channels: int) -> Tensor:
    """Return a kernel for images of other channels that answers as strongly.

    As timm does (Wightman, pytorch-image-models, adapt_input_conv). For one channel: the sum,
    so that a grey image gets exactly the answer that it got as a colour image with three equal
    channels. For others: channels repeated in turn, rescaled by their number.

    Args:
        kernel: (out, c, height, width).
        channels: Of the images; c leaves the kernel as it is.

    Returns:
        (out, channels, height, width).
    """
    given = kernel.shape[1]
    if channels == given:
        return kernel
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    repeated = kernel.repeat(1, math.ceil(channels / given), 1, 1)
    return repeated[:, :channels] * (given / channels)


def adapt_channels(module: nn.Module, channels: int) -> None:
    """Make a network take images of these channels: its first convolution changes, nothing else.

    The initial kernel is adapted, not drawn anew: so the network starts as its authors meant it
    to, whatever their rule of initialisation is. A network that begins without a convolution, or
    with one for each channel, stays as it is: it takes the images or is refused.
    """
    convolution = first_convolution(module)
    if convolution is None or convolution.groups > 1:
        return
    convolution.weight = nn.Parameter(adapt_kernel(convolution.weight.detach(), channels))
    convolution.in_channels = channels


# Where networks of torchvision and timm have their first convolution, and the pooling behind it.
_PLACES = (
    ("conv1", "maxpool"),  # ResNet and all that is built on it, ShuffleNet
    ("features.conv0", "features.pool0"),  # DenseNet
    ("layer0.conv1", "pool0"),  # timm's legacy SENets
    ("stem.conv", "stem.pool"),  # timm's ResNets with activation before convolution
)
LARGE, SMALL = (7, 7), (3, 3)  # pixels; the kernel for images of 224, and for small ones
HALVING = (2, 2)  # stride


def small_stem(module: nn.Module, name: str) -> nn.Module:
    """Replace 7×7, stride 2 and max pooling by 3×3, stride 1 and no pooling.

    So a network for images of 224 pixels keeps maps of 32×32 where it would begin with 8×8. He et
    al. 2016, Deep residual learning for image recognition, section 4.2, begin their networks for
    CIFAR-10 like that; Huang et al. 2017, Densely connected convolutional networks, section 4.2,
    theirs. The new kernel starts as ResNet's: He et al. 2015, normal, by fan out. A stem that has
    3×3 kernels already, as ResNet-D's three, keeps them, the first with stride 1.

    Args:
        module: A ResNet or relative, or a DenseNet; it is changed.
        name: Of the network, for the error.

    Raises:
        InputError: If the network begins in another way.
    """
    parts = dict(module.named_modules())
    for convolution, pool in _PLACES:
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
    """Return what takes the place of a convolution, or of several; None if it halves nothing."""
    if isinstance(stem, nn.Sequential):
        first = _small(stem[0])
        if first is None:
            return None
        stem[0] = first
        return stem
    # Not one of those that standardise their weights: another convolution would not do as well.
    if type(stem) is not nn.Conv2d or stem.stride != HALVING:
        return None
    if stem.kernel_size == SMALL:
        stem.stride = (1, 1)
        return stem
    return _like(stem) if stem.kernel_size == LARGE else None


def _like(old: nn.Conv2d) -> nn.Conv2d:
    new = nn.Conv2d(old.in_channels, old.out_channels, SMALL, padding=1, bias=old.bias is not None)
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    return new


MIN_BN_MOMENTUM = 0.1  # share of a batch in BatchNorm's running statistics, at least


def raise_bn_momentum(module: nn.Module) -> None:
    """Raise the momentum of every BatchNorm to torch's own where it is lower."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and part.momentum is not None:
            part.momentum = max(part.momentum, MIN_BN_MOMENTUM)
