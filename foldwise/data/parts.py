"""Names of the parts of a data set, such as train and test, in folders and tables."""

import re
from collections.abc import Collection

TRAIN, VALIDATION, TEST, EVALUATION = "train", "validation", "test", "evaluation"
_WORDS = {
    **dict.fromkeys(("train", "training", "trainset", "trn", "trainval"), TRAIN),
    **dict.fromkeys(("val", "valid", "validate", "validation", "valset"), VALIDATION),
    **dict.fromkeys(("dev", "devset", "development"), VALIDATION),
    **dict.fromkeys(("test", "testing", "testset", "tst", "holdout"), TEST),
    **dict.fromkeys(("eval", "evaluation"), EVALUATION),
}
_FILLERS = frozenset(
    (
        *("set", "subset", "split", "part", "data", "dataset", "sample", "samples", "seg"),
        *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures"),
    )
)
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])")  # also in TrainSet


def part_roles(names: Collection[str]) -> dict[str, str]:
    """Return the role of each name of a part of a data set, such as Training or seg_test.

    Case, numbers, words such as "set" or "images", and words that all names share do not matter.

    Returns:
        "train", "validation" or "test" by name, without the names that are no parts. "eval" is
        the test set, unless another name is.
    """
    words = {name: {word.lower() for word in _WORD.findall(name)} for name in names}
    shared = set.intersection(*words.values()) if len(words) > 1 else set()
    roles: dict[str, str] = {}
    for name, every in words.items():
        rest = {word for word in every - _FILLERS if word in _WORDS or word not in shared}
        meant = {_WORDS.get(word) for word in rest} - ({VALIDATION} if "train" in rest else set())
        role = meant.pop() if len(meant) == 1 else None  # train_val is a training set
        if role:
            roles[name] = role
    evaluation = VALIDATION if TEST in roles.values() else TEST
    return {name: evaluation if role == EVALUATION else role for name, role in roles.items()}
