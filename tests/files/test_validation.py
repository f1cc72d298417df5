import math
from copy import deepcopy
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator

from foldwise.files.base import Strict
from foldwise.files.validation import error_lines


class Conv(Strict):
    channels: Annotated[int, Field(ge=1)]


class Layer(Strict):
    conv: Conv


class Network(Strict):
    rate: Annotated[float, Field(gt=0, lt=2)] | None = None
    layers: list[Literal["linear", "pool"] | Layer] = Field(default_factory=list)


class Schema(Strict):
    size: Literal["native"] | Annotated[int, Field(ge=4)]
    other: Annotated[int, Field(le=9)] | Literal["a"] | None
    rate: float
    share: Annotated[float, Field(ge=0.25, le=0.75)]
    device: Literal["auto", "cpu", "cuda"]
    name: Annotated[str, Field(min_length=1)]
    switch: bool
    limit: int | None
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=2)]
    networks: dict[str, Network]

    @field_validator("name")
    @classmethod
    def _is_lower(cls, name):
        if name != name.lower():
            raise ValueError("lower-case letters")
        return name


SOUND = {
    "size": "native",
    "other": None,
    "rate": 0.1,
    "share": 0.5,
    "device": "cpu",
    "name": "x",
    "switch": True,
    "limit": None,
    "seeds": [0],
    "networks": {"mine": {"rate": 1, "layers": ["pool", {"conv": {"channels": 3}}]}},
}


def explained(content):
    with pytest.raises(ValidationError) as caught:
        Schema.model_validate(content)
    return error_lines(caught.value, Schema, content, "p.yaml")


def with_value(dotted, value):
    content = deepcopy(SOUND)
    *path, last = dotted.split(".")
    inner = content
    for part in path:
        inner = inner[int(part) if isinstance(inner, list) else part]
    inner[int(last) if isinstance(inner, list) else last] = value
    return content


LOOP: list = []
LOOP.append(LOOP)
NATIVE = "expected 'native' or a valid integer"
DEVICES = "expected 'auto', 'cpu' or 'cuda'"
LAYERS = "expected 'linear' or 'pool' or keys and values"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("size", "natve", f"size is 'natve'; {NATIVE}; did you mean 'native'?"),
        ("size", 2, "size is 2; expected 'native' or at least 4"),
        ("size", True, f"size is True; {NATIVE}"),
        ("size", None, f"size is None; {NATIVE}"),
        ("size", [1], f"size is [1]; {NATIVE}"),
        ("size", "28", f"size is '28'; {NATIVE}"),
        ("other", 10, "other is 10; expected at most 9 or 'a' or null"),
        ("rate", "1e-3", "rate is '1e-3'; expected a valid number"),
        ("rate", True, "rate is True; expected a valid number"),
        ("rate", math.nan, "rate is nan; expected a finite number"),
        ("rate", None, "rate is None; expected a valid number"),
        ("rate", "x" * 99, f"rate is '{'x' * 56}...; expected a valid number"),
        ("share", 0.8, "share is 0.8; expected at most 0.75"),
        ("share", -1, "share is -1; expected at least 0.25"),
        ("device", "gpu", f"device is 'gpu'; {DEVICES}"),
        ("device", "cuda:0", f"device is 'cuda:0'; {DEVICES}; did you mean 'cuda'?"),
        ("device", None, f"device is None; {DEVICES}"),
        ("name", "", "name is ''; expected at least 1 character"),
        ("name", 5, "name is 5; expected a valid string"),
        ("name", "X\n", r"name is 'X\n'; expected lower-case letters"),
        ("switch", 1, "switch is 1; expected true or false"),
        ("switch", "yes", "switch is 'yes'; expected true or false"),
        ("limit", "all", "limit is 'all'; expected a valid integer or null"),
        ("limit", 2.5, "limit is 2.5; expected a valid integer.* or null"),
        ("seeds", 5, "seeds is 5; expected a valid list"),
        ("seeds", [], "seeds is []; expected at least 1 item"),
        ("seeds", [1, 2, 3], "seeds is [1, 2, 3]; expected at most 2 items"),
        ("seeds", [-1], "seeds[0] is -1; expected at least 0"),
        ("seeds", [0, False], "seeds[1] is False; expected a valid integer"),
        ("seeds", LOOP, "seeds[0] is [[...]]; expected a valid integer"),
        ("networks", [], "networks is []; expected keys and values"),
        ("networks", {5: {}}, "networks[5] is 5; expected a valid string"),
        ("networks", {"a b\n": 5}, r"networks.'a b\n' is 5; expected keys and values"),
        ("networks.mine", None, "networks.mine is None; expected keys and values"),
        ("networks.mine.rate", 0, "networks.mine.rate is 0; expected greater than 0 or null"),
        ("networks.mine.rate", 2, "networks.mine.rate is 2; expected less than 2 or null"),
        ("networks.mine.ratte", 1, "networks.mine.ratte is not a known key; did you mean 'rate'?"),
        ("networks.mine.x", 1, "networks.mine.x is not a known key; known: layers, rate"),
        (
            "networks.mine.layers.0",
            "liner",
            f"networks.mine.layers[0] is 'liner'; {LAYERS}; did you mean 'linear'?",
        ),
        ("networks.mine.layers.1", 5, f"networks.mine.layers[1] is 5; {LAYERS}"),
        (
            "networks.mine.layers.1",
            {"conv": {"channels": 0}},
            "networks.mine.layers[1].conv.channels is 0; expected at least 1",
        ),
        (
            "networks.mine.layers.1",
            {"conv": {"channel": 1}},
            "networks.mine.layers[1].conv.channel is not a known key; did you mean 'channels'?",
        ),
    ],
)
def test_each_wrong_value_is_one_line(key, value, message):
    lines = explained(with_value(key, value))
    if ".*" in message:
        start, end = message.split(".*")
        assert lines.startswith(f"p.yaml: {start}")
        assert lines.endswith(end)
    else:
        assert lines.startswith(f"p.yaml: {message}")
    assert "\n" not in lines


