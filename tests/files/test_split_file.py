import numpy as np
import pytest

from foldwise.core.errors import InputError
from foldwise.files.split import (
    HELD_OUT,
    FoldDigests,
    Normalisation,
    Split,
    read_split,
    write_split,
)

SPLIT = Split(
    np.array([0, 1, 1, 0, HELD_OUT]),
    Normalisation(mean=[[0.1], [0.2]], std=[[0.3], [1.0]]),
    FoldDigests(train=["1a", "2b"], validation=["2b", "1a"]),
)


def test_what_is_written_is_read(tmp_path):
    write_split(tmp_path, SPLIT)
    read = read_split(tmp_path)
    assert read.fold.tolist() == SPLIT.fold.tolist()
    assert (read.normalisation, read.digests) == (SPLIT.normalisation, SPLIT.digests)


def test_split_of_one_image_is_read(tmp_path):
    write_split(tmp_path, Split(np.array([0]), SPLIT.normalisation, SPLIT.digests))
    assert read_split(tmp_path).fold.tolist() == [0]


@pytest.mark.parametrize("name", ["folds.csv", "normalisation.json", "digests.json"])
def test_missing_file_is_named(tmp_path, name):
    write_split(tmp_path, SPLIT)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing; run 'dvc repro' to make it"):
        read_split(tmp_path)
