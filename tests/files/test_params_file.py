import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from foldwise.core.errors import InputError
from foldwise.files.base import Strict
from foldwise.files.params import read_params, read_yaml


class Section(Strict):
    rate: float


class Params(Strict):
    train: Section


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "params.yaml").relative_to(tmp_path)


def test_only_the_keys_of_the_schema_are_read(path):
    path.write_text("train: {rate: 0.5}\nother: [unsound\t]\n")
    assert read_params(path, Params) == Params(train=Section(rate=0.5))


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001", "1E-3"])
def test_number_reads_however_it_is_written(path, text):
    path.write_text(f"train: {{rate: {text}}}")
    assert read_params(path, Params).train.rate == 0.001


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_what_dvc_writes_is_read(path, value):
    with path.open("w") as file:
        YAML().dump({"a": value}, file)  # as DVC does for -S: 0.00001 becomes 1e-05
    assert read_yaml(path) == {"a": value}


def test_word_is_no_truth_value(path):
    path.write_text("a: no\nb: on\nc: true\n")
    assert read_yaml(path) == {"a": "no", "b": "on", "c": True}


def test_wrong_value_is_named_with_its_file(path):
    path.write_text(yaml.safe_dump({"train": {"rte": 1}}))
    with pytest.raises(InputError) as caught:
        read_params(path, Params)
    message = "params.yaml: train.rte is not a known key; did you mean 'rate'?"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", 'params.yaml: line 3: found duplicate key "a" with value'),
        (b"a: [1\n", "params.yaml: line 2: expected ',' or ']', but got '<stream end>'; mend"),
        (b"a: 1\n---\nb: 2\n", "params.yaml: line 2: but found another document; mend the"),
        (b"a: !!python/name:os.system x", "params.yaml: line 1: could not determine a construct"),
        (b"a: \x00", "params.yaml: not YAML: unacceptable character #x0000: special char"),
        (b"a: \xff", "params.yaml: not YAML: 'utf-8' codec can't decode byte 0xff in position 3"),
        (b"a: 2020-13-01", "params.yaml: not YAML: month must be in 1..12; mend the syntax"),
        (b"a: " + b"9" * 5000, "params.yaml: not YAML: Exceeds the limit"),
        (b"", "params.yaml: holds None; expected keys and values"),
        (b"- a\n", "params.yaml: holds ['a']; expected keys and values"),
    ],
)
def test_what_is_no_mapping_is_one_line(path, content, message):
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_missing_file_can_be_restored(path):
    message = "params.yaml is missing; restore it with 'git checkout params.yaml'"
    with pytest.raises(InputError, match=message):
        read_yaml(path)
