"""Images: sources, decoding, folds, augmentation and random streams.

>>> import numpy as np
>>> from foldwise.data import dataset_from_arrays, split_dataset, validation_indices
>>> images = np.zeros((6, 8, 8, 1), dtype=np.uint8)
>>> dataset = dataset_from_arrays(images, np.array([0, 1, 0, 1, 0, 1]), ["cat", "dog"])
>>> split = split_dataset(dataset, groups=np.arange(6), n_folds=3)
>>> len(validation_indices(split, 0))
2
"""

from foldwise.core.exports import lazy_exports

__getattr__, __all__ = lazy_exports(
    {
        "foldwise.data.arrays": "dataset_from_arrays",
        "foldwise.data.folds": "training_indices validation_indices",
        "foldwise.data.split": "assign_folds fit_normalisation split_dataset",
    }
)
