import numpy as np

from foldwise.data.folds import training_indices, validation_indices
from foldwise.files.split import HELD_OUT, FoldDigests, Normalisation, Split


def test_test_images_neither_train_nor_validate():
    statistics = Normalisation(mean=[[0.1], [0.2]], std=[[0.3], [1.0]])
    digests = FoldDigests(train=["", ""], validation=["", ""])
    split = Split(np.array([0, 1, 1, 0, HELD_OUT]), statistics, digests)
    assert training_indices(split, 0).tolist() == validation_indices(split, 1).tolist() == [1, 2]
    assert training_indices(split, 1).tolist() == validation_indices(split, 0).tolist() == [0, 3]
