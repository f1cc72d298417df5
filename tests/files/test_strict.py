import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from foldwise.core.errors import did_you_mean, nearest
from foldwise.files.base import Strict


class Point(Strict):
    x: int
    y: float


@pytest.mark.parametrize(
    "content",
    [
        {"x": 1, "y": 2, "z": 3},
        {"x": 1},
        {"x": 1.0, "y": 2},
        {"x": True, "y": 2},
        {"x": 1, "y": True},
        {"x": "1", "y": 2},
        {"x": 1, "y": "2"},
        {"x": 1, "y": math.nan},
        {"x": 1, "y": math.inf},
    ],
)
def test_unknown_keys_other_types_nan_and_infinity_are_refused(content):
    with pytest.raises(ValidationError):
        Point.model_validate(content)


def test_record_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Point(x=1, y=2).x = 3


def test_one_typo_finds_its_word():
    known = ["epochs", "batch_size", "resnet18"]
    for word in ("epoch", "EPOCHS", "epocsh", "bach_size", "resnet8"):
        assert nearest(word, known) in known
    assert did_you_mean("epoch", known) == "; did you mean 'epochs'?"
    assert did_you_mean("lr", known) == did_you_mean("", known) == did_you_mean("x", []) == ""
    assert nearest("gpu", ["cpu"], cutoff=0.75) is None


@given(st.text() | st.integers(), st.lists(st.text()))
def test_what_is_meant_is_known(word, known):
    assert nearest(word, known) in [*known, None]
