"""Which images of the data set show a confused pair."""

from stages.contracts.command import InputError
from stages.contracts.confused import Confused
from stages.contracts.dataset import Dataset

EXAMPLES = 8  # of a pair: a strip of 96-pixel images is 796 pixels wide


def choose(confused: Confused, dataset: Dataset, place: str) -> list[list[int]]:
    """Return the positions of the images of each pair, the surest mistakes first.

    Args:
        confused: The pairs.
        dataset: Where the images are.
        place: The file of the pairs.

    Raises:
        InputError: If an image is not of the data set's training part, or of another class.
    """
    for pair in confused.pairs:
        for example in pair.examples:
            _require(example.image, pair.true, dataset, place)
    return [[one.image for one in pair.examples[:EXAMPLES]] for pair in confused.pairs]


def _require(image: int, true: str, dataset: Dataset, place: str) -> None:
    n, remedy = dataset.info.n_train, "run 'dvc repro', so that both are of the same data"
    if image >= n:
        raise InputError(f"{place}: image is {image}; expected less than {n}; {remedy}")
    found = dataset.info.classes[dataset.labels[image]]
    if found != true:
        raise InputError(
            f"{place}: image {image} is of class {found!r}; expected {true!r}; {remedy}"
        )
