import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.base import Strict, read_json, write_json


class Record(Strict):
    name: str
    rows: list[list[float]]
    table: dict[str, float]


RECORD = Record(name="é", rows=[[1, 2], [3, 4.5]], table={"b": 1, "a": 2})


def test_one_key_a_line_sorted_and_one_row_a_line(tmp_path):
    write_json(tmp_path / "new" / "a.json", RECORD)
    assert (tmp_path / "new" / "a.json").read_bytes().decode() == (
        '{\n "name": "é",\n "rows": [\n  [1.0, 2.0],\n  [3.0, 4.5]\n ],\n'
        ' "table": {\n  "a": 2.0,\n  "b": 1.0\n }\n}\n'
    )
    assert read_json(tmp_path / "new" / "a.json", Record) == RECORD


keys = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | keys
values = st.recursive(
    scalars.filter(lambda value: value not in (math.inf, -math.inf)),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, values))
def test_what_is_written_is_json_and_order_does_not_matter(tmp_path, content):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    write_json(one, content)
    write_json(two, dict(reversed(content.items())))
    assert one.read_bytes() == two.read_bytes()
    assert json.loads(one.read_bytes()) == content


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_failure_is_never_written_as_a_number_and_the_old_file_stays(tmp_path, number):
    path = tmp_path / "a.json"
    write_json(path, RECORD)
    before = path.read_bytes()
    for content in (
        {"a": number},
        {"a": [[number]]},
        RECORD.model_copy(update={"rows": [[number]]}),
    ):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write_json(path, content)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_text_has_unix_line_ends_and_is_utf_8(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "é\r\n×\n")
    assert (tmp_path / "deep" / "a.txt").read_bytes() == "é\r\n×\n".encode()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        read_json(tmp_path / "a.json", Record)
    assert str(caught.value) == f"{tmp_path / 'a.json'} is missing; run 'dvc repro' to make it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r" is not JSON \(EOF while parsing a value at line 1 column 0\); run 'dvc repro' to"),
        (b'{"name": 1', r" is not JSON \(EOF while"),
        (b"<<<<<<< HEAD\n{}", r" is not JSON \(expected value at line 1 column 1\); run 'dvc"),
        (b'{"name": "\xff"}', r" is not JSON \(.*unicode"),
        (b"[]", r": holds \[\]; expected keys and values"),
        (b'{"name": 1, "rows": [], "table": {}}', ": name is 1; expected a valid string"),
        (
            b'{"name": "", "rows": [[0, "x"]], "table": {}}',
            r": rows\[0\]\[1\] is 'x'; expected a valid n",
        ),
        (
            b'{"name": "", "rows": [], "table": {"a": null}}',
            ": table.a is None; expected a valid number",
        ),
        (b'{"name": "", "rows": [], "table": {}, "x": 1}', ": x is not a known key; known: name"),
    ],
)
def test_file_of_another_form_is_one_line(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}{message}") as caught:
        read_json(path, Record)
    assert "\n" not in str(caught.value)
