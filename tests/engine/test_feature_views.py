import numpy as np
import pytest
import torch

from foldwise.engine.inputs import FeatureBatches
from foldwise.files.features import Features

CPU = torch.device("cpu")


def arrays(*shape):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for _ in range(3)]


def test_epochs_take_the_views_in_turn():
    plain, *views = arrays(6, 4)
    inputs, index = FeatureBatches(Features("float32", plain, views), CPU), np.array([5, 0, 0])
    for epoch in range(1, 6):
        expected = views[(epoch - 1) % 2][index]
        np.testing.assert_array_equal(inputs.training(index, epoch), expected)
    np.testing.assert_array_equal(inputs.plain(index), plain[index])


def test_maps_come_with_channels_last_in_memory():
    plain, *views = arrays(6, 2, 3, 4)
    batch = FeatureBatches(Features("float32", plain, views), CPU).plain(np.array([1, 2]))
    assert batch.shape == (2, 4, 2, 3)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(batch, plain[1:3].transpose(0, 3, 1, 2))


@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 3, 4)])
def test_bits_become_the_numbers_that_they_were(shape):
    numbers = torch.randn(shape).bfloat16()
    bits = numbers.view(torch.uint16).numpy()
    batch = FeatureBatches(Features("bfloat16", bits, [bits]), CPU).training(np.arange(6), 1)
    assert batch.dtype == torch.bfloat16
    expected = numbers.permute(0, 3, 1, 2) if numbers.ndim == 4 else numbers
    assert torch.equal(batch, expected)
