"""params.yaml: every stage reads its own section of it, checked."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stages.contracts.command import InputError
from stages.contracts.explain import explain

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file, as DVC reads it.

    With DVC's own parser, so that no value means one thing to DVC and another to a stage: to
    PyYAML `no` is False and `1e-05`, as DVC writes 0.00001 for `-S`, is text.

    Raises:
        InputError: If the file is missing, is not YAML, names a key twice, or holds no mapping.
    """
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it with 'git checkout {path}'") from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path}: {_reason(error)}; mend the syntax") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {content!r}; expected keys and values")
    return content


def read_params(path: Path, schema: type[Model]) -> Model:
    """Read the keys of params.yaml that the schema names, and no others.

    Raises:
        InputError: One line for each missing, unknown or mistyped value below those keys.
    """
    content = read_yaml(path)
    known = {key: content[key] for key in schema.model_fields if key in content}
    try:
        return schema.model_validate(known)
    except ValidationError as error:
        raise InputError(explain(error, schema, str(path))) from None


def _reason(error: YAMLError | ValueError) -> str:
    """Return where the text stops being YAML, and why, on one line."""
    if isinstance(error, MarkedYAMLError) and error.problem and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return f"not YAML: {' '.join(str(error).split())}"
