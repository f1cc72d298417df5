"""Classifiers of torchvision and timm, adapted to the data.

timm (Wightman 2019, PyTorch Image Models; the optional extra `timm`) itself makes the first
convolution for the channels of the images and the heads for the classes. A network of a fixed image
size (torchvision's ViT; ViT, Swin, MaxViT and mixers of timm) is made for that of the images, so
that it takes every size that its patches divide. If patches do not divide the image, timm would
drop the rest, and the size is rejected.

torchvision is imported without torch's compiler, in .2 seconds per fold instead of 1.7. Its module
ops.roi_align imports one function of the compiler, which detection calls and classification never
does. While torchvision is imported, a placeholder replaces the module with that function, and
imports the function when it is called.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import nn

from foldwise.core.errors import InputError, did_you_mean
from foldwise.files.catalogue import TIMM_PREFIX, VIT_PREFIX
from foldwise.nets.adapt import adapt_channels, small_stem

COMPILER = "torch._dynamo.utils"


class _Placeholder(ModuleType):
    """A module whose functions are imported when they are called."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name.startswith("__"):  # attributes that Python looks up in every module
            raise AttributeError(name)

        def call(*args: object, **kwargs: object) -> object:
            function: Callable[..., object] = getattr(importlib.import_module(COMPILER), name)
            return function(*args, **kwargs)

        return call


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Prevent the import of the compiler; no effect if it has been imported before."""
    if COMPILER in sys.modules:
        yield
        return
    sys.modules[COMPILER] = _Placeholder(COMPILER)
    try:
        yield
    finally:
        del sys.modules[COMPILER]


with _without_compiler():
    from torchvision import models

__all__ = ["build", "models"]

# Without this option, they warn that the default will change to True, the papers' choice.
_INIT_WEIGHTS = ("googlenet", "inception_v3")


def build(  # noqa: PLR0913 - the four sizes of every build(), and what params.yaml sets
    channels: int,
    height: int,
    width: int,
    n_classes: int,
    name: str,
    stem: str | None = None,
    auxiliary: bool = True,
) -> nn.Module:
    """Return the architecture with random weights.

    Args:
        channels: Of the images.
        height: Of the images; only networks of a fixed image size depend on it.
        width: Of the images.
        n_classes: Number of classes.
        name: torchvision's name, or timm's with our prefix.
        stem: "small" for the stem for small images.
        auxiliary: Whether inception_v3 has its auxiliary head.

    Raises:
        InputError: If timm is not installed, has no such network, or says that the network does
            not take these channels.
        ValueError: If the patches of a network of timm do not divide the image.
    """
    if name.startswith(TIMM_PREFIX):
        module = _from_timm(name, channels, (height, width), n_classes)
    else:
        options: dict[str, Any] = {"init_weights": True} if name in _INIT_WEIGHTS else {}
        if name.startswith(VIT_PREFIX):
            options["image_size"] = height
        if not auxiliary:
            options["aux_logits"] = False
        module = models.get_model(name, weights=None, num_classes=n_classes, **options)
    if stem is not None:
        small_stem(module, name)
    if not name.startswith(TIMM_PREFIX):
        adapt_channels(module, channels)
    return module


def _from_timm(name: str, channels: int, size: tuple[int, int], n_classes: int) -> nn.Module:
    timm, timm_name = _import_timm(name), name.removeprefix(TIMM_PREFIX)
    options: dict[str, Any] = {"in_chans": channels, "num_classes": n_classes}
    if timm.get_pretrained_cfg(timm_name).fixed_input_size:
        options["img_size"] = size
    with warnings.catch_warnings():
        warnings.filterwarnings("error", r".*in_chans", UserWarning)
        try:
            module: nn.Module = timm.create_model(timm_name, pretrained=False, **options)
        except UserWarning as warning:
            reason = str(warning).rstrip(".")
            raise InputError(f"{name}: {reason}; choose another architecture") from None
    patches = (part for part in module.modules() if isinstance(part, timm.layers.PatchEmbed))
    first: Any = next(patches, None)
    if first is not None and not first.dynamic_img_pad:
        high, wide = first.patch_size
        if size[0] % high or size[1] % wide:
            raise ValueError(f"patches of {high}×{wide} px do not divide {size[0]}×{size[1]} px")
    return module


def _import_timm(name: str) -> Any:  # noqa: ANN401 - an optional package without types
    """Return timm if it has a network; importing it takes seconds."""
    try:
        timm = importlib.import_module("timm")
    except ImportError:
        raise InputError(
            f"{name} needs timm, which is not installed; "
            "pip install -c constraints.txt -e '.[timm]', or choose another architecture"
        ) from None
    existing = [f"{TIMM_PREFIX}{other}" for other in timm.list_models()]
    if name not in existing:
        near = did_you_mean(name, existing)
        raise InputError(
            f"{name} is unknown: timm {timm.__version__} has no network "
            f"'{name.removeprefix(TIMM_PREFIX)}'"
            f"{near or '; timm.list_models() returns the existing names'}"
        )
    return timm
