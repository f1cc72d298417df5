"""The stem of ResNets and their relatives for small images."""

from torch import nn

from stages.contracts.command import InputError

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
