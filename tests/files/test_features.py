import numpy as np
import pytest

from foldwise.core.errors import InputError
from foldwise.files.features import (
    Features,
    FeaturesInfo,
    create_array,
    read_features,
    write_features_info,
)

NONE = FeaturesInfo(views=[], dtype="float32", reason="every layer trains")


def write(folder, *views, dtype="float32"):
    for number, name in enumerate(("plain", *views)):
        create_array(folder, name, (3, 2), dtype)[:] = number
    write_features_info(folder, FeaturesInfo(views=list(views), dtype=dtype, reason=None))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_views_are_read_in_their_order(tmp_path, dtype):
    names = [f"view-{number}" for number in range(11)]
    write(tmp_path, *names, dtype=dtype)
    features = read_features(tmp_path)
    assert [int(view[0, 0]) for view in features.views] == list(range(1, 12))
    assert int(features.plain[0, 0]) == 0
    assert features.dtype == dtype
    assert features.plain.dtype == {"float32": np.float32, "bfloat16": np.uint16}[dtype]


def test_arrays_that_are_not_named_are_removed(tmp_path):
    write(tmp_path, "view-0", "view-1")
    write(tmp_path, "view-0")
    assert sorted(path.name for path in tmp_path.glob("*.npy")) == ["plain.npy", "view-0.npy"]
    write_features_info(tmp_path, NONE)
    assert list(tmp_path.glob("*.npy")) == []
    assert read_features(tmp_path) == Features()


def test_missing_features_are_named(tmp_path):
    with pytest.raises(InputError, match=r"features.json is missing; run 'dvc repro'"):
        read_features(tmp_path)
