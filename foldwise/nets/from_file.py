"""A network in a Python file of the user's own, below nets/.

The class is called with those of channels, height, width and n_classes that it takes; without
channels, its first convolution is adapted.
"""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

from torch import nn

from foldwise.core.errors import InputError
from foldwise.nets.adapt import adapt_channels


def build(
    channels: int, height: int, width: int, n_classes: int, file: str, attribute: str
) -> nn.Module:
    """Return the network with fresh weights.

    Args:
        channels: Of the images.
        height: Of the images.
        width: Of the images.
        n_classes: Of the data set.
        file: Path of the Python file, from the top of the project.
        attribute: A class or function in it that returns a module.

    Raises:
        InputError: If there is no such file or attribute, it wants arguments that Foldwise does
            not know, or returns no module.
    """
    loaded = _load(file)
    make = getattr(loaded, attribute, None)
    if not callable(make):
        known = sorted(
            name
            for name, one in vars(loaded).items()
            if getattr(one, "__module__", None) == loaded.__name__
        )
        raise InputError(
            f"{file} has no class or function {attribute!r}; it has {', '.join(known) or 'none'}"
        )
    sizes = {"channels": channels, "height": height, "width": width, "n_classes": n_classes}
    parameters = inspect.signature(make).parameters
    needed = [
        name
        for name, one in parameters.items()
        if name not in sizes and one.default is one.empty and one.kind not in (2, 4)
    ]
    if needed:
        raise InputError(
            f"{file}: {attribute} needs {', '.join(needed)}; expected no arguments without a "
            f"default but {', '.join(sizes)}"
        )
    module = make(**{name: size for name, size in sizes.items() if name in parameters})
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{file}: {attribute} returns a {type(module).__name__}; expected a torch.nn.Module"
        )
    if "channels" not in parameters:
        adapt_channels(module, channels)
    return module


def _load(file: str) -> ModuleType:
    if not Path(file).is_file():
        raise InputError(f"{file} is missing; put the network there, or correct the path")
    spec = importlib.util.spec_from_file_location("own_network", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - whatever a user's file raises is an error in it
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise InputError(f"{file} cannot be imported ({reason}); mend it") from None
    return module