def test_file_that_is_no_mapping():
    assert explained([1]) == "p.yaml: holds [1]; expected keys and values"
    assert explained(None) == "p.yaml: holds None; expected keys and values"


def test_missing_key():
    content = {key: value for key, value in SOUND.items() if key != "rate"}
    assert explained(content) == "p.yaml: rate is missing; add it"


def test_misspelt_key_is_one_error_not_an_unknown_and_a_missing_one():
    content = {"nmae" if key == "name" else key: value for key, value in SOUND.items()}
    assert explained(content) == "p.yaml: nmae is not a known key; did you mean 'name'?"


def test_key_that_is_no_text_is_unknown():
    known = "device, limit, name, networks, other, rate, seeds, share, size, switch"
    assert explained({**SOUND, 5: 1}) == f"p.yaml: [5] is not a known key; known: {known}"


def test_several_errors_are_all_listed():
    content = {**SOUND, "size": "x", "rate": "y", "limit": "z"}
    keys = [line.split()[1] for line in explained(content).split("\n")]
    assert keys == ["size", "rate", "limit"]


def test_broken_json_says_where():
    with pytest.raises(ValidationError) as caught:
        Schema.model_validate_json('{"size": 1')
    assert error_lines(caught.value, Schema, None, "a.json") == (
        "a.json is not JSON (EOF while parsing an object at line 1 column 10); "
        "run 'dvc repro' to make it anew"
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)
keys = st.sampled_from(["networks.mine.layers.1", "networks.mine", *SOUND])


@given(keys, values)
def test_any_wrong_value_is_explained_at_its_key(key, value):
    content = with_value(key, value)
    try:
        Schema.model_validate(content)
    except ValidationError as error:
        for line in error_lines(error, Schema, content, "p.yaml").split("\n"):
            assert line.startswith(f"p.yaml: {key.split('.')[0]}")
            assert line.isprintable()
