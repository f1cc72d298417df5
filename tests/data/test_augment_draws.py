import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldwise.data.augment import draw_augmentation, is_identity, shift_pixels
from foldwise.files.params import AugmentSection

OFF = {"shift": 0, "flip": 0.0, "rotation": 0.0, "erase": 0.0, "brightness": 0.0, "contrast": 0.0}
ALL = {
    "shift": 0.3,
    "flip": 0.5,
    "rotation": 15.0,
    "erase": 0.5,
    "brightness": 0.2,
    "contrast": 0.3,
}


def shape(n):
    return (n, 10, 12)


FIELDS = ("shift", "flip", "angle", "brightness", "contrast", "erased")


def same(first, second):
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in FIELDS)


def test_a_recipe_of_zeros_changes_nothing():
    draws = draw_augmentation(AugmentSection(**OFF), shape(500), 0, (0, 0, 1))
    assert not draws.shift.any()
    assert not draws.flip.any()
    assert not draws.angle.any()
    assert not draws.erased[:, 2:].any()
    assert (draws.brightness == 1).all()
    assert (draws.contrast == 1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 14), st.floats(0, 180), st.floats(0, 0.99), st.integers(0, 2**32 - 1))
def test_draws_stay_within_the_recipe(shift, rotation, factor, seed):
    recipe = AugmentSection(
        **ALL | {"shift": shift / 28, "rotation": rotation, "brightness": factor}
    )
    draws = draw_augmentation(recipe, (300, 28, 28), seed, (1, 2, 3))
    assert np.abs(draws.shift).max() <= shift
    assert np.abs(draws.angle).max() <= np.deg2rad(rotation) + 1e-6
    assert np.abs(draws.brightness - 1).max() <= factor + 1e-6
    top, left, height, width = draws.erased.T
    assert min(top.min(), left.min()) >= 0
    assert (top + height).max() <= 1 + 1e-6
    assert (left + width).max() <= 1 + 1e-6


def test_every_shift_is_equally_likely():
    shift = draw_augmentation(
        AugmentSection(**OFF | {"shift": 0.2}), shape(50_000), 0, (0, 0, 1)
    ).shift
    counts = np.stack([np.bincount(column + 2, minlength=5) for column in shift.T])
    assert np.abs(counts / 10_000 - 1).max() < 0.05


def test_probabilities_are_those_of_the_recipe():
    draws = draw_augmentation(
        AugmentSection(**ALL | {"flip": 0.3, "erase": 0.1}), shape(50_000), 0, (0, 0, 1)
    )
    assert draws.flip.mean() == pytest.approx(0.3, abs=0.01)
    assert (draws.erased[:, 2] > 0).mean() == pytest.approx(0.1, abs=0.01)


def test_each_repeat_fold_and_epoch_draws_anew():
    places = [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 1)]
    drawn = [draw_augmentation(AugmentSection(**ALL), shape(100), 0, place) for place in places]
    assert not any(same(drawn[a], drawn[b]) for a in range(4) for b in range(a))
    assert same(drawn[0], draw_augmentation(AugmentSection(**ALL), shape(100), 0, places[0]))


def test_switching_one_part_off_leaves_the_others():
    every = draw_augmentation(AugmentSection(**ALL), shape(100), 0, (0, 0, 1))
    fewer = draw_augmentation(
        AugmentSection(**ALL | {"flip": 0.0, "shift": 0}), shape(100), 0, (0, 0, 1)
    )
    for name in ("angle", "brightness", "contrast", "erased"):
        assert np.array_equal(getattr(every, name), getattr(fewer, name))


def test_rows_go_with_their_images():
    every = draw_augmentation(AugmentSection(**ALL), shape(100), 0, (0, 0, 1))
    rows = every.take(np.array([7, 3]))
    for name in FIELDS:
        assert np.array_equal(getattr(rows, name), getattr(every, name)[[7, 3]])


def test_golden_draws():
    """Changes only with the random stream of the augmentation, and then every result does."""
    draws = draw_augmentation(AugmentSection(**ALL), shape(3), 0, (0, 0, 1))
    assert draws.shift.tolist() == [[2, -1], [0, 0], [2, 0]]
    assert draws.angle.tolist() == pytest.approx([0.0767427, -0.1580676, -0.0258047], abs=1e-6)


def test_shift_is_a_share_of_the_shorter_side_in_whole_pixels():
    recipe = AugmentSection(**OFF | {"shift": 0.1})
    assert [shift_pixels(recipe, side, 99) for side in (4, 28, 64)] == [0, 3, 6]
    assert is_identity(recipe, 4, 99)
    assert not is_identity(recipe, 28, 99)
    assert not is_identity(AugmentSection(**OFF | {"flip": 0.1}), 4, 99)
