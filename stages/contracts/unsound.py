"""Errors that a validator finds by its own rules, told as pydantic tells its own."""

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place = tuple[int | str, ...]  # below what is validated


def require_none(title: str, problems: Iterable[tuple[Place, str, object]]) -> None:
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
