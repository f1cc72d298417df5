"""An own network: a class or function in a Python file below nets/.

It is called with those of channels, height, width and n_classes that it takes. Without channels,
its first convolution is adapted. The file may import other files below nets/.
"""

import importlib
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType

from torch import nn

from foldwise.core.errors import InputError
from foldwise.files.own_network import PACKAGE, module_name
from foldwise.nets.adapt import adapt_channels
from foldwise.nets.network import MISFITS


def build(
    channels: int, height: int, width: int, n_classes: int, file: str, attribute: str
) -> nn.Module:
    """Return the network with random weights.

    Args:
        channels: Of the images.
        height: Of the images.
        width: Of the images.
        n_classes: Number of classes.
        file: Path of the Python file below nets/, relative to the project.
        attribute: A class or function in it that returns a module.

    Raises:
        InputError: If there is no such file or attribute, if it needs other arguments, or if it
            returns no module.
    """
    loaded = _load(file)
    make = getattr(loaded, attribute, None)
    if not callable(make):
        items = sorted(vars(loaded).items())
        defined = [name for name, value in items if inspect.getmodule(value) is loaded]
        raise InputError(
            f"{file} has no class or function {attribute!r}; it has {', '.join(defined) or 'none'}"
        )
    sizes = {"channels": channels, "height": height, "width": width, "n_classes": n_classes}
    signature = inspect.signature(make)
    arguments = {name: size for name, size in sizes.items() if name in signature.parameters}
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise InputError(
            f"{file}: {attribute}: {error}; expected no arguments without a default but "
            f"{', '.join(sizes)}"
        ) from None
    try:
        module = make(**arguments)
    except MISFITS:
        raise  # images of another size may do
    except Exception as error:  # noqa: BLE001 - any other exception is an error in the file
        raise InputError(
            f"{file}: {attribute} fails with {type(error).__name__}: {describe_error(error)}; "
            "mend it"
        ) from None
    if not isinstance(module, nn.Module):
        raise InputError(
            f"{file}: {attribute} returns a {type(module).__name__}; expected a torch.nn.Module"
        )
    if "channels" not in arguments:
        adapt_channels(module, channels)
    return module


def describe_error(error: Exception) -> str:
    """Return the message of an error on one line, with the line of the user's own file."""
    text = " ".join(str(error).split()) or type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(PACKAGE).resolve() in Path(frame.filename).parents]
    if not inside:
        return text
    return f"{text}, in line {inside[-1].lineno} of {Path(inside[-1].filename).name}"


def _load(file: str) -> ModuleType:
    """Import the file, and the files that it imports, anew: they may have changed."""
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    # The package of this project, whatever the working directory and sys.path say later.
    package = ModuleType(PACKAGE)
    package.__path__ = [str(Path(PACKAGE).resolve())]
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name(file))
    except Exception as error:  # noqa: BLE001 - any exception of a user's file is an error in it
        reason = f"{type(error).__name__}: {describe_error(error)}"
        raise InputError(
            f"{file} cannot be imported ({reason}); mend it, or install what it imports; files in "
            f"{PACKAGE}/ are imported as {PACKAGE}.NAME"
        ) from None
