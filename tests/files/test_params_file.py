import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from foldwise.core.errors import InputError
from foldwise.files.base import read_yaml
from foldwise.files.params import RUN_KEYS, read_params

FORECAST = "forecast: {seconds: 0.5}\n"
# Each list repeats the previous one nine times.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{index}: &a{index} [{', '.join([f'*a{index - 1}'] * 9)}]\n" for index in range(1, 12)
)
MERGES = BOMB.replace("[x]", "{x: 1}").replace(" [*", " {<<: [*").replace("]\n", "]}\n")


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "params.yaml").relative_to(tmp_path)


def test_only_the_named_sections_are_read(path):
    path.write_text(f"{FORECAST}resplit: true\ntrain: [wrong\t]\n")
    params = read_params(path, "forecast", "resplit")
    assert (params.forecast.seconds, params.resplit) == (0.5, True)
    with pytest.raises(AttributeError):
        _ = params.train


def test_a_named_section_that_is_missing_is_an_error(path):
    path.write_text(FORECAST)
    with pytest.raises(InputError, match=r"^params\.yaml: train is missing; add it$"):
        read_params(path, "forecast", "train")


def test_sections_are_checked_by_the_whole_schema(path):
    path.write_text("folds: [0, 2]\nrepeats: [1, 0]\nmodel: ../x\n")
    with pytest.raises(InputError) as caught:
        read_params(path, "folds", "repeats", "model")
    assert len(str(caught.value).splitlines()) == 3


def test_runs_need_no_other_section(path):
    path.write_text("model: b\ncandidates: [a, b]\nrepeats: [0]\nfolds: [0, 1]\n")
    params = read_params(path, *RUN_KEYS)
    assert params.runs == [("a", 0, 0), ("a", 0, 1), ("b", 0, 0), ("b", 0, 1)]


@pytest.mark.parametrize("text", ["1e-3", "1.0e-3", "0.001", "1E-3"])
def test_number_reads_however_it_is_written(path, text):
    path.write_text(f"forecast: {{seconds: {text}}}")
    assert read_params(path, "forecast").forecast.seconds == 0.001


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
    path.write_text(yaml.safe_dump({"forecast": {"secnds": 1}}))
    with pytest.raises(InputError) as caught:
        read_params(path, "forecast")
    message = "params.yaml: forecast.secnds is not a known key; did you mean 'seconds'?"
    assert str(caught.value) == message


def test_former_keys_of_the_rule_name_the_new_one(path):
    section = {"metric": "accuracy", "top_k": 3, "confidence": 0.95, "target": 0.9, "gap": 0.05}
    path.write_text(yaml.safe_dump({"compare": section | {"rope": 0.01, "sure": 0.95}}))
    with pytest.raises(InputError) as caught:
        read_params(path, "compare")
    lines = str(caught.value).splitlines()
    ends = "is not a known key; did you mean 'worth'?"
    assert lines == [f"params.yaml: compare.{key} {ends}" for key in ("rope", "sure")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", 'params.yaml: line 3: found duplicate key "a" with value'),
        (b"a: [1\n", "params.yaml: line 2: "),
        (b"a: 1\n---\nb: 2\n", "params.yaml: line 2: but found another document; fix the"),
        (b"a: !!python/name:os.system x", "params.yaml: line 1: could not determine a construct"),
        (b"a: \x00", "params.yaml: not YAML: "),
        (b"a: \xff", "params.yaml: not YAML: 'utf-8' codec can't decode byte 0xff in position 3"),
        (
            b"a: {b: c:d}",
            "params.yaml: line 1: found unexpected ':' (put a text that holds one in quotes); fix",
        ),
        (b"a: 2020-13-01", "params.yaml: not YAML: month must be in 1..12; fix the syntax"),
        (b"a: " + b"9" * 5000, "params.yaml: not YAML: Exceeds the limit"),
        (b"a: !!bool maybe", "params.yaml: not YAML: KeyError: 'maybe'; fix the syntax"),
        (b"a: " + b"[" * 1000 + b"]" * 1000, "params.yaml: has over 50 levels; remove"),
        (b"a:\n " + b"- " * 1000, "params.yaml: has over 50 levels; remove"),
        (BOMB.encode(), "params.yaml: holds over 5,000 values, counted as often as aliases"),
        (MERGES.encode(), "params.yaml: holds over 5,000 values, counted as often as aliases"),
        (b"seed: &a [*a]", "params.yaml: holds over 5,000 values, counted as often as aliases"),
        (b"a: [" + b"1, " * 5000 + b"]", "params.yaml: holds over 5,000 values"),
        (b"#" * 300_000, "params.yaml cannot be read (300,000 bytes, over 200,000); replace it"),
        (b"a: !<" + b"x" * 9999 + b"> 1", "params.yaml: line 1: could not determine a constr"),
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
    assert len(str(caught.value)) < 300


def test_missing_file_can_be_restored(path):
    message = "params.yaml is missing; restore it with 'git checkout params.yaml'"
    with pytest.raises(InputError, match=message):
        read_yaml(path)


def test_aliases_and_merged_mappings_are_read(path):
    path.write_text("a: &a {x: 1, y: &y [2]}\nb: {<<: *a, x: *y}\nc: *a\n")
    assert read_yaml(path) == {"a": (a := {"x": 1, "y": [2]}), "b": {"x": [2], "y": [2]}, "c": a}


def test_params_that_are_no_file_are_refused(path):
    path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"params.yaml cannot be read \(not a regular file\); rep"):
        read_yaml(path)
