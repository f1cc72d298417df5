"""How pydantic's errors read: one line each, in the words of the one who wrote the file."""

import math
import re
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from stages.contracts.fault import KEY, Fault, Location, locate, shown
from stages.contracts.strict import did_you_mean, nearest

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


def explain(error: ValidationError, schema: type[BaseModel], place: str) -> str:
    """Return one line per error: file, dotted key, the value found, and what is expected.

    A misspelt key is one error, not an unknown and a missing one; a value that is of none of
    several types is one error, not one a type.

    Args:
        error: What pydantic raised.
        schema: The model that was validated; names the keys that there are.
        place: The file, as the user wrote it.
    """
    faults = [locate(detail, schema) for detail in error.errors()]
    unknown = [fault for fault in faults if fault.has_type(*UNKNOWN)]
    misspelt = {(fault.parent, _meant(fault, faults)) for fault in unknown}
    lines = [
        f"{place}{_say(alike, faults)}"
        for alike in _fold(faults)
        if not (alike[0].has_type("missing") and (alike[0].parent, alike[0].name) in misspelt)
    ]
    return "\n".join(dict.fromkeys(lines))


def _fold(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Put together the errors of one value, one for each type that it might have had.

    Where the value got further with one type, as a mapping with one wrong key does, only the
    errors inside it count.
    """
    groups: dict[Location, list[Fault]] = {}
    for fault in faults:
        if fault.union is None:
            groups.setdefault(fault.detail["loc"], []).append(fault)
        elif not any(_lies_inside(fault.union, other.detail["loc"]) for other in faults):
            groups.setdefault(fault.union, []).append(fault)
    return list(groups.values())


def _lies_inside(union: Location, location: Location) -> bool:
    return location[: len(union)] == union and len(location) > len(union) + 1


def _meant(fault: Fault, faults: Sequence[Fault]) -> str | None:
    """Return the key that an unknown key is likely to mean, a missing one rather than others."""
    near = [one for one in faults if one.parent == fault.parent and one.has_type("missing")]
    return nearest(fault.name, [one.name for one in near]) or nearest(fault.name, fault.beside)


def _say(alike: Sequence[Fault], faults: Sequence[Fault]) -> str:
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


def _found(fault: Fault) -> str:
    """Return the words that lead from the key to the value found."""
    if fault.detail["loc"][-1:] == (KEY,):
        return f"{fault.key} has the key"
    return f"{fault.key} is" if fault.key else "holds"


def _expected(fault: Fault) -> str:
    pattern = EXPECTED.get(fault.detail["type"])
    if pattern is None:
        return _message(fault)
    limits = fault.detail.get("ctx", {})
    return pattern.format(**{name: _plain(limit) for name, limit in limits.items()})


def _plain(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _message(fault: Fault) -> str:
    return re.sub(r"^(Value error, |Input should be )", "", fault.detail["msg"])


def _hint(alike: Sequence[Fault]) -> str:
    """Return what a text was likely meant to be: a number, or one of the words expected."""
    value = alike[0].detail["input"]
    if not isinstance(value, str):
        return ""
    if any(_would_do(value, fault) for fault in alike):
        return f"; write {value.strip()} without quotes"
    words = [one.detail["ctx"]["expected"] for one in alike if one.has_type("literal_error")]
    return did_you_mean(value, re.findall("'([^']*)'", " ".join(words)), ALIKE)


def _would_do(text: str, fault: Fault) -> bool:
    """Return whether a text is the number that is expected, but for its quotes."""
    number = {"int_type": int, "float_type": float}.get(fault.detail["type"])
    try:
        return number is not None and math.isfinite(number(text))
    except ValueError:
        return False
