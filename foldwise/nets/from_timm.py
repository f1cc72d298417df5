"""Every image classifier of timm, adapted to the data.

Wightman 2019, PyTorch Image Models; needs the optional extra `timm`. The papers are in timm's
documentation.

timm itself makes the first convolution for the channels of the images and the heads for the
classes. A network of a fixed image size (ViT, Swin, MaxViT, mixers) is made for the size of the
images, so that it takes every size that its patches divide; its position embeddings then have
other shapes than in weights for another size. If patches do not divide the image, timm would drop
the rest, and the size is rejected. BatchNorm is adapted as foldwise/nets/adapt.py says.
"""

import importlib
import warnings
from typing import Any

from torch import nn

from foldwise.core.errors import InputError, did_you_mean
from foldwise.files.catalogue import TIMM_PREFIX
from foldwise.nets.adapt import raise_bn_momentum, small_stem


def build(
    channels: int, height: int, width: int, n_classes: int, name: str, stem: str | None = None
) -> nn.Module:
    """Return the architecture with random weights.

    Args:
        channels: Of the images.
        height: Of the images.
        width: Of the images.
        n_classes: Number of classes.
        name: timm's name, without our prefix.
        stem: "small" for the stem for small images.

    Raises:
        InputError: If timm is not installed, has no such network, or says that the network does
            not take these channels.
        ValueError: If patches do not divide the image.
    """
    timm = _import_timm(name)
    options: dict[str, Any] = {"in_chans": channels, "num_classes": n_classes}
    if timm.get_pretrained_cfg(name).fixed_input_size:
        options["img_size"] = (height, width)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", r".*in_chans", UserWarning)
        try:
            module: nn.Module = timm.create_model(name, pretrained=False, **options)
        except UserWarning as warning:
            raise InputError(
                f"{TIMM_PREFIX}{name}: {str(warning).rstrip('.')}; choose another architecture"
            ) from None
    _require_whole_patches(module, (height, width), timm.layers.PatchEmbed)
    if stem is not None:
        small_stem(module, f"{TIMM_PREFIX}{name}")
    raise_bn_momentum(module)
    return module


def _require_whole_patches(module: nn.Module, size: tuple[int, int], kind: type[nn.Module]) -> None:
    first: Any = next((part for part in module.modules() if isinstance(part, kind)), None)
    if first is None or first.dynamic_img_pad:
        return
    high, wide = first.patch_size
    if size[0] % high or size[1] % wide:
        raise ValueError(f"patches of {high}×{wide} px do not divide {size[0]}×{size[1]} px")


def _import_timm(name: str) -> Any:  # noqa: ANN401 - an optional package without types
    """Return timm if it has a network; importing it takes seconds."""
    try:
        timm = importlib.import_module("timm")
    except ImportError:
        raise InputError(
            f"{TIMM_PREFIX}{name} needs timm, which is not installed; "
            "pip install -c constraints.txt -e '.[timm]', or choose another architecture"
        ) from None
    existing = timm.list_models()
    if name not in existing:
        near = did_you_mean(f"{TIMM_PREFIX}{name}", [f"{TIMM_PREFIX}{other}" for other in existing])
        raise InputError(
            f"{TIMM_PREFIX}{name} is unknown: timm {timm.__version__} has no network '{name}'"
            f"{near or '; timm.list_models() returns the existing names'}"
        )
    return timm
