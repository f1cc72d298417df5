import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldwise.core import machine
from foldwise.data.split import fit_normalisation

FOLD = np.array([0, 1, 2] * 5)


def images_of(seed, n_channels=3):
    return np.random.default_rng(seed).integers(0, 256, (15, 4, 5, n_channels), dtype=np.uint8)


@given(st.integers(0, 1000))
def test_equal_to_numpy_on_the_training_part(seed):
    images = images_of(seed)
    stats = fit_normalisation(images, FOLD, 3)
    for number in range(3):
        training = images[number != FOLD] / 255
        assert stats.mean[number] == pytest.approx(training.mean(axis=(0, 1, 2)), rel=1e-12)
        assert stats.std[number] == pytest.approx(training.std(axis=(0, 1, 2)), rel=1e-12)


def test_validation_images_change_nothing():
    images, other = images_of(0), images_of(0)
    other[FOLD == 1] = 255
    first, second = fit_normalisation(images, FOLD, 3), fit_normalisation(other, FOLD, 3)
    assert (first.mean[1], first.std[1]) == (second.mean[1], second.std[1])
    assert first.mean[0] != second.mean[0]


@settings(deadline=None)
@given(st.permutations(range(15)))
def test_order_changes_no_bit(order):
    images = images_of(1)
    assert fit_normalisation(images[order], FOLD[order], 3) == fit_normalisation(images, FOLD, 3)


@pytest.mark.parametrize("images", [1, 4, 15, 1000])
def test_chunks_change_no_bit(monkeypatch, images):
    expected = fit_normalisation(images_of(2), FOLD, 3)
    monkeypatch.setattr(machine, "CHUNK_BYTES", images * images_of(2)[0].nbytes)
    assert fit_normalisation(images_of(2), FOLD, 3) == expected


def test_memory_does_not_grow_with_the_images(monkeypatch, tmp_path):
    """Four times the images, mapped from a file: added are a few numbers of each."""
    monkeypatch.setattr(machine, "CHUNK_BYTES", 2**18)
    peaks = []
    for n in (256, 1024):
        shape = (n, 32, 32, 3)
        images = np.lib.format.open_memmap(tmp_path / f"{n}.npy", "w+", dtype=np.uint8, shape=shape)
        tracemalloc.start()
        fit_normalisation(images, np.arange(n) % 3, 3)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] > 2**18
    assert peaks[1] - peaks[0] < 768 * 200  # bytes an image, of 3,072


def test_brightest_images_do_not_overflow():
    images = np.full((15, 300, 300, 1), 255, dtype=np.uint8)
    images[0, 0, 0] = 254
    stats = fit_normalisation(images, FOLD, 3)
    n = 10 * 300 * 300
    assert stats.mean[1] == [pytest.approx(1 - 1 / 255 / n, rel=1e-15)]
    assert stats.std[1] == [pytest.approx(np.sqrt(1 / n - 1 / n**2) / 255, rel=1e-12)]


def test_constant_channel_has_deviation_one():
    images = images_of(3)
    images[..., 1] = 51
    stats = fit_normalisation(images, FOLD, 3)
    assert [mean[1] for mean in stats.mean] == [0.2] * 3
    assert [std[1] for std in stats.std] == [1.0] * 3
