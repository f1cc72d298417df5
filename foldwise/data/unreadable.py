"""Images that cannot be read: list them all, or skip them."""

from collections.abc import Mapping

import numpy as np

from foldwise.core.errors import InputError, lines_by_reason
from foldwise.data.sources import ImageSource


class MissingSettingError(InputError):
    """An image that params.yaml does not say how to read; it is never skipped."""


def check_unreadable(source: ImageSource, unreadable: dict[int, InputError], *, skip: bool) -> None:
    """Stop because of unreadable images, or if a class has no others.

    Args:
        source: The images.
        unreadable: The error of each position.
        skip: Whether to go on without these images.

    Raises:
        InputError: With one line for each image, or for each reason that many share.
    """
    if unreadable and not skip:
        raise InputError(list_unreadable(source, unreadable))
    if unset := {p: e for p, e in unreadable.items() if isinstance(e, MissingSettingError)}:
        raise InputError(list_unreadable(source, unset))
    cells = 2 * source.labels + source.is_test  # of class and part
    n_left = np.bincount(np.delete(cells, list(unreadable)), minlength=cells.max() + 1)
    lost = {p: error for p, error in unreadable.items() if not n_left[cells[p]]}
    if lost:
        names = dict.fromkeys(source.classes[source.labels[position]] for position in lost)
        raise InputError(
            f"{list_unreadable(source, lost)}\nprepare.unreadable is skip, but these are all "
            f"images of the classes {', '.join(names)}; replace them or remove the classes"
        )


def list_unreadable(source: ImageSource, unreadable: Mapping[int, InputError]) -> str:
    """Return one line per image, or for each reason that many share."""
    names = {position: f"{source.root}/{source.files[position]}" for position in unreadable}
    return lines_by_reason((names[p], str(error)) for p, error in unreadable.items())
