"""params.yaml: every stage reads its own section of it, checked."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from stages.contracts.command import InputError
from stages.contracts.strict import explain

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: If the file is missing, is not YAML, or holds no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; restore it with 'git checkout {path}'") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not YAML: {reason}; mend the syntax") from None
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
