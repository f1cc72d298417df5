"""Names that a package exports without importing their modules before they are used."""

import importlib
from collections.abc import Callable, Mapping


def lazy_exports(modules: Mapping[str, str]) -> tuple[Callable[[str], object], list[str]]:
    """Return `__getattr__` and `__all__` of a package (PEP 562).

    Importing a package stays fast this way, and a module does not depend on its siblings only
    because their package exports them.

    Args:
        modules: By module, the names that the package exports from it, separated by spaces.
    """
    sources = {name: module for module, names in modules.items() for name in names.split()}

    def getattribute(name: str) -> object:
        if name not in sources:
            raise AttributeError(f"this package exports no {name!r}; it exports {sorted(sources)}")
        return getattr(importlib.import_module(sources[name]), name)

    return getattribute, sorted(sources)
