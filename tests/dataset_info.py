"""Facts of data sets that tests make."""

from foldwise.files.dataset import DatasetInfo


def info_of(classes, shape, n_train, n_test=0, **changes):
    """Return the facts of a data set of different images, each a group of its own.

    Args:
        classes: Their names.
        shape: Height, width and channels.
        n_train: Images that are split into folds.
        n_test: Images held out.
        changes: Other values.
    """
    height, width, channels = shape
    facts = {
        "name": "made",
        "classes": list(classes),
        "height": height,
        "width": width,
        "channels": channels,
        "n_train": n_train,
        "n_test": n_test,
        "official_test": False,
        "n_duplicates": 0,
        "n_left_out": 0,
        "n_groups": n_train + n_test,
        "seed": 7,
    }
    return DatasetInfo(**facts | changes)
