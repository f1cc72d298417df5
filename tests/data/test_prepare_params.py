import pytest
import yaml

from foldwise.core.errors import InputError
from foldwise.files.params import read_params

VALID = {
    "dataset": "folder",
    "root": "data/raw",
    "image_size": "native",
    "test_fraction": 0.2,
    "limit": None,
    "groups": r"(p\d)_",
}


@pytest.fixture
def read(tmp_path):
    def read(**changes):
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump({"seed": 0, "prepare": {**VALID, **changes}}))
        return read_params(path, "seed", "prepare").prepare

    return read


def test_native_keeps_the_size(read):
    assert read().size is None
    assert read(image_size=32).size == (32, 32)
    assert read(image_size=[24, 32]).size == (24, 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "MNITS", "groups": None}, "prepare.dataset is 'MNITS'; .*did you mean"),
        ({"image_size": "big"}, "prepare.image_size is 'big'; expected 'native' or "),
        ({"image_size": 3}, "^.*: prepare.image_size is 3; expected 'native' or at least 4"),
        ({"image_size": 2049}, "prepare.image_size is 2049"),
        ({"image_size": 8.5}, "prepare.image_size is 8.5"),
        ({"image_size": True}, "prepare.image_size is True"),
        ({"test_fraction": 0.6}, "prepare.test_fraction is 0.6"),
        ({"limit": 1}, "prepare.limit is 1"),
        ({"groups": "("}, r"prepare.groups is '\('; expected a regular expression \("),
        ({"groups": "p"}, "prepare.groups is 'p'; expected a regular expression with exactly one"),
        ({"dataset": "digits"}, "expected null: the files of digits have no names to group by"),
    ],
)
def test_an_invalid_value_is_named(read, changes, message):
    with pytest.raises(InputError, match=message):
        read(**changes)
