"""Errors in a file: raised by our validators, and as readable lines of all that pydantic finds."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from types import NoneType
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from foldwise.core.errors import did_you_mean, nearest

Path = tuple[int | str, ...]  # keys and indexes, from the validated value on

EXPECTED = {  # by pydantic's type of error, with values from its context; others: pydantic's text
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "model_type": "keys and values",
}
REPLACED = {"rope": "worth", "sure": "worth"}  # former keys
UNKNOWN = ("extra_forbidden", "invalid_key")  # a key that is not text is unknown, too
MAX_VALUE_LENGTH = 60  # characters
MAX_DETAILS = 100  # errors of pydantic, each of which is compared with the others
MAX_LINES = 20  # errors in a message
MIN_SIMILARITY = 0.75  # of two words; at 0.6, 'gpu' would mean 'cpu'


def raise_schema_errors(title: str, errors: Iterable[tuple[Path, str, object]]) -> None:
    """Raise errors from inside a validator, each at its own location.

    Args:
        title: Name of the validated schema.
        errors: For each error its location, what is expected there, and the value. May be empty.

    Raises:
        ValidationError: If there is an error; contains all of them.
    """
    details = [
        InitErrorDetails(
            # An argument, because braces in the template itself would be fields.
            type=PydanticCustomError("value_error", "{text}", {"text": expected}),
            loc=location,
            input=value,
        )
        for location, expected, value in errors
    ]
    if details:
        raise ValidationError.from_exception_data(title, details)


class _Error(NamedTuple):
    """One error of pydantic.

    Attributes:
        detail: From pydantic.
        path: The keys and indexes in the file; pydantic adds the types that it tried.
        is_alternative: Whether the value was tried as one of several types.
        siblings: The valid keys beside the last key of the path.
        is_nullable: Whether null is allowed.
    """

    detail: ErrorDetails
    path: Path
    is_alternative: bool
    siblings: list[str]
    is_nullable: bool

    def has_type(self, *types: str) -> bool:
        return self.detail["type"] in types


def error_lines(
    error: ValidationError, schema: type[BaseModel], content: object, place: str
) -> str:
    """Return one line per error: file, dotted key, value, and what is expected.

    A misspelt key is one error, not an unknown and a missing key. A value that fits none of
    several types is one error, too. Of many errors, only the first are listed.

    Args:
        error: From pydantic.
        schema: The model that was validated.
        content: What was validated.
        place: The file, as the user wrote it.
    """
    details = error.errors(include_url=False)[:MAX_DETAILS]
    errors = [_locate(detail, schema, content) for detail in details]
    unknown = [each for each in errors if each.has_type(*UNKNOWN)]
    misspelt = {(*each.path[:-1], _meant(each, errors)) for each in unknown}
    groups: dict[Path, list[_Error]] = {}
    for each in errors:
        is_misspelt = each.has_type("missing") and each.path in misspelt
        if not is_misspelt and not _is_superseded(each, errors):
            groups.setdefault(each.path, []).append(each)
    return "\n".join(place + _line(group, errors) for group in islice(groups.values(), MAX_LINES))


def _locate(detail: ErrorDetails, schema: type[BaseModel], content: object) -> _Error:
    """Follow an error's location through the content and through the models of the schema."""
    path: Path = ()
    models, owners, fields = [schema], [schema], list[FieldInfo]()
    value: Any = content
    is_key = True
    for part in detail["loc"]:
        matched = [model.model_fields[part] for model in models if part in model.model_fields]
        try:
            value, is_key = value[part], True
        except (LookupError, TypeError):
            is_key = bool(matched)  # a missing key, or one with a default
        if is_key:  # otherwise the label of a type
            path, owners, fields = (*path, part), models, matched
        labelled = [model for model in models if part in _labels(model)]
        inner = [model for field in matched for model in _models(field.annotation)]
        models = labelled or inner or models
    siblings = sorted({key for model in owners for key in model.model_fields})
    is_nullable = any(NoneType in get_args(field.annotation) for field in fields)
    return _Error(detail, path, not is_key, siblings, is_nullable)


def _models(annotation: object) -> list[type[BaseModel]]:
    """Return the models that a value may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _labels(model: type[BaseModel]) -> list[object]:
    """Return how pydantic may call a model in a location: its name, or a literal in it."""
    literals = [get_args(field.annotation) for field in model.model_fields.values()]
    return [model.__name__, *chain.from_iterable(literals)]


def _is_superseded(error: _Error, errors: Sequence[_Error]) -> bool:
    """Return whether the value fits another type better, with errors only inside it."""
    n = len(error.path)
    return error.is_alternative and any(
        len(other.path) > n and other.path[:n] == error.path for other in errors
    )


def _meant(unknown: _Error, errors: Sequence[_Error]) -> str | None:
    """Return the key that an unknown key probably means, preferably a missing one."""
    *parent, key = unknown.path
    if (name := REPLACED.get(str(key))) in unknown.siblings:
        return name
    missing = [each.path for each in errors if each.has_type("missing")]
    beside = [str(path[-1]) for path in missing if [*path[:-1]] == parent]
    return nearest(key, beside) or nearest(key, unknown.siblings)


def _line(group: Sequence[_Error], errors: Sequence[_Error]) -> str:
    """Return the line for the errors of one value, after the name of the file."""
    error = group[0]
    key, value = "".join(map(_part, error.path)).removeprefix("."), error.detail["input"]
    if error.has_type("json_invalid"):
        return f" is not JSON ({error.detail['ctx']['error']}); run 'dvc repro' to make it anew"
    if error.has_type("missing"):
        return f": {key} is missing; add it"
    if error.has_type(*UNKNOWN):
        name = _meant(error, errors)
        hint = f"did you mean '{name}'?" if name else f"known: {', '.join(error.siblings)}"
        return f": {key} is not a known key; {hint}"
    null = ["null"] if error.is_nullable and not error.has_type("value_error") else []
    expected = " or ".join(dict.fromkeys([*map(_expected, group), *null]))
    literals = [_expected(each) for each in group if each.has_type("literal_error")]
    hint = did_you_mean(value, re.findall("'([^']*)'", " ".join(literals)), MIN_SIMILARITY)
    verb = f"{key} is" if key else "holds"
    return f": {verb} {shown(value)}; expected {expected}{hint}"


def _expected(error: _Error) -> str:
    template = EXPECTED.get(error.detail["type"])
    if template is None:
        return re.sub(
            r"^(Value error, |Input should be |\w+ should have )", "", error.detail["msg"]
        )
    return template.format(**error.detail.get("ctx", {}))


def _part(part: int | str) -> str:
    is_word = re.fullmatch(rf"[\w-]{{1,{MAX_VALUE_LENGTH}}}", str(part))
    return f"[{part}]" if isinstance(part, int) else f".{part if is_word else shown(part)}"


def shown(value: object) -> str:
    """Return a value as Python writes it, short enough for a line."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."
