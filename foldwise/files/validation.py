"""One error of pydantic, and where it lies in the file of the one who made it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from foldwise.core.errors import did_you_mean, nearest

Location = tuple[int | str, ...]

LONGEST_VALUE = 60  # characters of a value that fit on the line
KEY = "[key]"  # pydantic's last part of a location: the key itself is wrong, not its value


@dataclass(frozen=True)
class SchemaError:
    """One error of pydantic and where it lies.

    Attributes:
        detail: What pydantic says.
        key: The dotted key as the user wrote it; pydantic adds the type that it tried.
        owner: The model in which the key lies; None in a mapping or list.
        union: Location of the union of types that the value is none of; None: no union.
        nullable: Whether null would do.
    """

    detail: ErrorDetails
    key: str
    owner: type[BaseModel] | None
    union: Location | None
    nullable: bool

    @property
    def name(self) -> str:
        """The last part of the key."""
        return str(self.detail["loc"][-1])

    @property
    def parent(self) -> Location:
        """The location of what the key lies in."""
        return self.detail["loc"][:-1]

    @property
    def beside(self) -> list[str]:
        """The keys that there may be where the key lies, sorted."""
        return sorted(self.owner.model_fields) if self.owner else []

    def has_type(self, *types: str) -> bool:
        """Return whether pydantic calls the error by one of these types."""
        return self.detail["type"] in types


def locate_error(detail: ErrorDetails, schema: type[BaseModel]) -> SchemaError:
    """Follow an error's location through the types of the schema."""
    owner: type[BaseModel] | None = None
    union: Location | None = None
    kind: object = schema
    key, location = "", detail["loc"]
    for depth, part in enumerate(location):
        owner, members = None, _members(kind)
        if len(members) > 1:  # the part is no key but the type that pydantic tried
            if depth == len(location) - 1:
                union = location[:depth]
                break
            kind = _tried(members, part)
            continue
        owner = _as_model(members)
        if location[depth + 1 :] == (KEY,):  # of the mapping reached so far
            break
        key, kind = _enter(key, members, part)
    return SchemaError(detail, key, owner, union, NoneType in _alternatives(kind))


def shown(value: object) -> str:
    """Return a value as Python writes it, short enough for a line."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _enter(key: str, members: Sequence[object], part: int | str) -> tuple[str, object]:
    """Return the key and the type of a part of what has one of these types."""
    model = _as_model(members)
    if model is not None:
        field = model.model_fields.get(str(part))
        return _join(key, part), field.annotation if field else None
    inner = get_args(members[0])[-1:] if members else ()
    in_list = bool(members) and get_origin(members[0]) in (list, tuple)
    return (f"{key}[{part}]" if in_list else _join(key, part)), next(iter(inner), None)


def _join(key: str, part: int | str) -> str:
    name = str(part) if re.fullmatch(r"[\w-]+", str(part)) else shown(part)
    return f"{key}.{name}" if key else name


def _alternatives(kind: object) -> list[object]:
    """Return the types that a union may be, or the one type."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return list(get_args(kind))
    return [] if kind is None else [kind]


def _members(kind: object) -> list[object]:
    """Return the alternatives that pydantic tries; it looks for None first, and says nothing."""
    return [one for one in _alternatives(kind) if one is not NoneType]


def _tried(members: Sequence[object], label: int | str) -> object:
    """Return the member of a union that pydantic calls so."""
    for member in members:
        bare = _members(member)[0]
        name = getattr(get_origin(bare) or bare, "__name__", None)
        if name is not None and name == str(label).split("[")[0]:
            return member
    return None


def _as_model(members: Sequence[object]) -> type[BaseModel] | None:
    kind = members[0] if len(members) == 1 else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


EXPECTED = {  # by pydantic's type of error, filled in from its context
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "keys and values",
    "none_required": "null",
    "string_too_short": "text of length {min_length} or more",
    "string_type": "text",
    "too_long": "a list of length {max_length} or less",
    "too_short": "a list of length {min_length} or more",
    "tuple_type": "a list",
}
UNKNOWN = ("extra_forbidden", "invalid_key")  # a key that is not text is unknown, too
ALIKE = 0.75  # of words that are all listed: at .6 'gpu' would mean 'cpu'


