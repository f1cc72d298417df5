"""Rare classes: weights in the loss, and balanced sampling."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.utils.class_weight import compute_sample_weight
from test_fit import trainer  # noqa: F401  # a fixture
from torch.nn import functional

from foldwise.data.folds import balanced_sample, loss_weights
from foldwise.nets.network import loss_of

TRAINING = np.arange(3, 100)
LABELS = np.array([0] * 80 + [1] * 17 + [2] * 3 + [3] * 5)  # no training image of class 3


def test_balanced_weights_are_those_of_scikit_learn_and_their_mean_is_one():
    weights = loss_weights(TRAINING, LABELS, None, balanced=True)[TRAINING]
    reference = compute_sample_weight("balanced", LABELS[TRAINING])
    assert weights == pytest.approx(reference, rel=1e-6)
    assert weights.mean() == pytest.approx(1)


def test_weights_of_the_table_are_scaled_and_multiplied():
    table = np.linspace(1, 2, len(LABELS))
    weights = loss_weights(TRAINING, LABELS, table, balanced=False)
    assert weights == pytest.approx(table / table[TRAINING].mean(), rel=1e-6)
    both = loss_weights(TRAINING, LABELS, table, balanced=True)[TRAINING]
    sums = np.bincount(LABELS[TRAINING], weights=both)
    assert sums == pytest.approx(np.full(3, len(TRAINING) / 3), rel=1e-5)
    assert loss_weights(TRAINING, LABELS, None, balanced=False) is None


def test_the_loss_is_that_of_torch_with_weights():
    labels, weights = torch.tensor([0, 2, 1]), torch.tensor([0.5, 2.0, 1.0])
    logits = torch.randn(3, 3)
    targets = functional.one_hot(labels, 3) * weights[:, None]
    single = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(loss_of(logits, targets), (weights * single).mean())


def test_a_balanced_sample_has_all_classes_equally_often_and_repeats_evenly():
    samples = [balanced_sample(TRAINING, LABELS, 0, (0, 0, epoch)) for epoch in (1, 2)]
    for sample in samples:
        assert len(sample) == len(TRAINING)
        assert set(sample) <= set(TRAINING)
        counts = np.bincount(LABELS[sample])
        assert counts.max() - counts.min() <= 1
        for label in range(3):
            repeats = np.bincount(sample[LABELS[sample] == label])
            repeats = repeats[TRAINING[LABELS[TRAINING] == label]]
            assert repeats.max() - repeats.min() <= 1
    assert sorted(samples[0]) != sorted(samples[1])


@pytest.mark.parametrize(
    ("section", "is_rare"),
    [({}, True), ({"class_weights": "balanced"}, False), ({"sampling": "balanced"}, False)],
)
def test_the_rare_class_of_noise_is_as_likely_as_the_others_if_balanced(trainer, section, is_rare):  # noqa: F811
    # From noise a network learns only how frequent a class is.
    def imbalanced(fold):
        labels = (np.arange(len(fold.labels)) % 8 == 0).astype(np.int64)
        return replace(fold, labels=labels)

    _, engine = trainer("lenet5", imbalanced, epochs=4, learning_rate=0.002, **section)
    result = engine.fit()
    share = softmax(result.last, axis=1)[:, 1].mean()
    assert (share < 0.25) == is_rare


def test_weights_of_the_data_set_reach_the_loss(trainer):  # noqa: F811
    weights = np.where(np.arange(102) % 2, 1.0, 3.0)
    _, engine = trainer("lenet5", lambda fold: replace(fold, weights=weights))
    index = engine.fold.training[:4]
    _, labels = engine.batch(index, 1)
    expected = weights[index] / weights[engine.fold.training].mean()
    assert labels.sum(dim=1).tolist() == pytest.approx(expected.tolist())
    assert labels.argmax(dim=1).tolist() == engine.fold.labels[index].tolist()
