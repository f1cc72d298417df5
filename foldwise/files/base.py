"""The base of all file formats: strict schemas, JSON and YAML files, and types of numbers."""

import json
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent

from foldwise.core.atomic import write_text
from foldwise.core.errors import InputError
from foldwise.core.limits import read_limited
from foldwise.files.validation import error_lines

MAX_INTEGER = 2**53  # the largest that a double holds exactly, and the largest that JSON promises
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Size = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]

MAX_YAML_BYTES = 200_000  # params.yaml has 5,000
MAX_YAML_VALUES = 5_000  # it has 300; so many are read in half a second
MAX_YAML_LEVELS = 50
MAX_REASON = 200  # characters


class Strict(BaseModel):
    """An immutable record that rejects unknown keys, other types, NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def write_json(path: Path, content: BaseModel | dict[str, Any]) -> None:
    """Write one key per line, sorted, and one line per row of a list of rows.

    The file appears completely or not at all.

    Raises:
        ValueError: If a number is NaN or infinite, because a failure must not look like a result.
    """
    data = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    lines = [f" {_dump_flat(key)}: {_dump(data[key])}" for key in sorted(data)]
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_json(path: Path, schema: type[Model]) -> Model:
    """Read a JSON file and check it against its schema.

    Raises:
        InputError: If the file is missing, no JSON, or not of this schema.
    """
    try:
        return schema.model_validate_json(existing(path).read_bytes())
    except ValidationError as error:
        is_json = error.errors()[0]["type"] != "json_invalid"
        content = from_json(path.read_bytes()) if is_json else None
        raise InputError(error_lines(error, schema, content, str(path))) from None


def existing(path: Path) -> Path:
    """Return the path of a file that a stage wrote.

    Raises:
        InputError: If there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; run 'dvc repro' to make it")
    return path


def _dump(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(row, list | dict) for row in value):
        return "[\n" + ",\n".join(f"  {_dump_flat(row)}" for row in value) + "\n ]"
    if isinstance(value, dict) and value:
        lines = [f"  {_dump_flat(key)}: {_dump_flat(value[key])}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + "\n }"
    return _dump_flat(value)


def _dump_flat(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, as DVC reads it.

    DVC's own parser reads it, so that a value means the same to DVC and to a stage. To PyYAML,
    `no` is False, and `1e-05`, as DVC writes 0.00001 for `-S`, is text.

    Raises:
        InputError: If the file is missing, is not YAML, names a key twice, or holds no mapping.
    """
    try:
        text = read_limited(path, MAX_YAML_BYTES).decode()
        _require_small(text, path)
        content = YAML(typ="safe").load(text)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it with 'git checkout {path}'") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); replace it") from None
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - tags such as !!bool raise anything
        raise InputError(f"{path}: {_reason(error)}; fix the syntax") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {content!r:.60}; expected keys and values")
    return content


def _require_small(text: str, path: Path) -> None:
    """Require few values in a YAML text, counted as often as aliases repeat them.

    A kilobyte of nested aliases or merged mappings can stand for more values than memory holds.

    Raises:
        InputError: If there are too many values, or levels of lists and mappings.
    """
    sizes: dict[str, int] = {}  # number of values by anchor; of those without one in "None"
    levels: list[tuple[str, int]] = []  # anchor of each open list or mapping, values before
    n = 0
    for event in YAML(typ="safe").parse(text):
        anchor = str(getattr(event, "anchor", None))
        if isinstance(event, AliasEvent):
            n += sizes.get(anchor, 0)
        elif isinstance(event, NodeEvent):
            n += 1
            is_open = isinstance(event, CollectionStartEvent)
            sizes[anchor] = MAX_YAML_VALUES if is_open else 1  # it must not contain itself
            levels += [(anchor, n)] if is_open else []
        elif isinstance(event, CollectionEndEvent):
            anchor, before = levels.pop()
            sizes[anchor] = n - before + 1
        if n > MAX_YAML_VALUES:
            raise InputError(
                f"{path}: holds over {MAX_YAML_VALUES:,} values, counted as often as aliases "
                "repeat them; remove some"
            )
        if len(levels) > MAX_YAML_LEVELS:
            raise InputError(f"{path}: has over {MAX_YAML_LEVELS} levels; remove some brackets")


def _reason(error: Exception) -> str:
    """Return where and why the text is not YAML, on one line."""
    if isinstance(error, MarkedYAMLError) and error.problem and error.problem_mark:
        hint = " (put a text that holds one in quotes)" if error.problem.endswith("':'") else ""
        return f"line {error.problem_mark.line + 1}: {error.problem[:MAX_REASON]}{hint}"
    name = "" if isinstance(error, YAMLError | ValueError) else f"{type(error).__name__}: "
    return f"not YAML: {name}{' '.join(str(error).split())[:MAX_REASON]}"
