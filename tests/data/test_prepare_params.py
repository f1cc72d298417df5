import pytest
import yaml
from dvc.utils.hydra import apply_overrides

from foldwise.core.errors import InputError
from foldwise.files.params import read_params
from foldwise.files.preparation import Blocks, GroupTable

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
        ({"scale": [9, 9]}, r"prepare.scale is \[9, 9\]; expected data, null, or \[low, high\]"),
        ({"scale": [0, 65_536]}, r"prepare.scale is \[0, 65536\]; expected .* at most 65535"),
        ({"limit": 1}, "prepare.limit is 1"),
        ({"groups": "("}, r"prepare.groups is '\('; expected a regular expression \("),
        ({"groups": "p"}, "prepare.groups is 'p'; expected a regular expression with exactly one"),
        ({"groups": 3}, "prepare.groups is 3; expected a valid string or null"),
        ({"groups": {"pattern": "p", "block": 10}}, "groups.pattern is 'p'; .* exactly one"),
        ({"groups": {"pattern": "(p)", "block": 1}}, "groups.block is 1; expected at least 2"),
        ({"groups": {"pattern": "(p)"}}, "groups.block is missing; add it"),
        ({"groups": {"table": "../x.csv"}}, "groups.table is '../x.csv'; .* below prepare.root"),
        ({"groups": {"tabel": "x.csv"}}, "groups.tabel is not a known key; did you mean 'table'?"),
        ({"table": "/x.csv"}, "prepare.table is '/x.csv'; expected .* below prepare.root"),
        ({"dataset": "digits"}, "expected null: the files of digits have no names to group by"),
    ],
)
def test_an_invalid_value_is_named(read, changes, message):
    with pytest.raises(InputError, match=message):
        read(**changes)


@pytest.mark.parametrize(
    ("option", "groups"),
    [
        (r"prepare.groups='(patient\d+)'", r"(patient\d+)"),
        (
            r"prepare.groups={pattern: '(\d+)\.jpg', block: 10}",
            Blocks(pattern=r"(\d+)\.jpg", block=10),
        ),
        ("prepare.groups={table: patients.csv}", GroupTable(table="patients.csv")),
    ],
)
def test_groups_are_read_from_dvcs_command_line(read, tmp_path, option, groups):
    read()
    apply_overrides(tmp_path / "params.yaml", [option])
    assert read_params(tmp_path / "params.yaml", "prepare").prepare.groups == groups
