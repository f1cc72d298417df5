"""The first convolution of a network for colour images, made to take other channels."""

import math

from torch import Tensor, nn


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