def error_lines(error: ValidationError, schema: type[BaseModel], place: str) -> str:
    """Return one line per error: file, dotted key, the value found, and what is expected.

    A misspelt key is one error, not an unknown and a missing one; a value that is of none of
    several types is one error, not one a type.

    Args:
        error: What pydantic raised.
        schema: The model that was validated; names the keys that there are.
        place: The file, as the user wrote it.
    """
    faults = [locate_error(detail, schema) for detail in error.errors()]
    unknown = [fault for fault in faults if fault.has_type(*UNKNOWN)]
    misspelt = {(fault.parent, _meant(fault, faults)) for fault in unknown}
    lines = [
        f"{place}{_say(alike, faults)}"
        for alike in _fold(faults)
        if not (alike[0].has_type("missing") and (alike[0].parent, alike[0].name) in misspelt)
    ]
    return "\n".join(dict.fromkeys(lines))


def _fold(faults: Sequence[SchemaError]) -> list[list[SchemaError]]:
    """Put together the errors of one value, one for each type that it might have had.

    Where the value got further with one type, as a mapping with one wrong key does, only the
    errors inside it count.
    """
    groups: dict[Location, list[SchemaError]] = {}
    for fault in faults:
        if fault.union is None:
            groups.setdefault(fault.detail["loc"], []).append(fault)
        elif not any(_lies_inside(fault.union, other.detail["loc"]) for other in faults):
            groups.setdefault(fault.union, []).append(fault)
    return list(groups.values())


def _lies_inside(union: Location, location: Location) -> bool:
    return location[: len(union)] == union and len(location) > len(union) + 1


def _meant(fault: SchemaError, faults: Sequence[SchemaError]) -> str | None:
    """Return the key that an unknown key is likely to mean, a missing one rather than others."""
    near = [one for one in faults if one.parent == fault.parent and one.has_type("missing")]
    return nearest(fault.name, [one.name for one in near]) or nearest(fault.name, fault.beside)


def _say(alike: Sequence[SchemaError], faults: Sequence[SchemaError]) -> str:
    """Return the line for the errors of one value, after the name of the file."""
    fault = alike[0]
    if fault.has_type("json_invalid"):
        return f" is not JSON ({fault.detail['ctx']['error']}); run 'dvc repro' to make it anew"
    if fault.has_type(*UNKNOWN):
        near = _meant(fault, faults)
        hint = f"did you mean '{near}'?" if near else f"known: {', '.join(fault.beside)}"
        return f": {fault.key} is not a known key; {hint}"
    if fault.has_type("missing"):
        return f": {fault.key} is missing; add it"
    value = fault.detail["input"]
    if fault.has_type("value_error") and isinstance(value, dict):  # between keys: it names them
        return ": ".join(["", *filter(None, [fault.key]), _message(fault)])
    null = ["null"] if fault.nullable and fault.detail["type"] in EXPECTED else []
    expected = " or ".join(dict.fromkeys([*map(_expected, alike), *null]))
    return f": {_found(fault)} {shown(value)}; expected {expected}{_hint(alike)}"


def _found(fault: SchemaError) -> str:
    """Return the words that lead from the key to the value found."""
    if fault.detail["loc"][-1:] == (KEY,):
        return f"{fault.key} has the key"
    return f"{fault.key} is" if fault.key else "holds"


def _expected(fault: SchemaError) -> str:
    pattern = EXPECTED.get(fault.detail["type"])
    if pattern is None:
        return _message(fault)
    limits = fault.detail.get("ctx", {})
    return pattern.format(**{name: _plain(limit) for name, limit in limits.items()})


def _plain(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _message(fault: SchemaError) -> str:
    return re.sub(r"^(Value error, |Input should be )", "", fault.detail["msg"])


def _hint(alike: Sequence[SchemaError]) -> str:
    """Return what a text was likely meant to be: a number, or one of the words expected."""
    value = alike[0].detail["input"]
    if not isinstance(value, str):
        return ""
    if any(_would_do(value, fault) for fault in alike):
        return f"; write {value.strip()} without quotes"
    words = [one.detail["ctx"]["expected"] for one in alike if one.has_type("literal_error")]
    return did_you_mean(value, re.findall("'([^']*)'", " ".join(words)), ALIKE)


def _would_do(text: str, fault: SchemaError) -> bool:
    """Return whether a text is the number that is expected, but for its quotes."""
    number = {"int_type": int, "float_type": float}.get(fault.detail["type"])
    try:
        return number is not None and math.isfinite(number(text))
    except ValueError:
        return False
