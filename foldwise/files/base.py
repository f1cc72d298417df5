"""The base of everything that is read from a file."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, from_json

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.files.validation import error_lines

Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Seconds = NonNegative


class Strict(BaseModel):
    """A frozen record that refuses unknown keys, other types, NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Place = tuple[int | str, ...]  # below what is validated


def raise_schema_errors(title: str, problems: Iterable[tuple[Place, str, object]]) -> None:
    """Stop if there are problems.

    Args:
        title: Of what is validated.
        problems: Where each is, what is expected there, and what was found.

    Raises:
        ValidationError: With all of them.
    """
    errors = [
        InitErrorDetails(
            # The text is an argument: in the template, braces would be fields.
            type=PydanticCustomError("value_error", "{text}", {"text": expected}),
            loc=place,
            input=found,
        )
        for place, expected, found in problems
    ]
    if errors:
        raise ValidationError.from_exception_data(title, errors)


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
        is_json = error.errors()[0]["type"] != "json_invalid"
        content = from_json(path.read_bytes()) if is_json else None
        raise InputError(error_lines(error, schema, content, str(path))) from None


def _dump(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(row, list | dict) for row in value):
        return "[\n" + ",\n".join(f"  {_dump_flat(row)}" for row in value) + "\n ]"
    if isinstance(value, dict) and value:
        lines = [f"  {_dump_flat(key)}: {_dump_flat(value[key])}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + "\n }"
    return _dump_flat(value)


def _dump_flat(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
