"""Images of any number of channels as pictures that one can look at."""

import numpy as np
from numpy.typing import NDArray


def visible(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return red, green and blue, (..., 3): the first three channels, or the first one as grey.

    Args:
        images: (..., c) of one channel or more.
    """
    if images.shape[-1] >= 3:
        return images[..., :3]
    return np.repeat(images[..., :1], 3, axis=-1)
