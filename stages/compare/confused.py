"""Which pairs of classes the chosen architecture confuses most, with images that show it."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from stages.contracts.confused import Confused, ConfusedPair, Example
from stages.contracts.fold_record import Mistake

PAIRS = 6
EXAMPLES = 8  # of each pair


def most_confused(
    model: str,
    matrix: NDArray[np.int64],
    mistakes: Iterable[Mistake],
    classes: Sequence[str],
) -> Confused:
    """Return the pairs of most images; of equal ones those with examples lead, then the first.

    Args:
        model: Name of the architecture.
        matrix: Its images by (true class, predicted class), all folds together.
        mistakes: Of all its folds.
        classes: Names, one a class.
    """
    found = list(mistakes)
    images = matrix.sum(axis=1)
    shown = {(one.true, one.predicted) for one in found}
    wrong = [(int(t), int(p)) for t, p in np.argwhere(matrix) if t != p]
    ranked = sorted(wrong, key=lambda pair: (-matrix[pair], pair not in shown))
    return Confused(
        model=model,
        pairs=[
            ConfusedPair(
                true=classes[true],
                predicted=classes[predicted],
                images=int(matrix[true, predicted]),
                share=float(matrix[true, predicted] / images[true]),
                examples=_examples(
                    one for one in found if (one.true, one.predicted) == (true, predicted)
                ),
            )
            for true, predicted in ranked[:PAIRS]
        ],
    )


def _examples(mistakes: Iterable[Mistake]) -> list[Example]:
    """Return each image once, with the surest mistake of any repeat; the surest first."""
    surest: dict[int, float] = {}
    for one in mistakes:
        surest[one.image] = max(one.confidence, surest.get(one.image, 0.0))
    order = sorted(surest, key=lambda image: (-surest[image], image))
    return [Example(image=image, confidence=surest[image]) for image in order[:EXAMPLES]]
