"""torchvision's models, imported without torch's compiler: .2 seconds a fold instead of 1.7.

torchvision.ops imports one function of the compiler, which detection calls and classification
never does. While torchvision is imported, a module stands in that imports the function when it is
called.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import nn

from foldwise.nets.adapt import adapt_channels, raise_bn_momentum, small_stem

COMPILER = "torch._dynamo.utils"


class _Later(ModuleType):
    """A module whose functions are imported when they are called."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        if name.startswith("__"):  # what Python asks of every module
            raise AttributeError(name)

        def call(*arguments: object, **keywords: object) -> object:
            function: Callable[..., object] = getattr(importlib.import_module(COMPILER), name)
            return function(*arguments, **keywords)

        return call


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Keep the compiler from being imported within; where it has been before, nothing changes."""
    if COMPILER in sys.modules:
        yield
        return
    sys.modules[COMPILER] = _Later(COMPILER)
    try:
        yield
    finally:
        del sys.modules[COMPILER]


with _without_compiler():
    from torchvision import models

__all__ = ["models"]


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
    raise_bn_momentum(module)
    return module
