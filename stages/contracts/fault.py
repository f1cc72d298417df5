"""One error of pydantic, and where it lies in the file of the one who made it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]

LONGEST_VALUE = 60  # characters of a value that fit on the line
KEY = "[key]"  # pydantic's last part of a location: the key itself is wrong, not its value


@dataclass(frozen=True)
class Fault:
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


def locate(detail: ErrorDetails, schema: type[BaseModel]) -> Fault:
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
    return Fault(detail, key, owner, union, NoneType in _alternatives(kind))


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
