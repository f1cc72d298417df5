"""JSON with the same bytes for the same content, made for reading in a pull request."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from stages.contracts.command import InputError
from stages.contracts.explain import explain

Model = TypeVar("Model", bound=BaseModel)


def write_json(path: Path, content: BaseModel | dict[str, Any]) -> None:
    """Write one key a line, sorted; a list of rows gets one row a line.

    The file appears whole or not at all.

    Raises:
        ValueError: If a number is NaN or infinite: a failure is never written as a number.
    """
    data = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    lines = [f" {_dump_flat(key)}: {_dump(data[key])}" for key in sorted(data)]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text with Unix line ends, whole or not at all; folders are made."""
    with open_whole(path) as file:
        file.write(text)


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """Open a text as `write_text` writes it, for one that is written line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
    partial.replace(path)


def read_json(path: Path, schema: type[Model]) -> Model:
    """Read a file and check it against its schema.

    Raises:
        InputError: If the file is missing, no JSON, or not of this schema.
    """
    try:
        return schema.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run 'dvc repro' to make it") from None
    except ValidationError as error:
        raise InputError(explain(error, schema, str(path))) from None


def _dump(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(row, list | dict) for row in value):
        return "[\n" + ",\n".join(f"  {_dump_flat(row)}" for row in value) + "\n ]"
    if isinstance(value, dict) and value:
        lines = [f"  {_dump_flat(key)}: {_dump_flat(value[key])}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + "\n }"
    return _dump_flat(value)


def _dump_flat(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
