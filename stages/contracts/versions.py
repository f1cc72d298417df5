"""What computes, by its versions: other ones may give other bits."""

import platform
from importlib.metadata import version

PACKAGES = ("numpy", "torch", "torchvision")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute, without importing them."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
