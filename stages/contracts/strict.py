"""The base of everything that is read from a file, and how its errors read."""

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Strict(BaseModel):
    """A frozen record that refuses unknown keys, other types, NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """Return "; did you mean 'near'?" for a misspelt word, or "" where nothing is near."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(str(word).lower(), list(lower), n=1)
    return f"; did you mean '{lower[near[0]]}'?" if near else ""


def explain(error: ValidationError, schema: type[BaseModel], place: str) -> str:
    """Return one line per error: file, dotted key, the value found, and what is expected.

    Args:
        error: What pydantic raised.
        schema: The model that was validated; names the keys that there are.
        place: The file, as the user wrote it.
    """
    return "\n".join(_explain_one(detail, schema, place) for detail in error.errors())


def _explain_one(detail: ErrorDetails, schema: type[BaseModel], place: str) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        known = _keys_beside(schema, detail["loc"])
        hint = did_you_mean(detail["loc"][-1], known) or f"; known: {', '.join(known)}"
        return f"{place}: {key} is not a known key{hint}"
    if detail["type"] == "missing":
        return f"{place}: {key} is missing; add it"
    expected = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{place}: {key} is {detail['input']!r}; expected {expected}"


def _keys_beside(schema: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the model in which a key lies."""
    model: Any = schema
    for part in location[:-1]:
        field = model.model_fields.get(part)
        if field is None:  # a key of a mapping: its value's type is the model we look for
            continue
        model = _model_within(field.annotation) or model
    return sorted(model.model_fields)


def _model_within(annotation: object) -> type[BaseModel] | None:
    """Return the model that an annotation such as `dict[str, Model]` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_model_within(part) for part in getattr(annotation, "__args__", ())]
    return next((model for model in inner if model is not None), None)
