import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import FACTS, LIMITS, facts_of

from foldwise.plan.rules import (
    MIN_STEPS,
    enlarged_side,
    is_clean,
    is_large_data,
    is_like_imagenet,
    is_small_data,
    max_downsamplings,
    min_epochs,
    why_too_heavy,
)


@given(st.integers(1, 4096))
def test_downsamplings_leave_maps_of_7_pixels_and_one_more_would_not(side):
    n = max_downsamplings(side)
    assert side / 2 ** (n + 1) < 7
    assert n == 0 or side / 2**n >= 7


@pytest.mark.parametrize(("side", "n"), [(8, 0), (14, 1), (28, 2), (32, 2), (64, 3), (224, 5)])
def test_downsamplings_are_as_many_as_the_networks_for_that_size_have(side, n):
    assert max_downsamplings(side) == n


@given(FACTS, st.integers(0, 10**12))
def test_without_a_gpu_nothing_is_heavier_than_the_threshold(facts, macs):
    is_refused = why_too_heavy(macs, facts, LIMITS) is not None
    assert is_refused == (not facts.has_gpu and macs > 1.5e9)


@given(FACTS)
def test_only_photos_in_colour_that_are_large_resemble_imagenet(facts):
    if is_like_imagenet(facts, LIMITS):
        assert facts.channels == 3
        assert facts.side >= LIMITS.transfer_side
        assert not is_clean(facts, LIMITS)


PHOTOS = {"n_images": 245, "n_classes": 2, "channels": 3, "background": 0.01}


@pytest.mark.parametrize(
    ("changed", "side"),
    [
        ({"side": 64, "file_side": 500}, 128),
        ({"side": 32, "file_side": 100}, 100),
        ({"side": 32}, 96),
        ({"side": 16}, None),  # enlarged sixfold, there is nothing to see
        ({"side": 96, "file_side": 500}, None),
        ({"side": 64, "channels": 1}, None),
        ({"side": 64, "background": 0.5}, None),
        ({"side": 64, "n_images": 8000}, None),
    ],
)
def test_few_small_colour_photos_are_enlarged_for_a_pretrained_network(changed, side):
    facts = facts_of(**PHOTOS | changed)
    assert enlarged_side(facts, LIMITS) == side
    if side:
        assert is_like_imagenet(dataclasses.replace(facts, side=side), LIMITS)


@given(st.integers(1, 10**6), st.integers(3, 1000))
def test_epochs_are_as_many_as_the_steps_need_and_at_least_two(n_train, batch_size):
    n = min_epochs(n_train, batch_size)
    steps = -(-n_train // batch_size)
    assert n >= 2
    assert n * steps >= MIN_STEPS
    assert n == 2 or (n - 1) * steps < MIN_STEPS


@given(FACTS)
def test_data_are_never_little_and_much(facts):
    assert not (is_small_data(facts, LIMITS) and is_large_data(facts, LIMITS))


def test_data_are_little_by_their_number_or_by_their_classes():
    assert is_small_data(facts_of(n_images=4999), LIMITS)
    assert is_small_data(facts_of(n_images=8000, n_classes=81), LIMITS)
    assert not is_small_data(facts_of(n_images=8000, n_classes=80), LIMITS)


def test_data_are_much_by_their_classes_or_by_the_images_of_each():
    assert is_large_data(facts_of(n_images=10_001), LIMITS)
    assert is_large_data(facts_of(n_images=10_100, n_classes=101), LIMITS)
    assert not is_large_data(facts_of(n_images=10_000), LIMITS)
