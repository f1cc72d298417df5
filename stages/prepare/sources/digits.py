"""scikit-learn's handwritten digits: 1,797 images of 8×8, within the package, hence offline.

E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
"""

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from stages.prepare.source import Source

BRIGHTEST = 16  # a pixel counts the dark dots, 0 .. 16, of a 4×4 block of the scan


def open_digits() -> Source:
    """Return the digits, scaled from 0 .. 16 to 0 .. 255; there is no official test set."""
    digits = load_digits()
    pixels = np.round(digits.images * 255 / BRIGHTEST).astype(np.uint8)  # (n, 8, 8)
    return Source(
        root="digits",
        classes=[str(digit) for digit in range(10)],
        files=[f"{index:04d}" for index in range(len(pixels))],
        labels=digits.target.astype(np.int64),
        is_test=np.zeros(len(pixels), dtype=np.bool_),
        is_published=True,
        load=lambda index: Image.fromarray(pixels[index]),
    )
