import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from foldwise.data.folds import draw_train_eval_subset, epoch_batches, network_seed

PLACE = (0, 1, 2)


@given(st.integers(2, 300), st.integers(3, 64))
def test_every_image_is_in_one_batch_and_no_batch_is_a_single_image(n, size):
    training = np.arange(0, 3 * n, 3)
    batches = epoch_batches(training, size, 0, PLACE)
    assert sorted(np.concatenate(batches)) == training.tolist()
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) > 1


def test_each_repeat_fold_and_epoch_shuffles_anew():
    places = [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 1)]
    orders = {tuple(epoch_batches(np.arange(50), 50, 0, place)[0]) for place in places}
    assert len(orders) == 4


@given(st.integers(1, 60))
def test_the_train_eval_subset_is_drawn_from_the_training_images_without_repeats(n):
    training = np.arange(5, 45)
    chosen = draw_train_eval_subset(training, n, 0, (0, 0))
    assert len(set(chosen)) == len(chosen) == min(n, 40)
    assert set(chosen) <= set(training)
    assert (np.diff(chosen) > 0).all()


def test_each_architecture_repeat_and_fold_has_its_own_initial_weights():
    draws = set()
    for model, repeat, fold in [("a", 0, 0), ("b", 0, 0), ("a", 1, 0), ("a", 0, 1), ("ab", 0, 0)]:
        torch.manual_seed(network_seed(0, model, repeat, fold))
        draws.add(float(torch.rand(())))
    assert len(draws) == 5


def test_golden_streams():
    """Change only when a stream does, and then every trained number moves."""
    assert epoch_batches(np.arange(8), 4, 0, PLACE)[0].tolist() == [7, 6, 0, 5]
    assert draw_train_eval_subset(np.arange(100), 4, 0, (0, 1)).tolist() == [11, 40, 56, 61]
    torch.manual_seed(network_seed(0, "lenet5", 0, 1))
    assert int(torch.randint(10**6, ())) == 260203
