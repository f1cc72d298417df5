"""Tables that users write: columns of text, and errors with the number of the line."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from foldwise.core.errors import InputError, lines_by_reason

DELIMITERS = ",;\t"


class Row(NamedTuple):
    """A row of a table: where it stands, for messages, and the text in each of its columns."""

    place: str
    values: dict[str, str]


class UserTable(NamedTuple):
    """The rows of a table, and the names of the columns that are not used."""

    rows: list[Row]
    unused: list[str]


def read_user_table(
    path: Path, key: str, required: Sequence[str], optional: Sequence[str] = ()
) -> UserTable:
    """Read the rows of a CSV or Parquet file as text without surrounding spaces.

    Args:
        path: The file; the ending .parquet means Parquet.
        key: The key of params.yaml that names it.
        required: Columns that it must have.
        optional: Columns that it may have; others are not used.

    Raises:
        InputError: If it cannot be read, lacks a column, has a row of another length, or names a
            column like an optional one in the plural or in upper case.
    """
    if not path.is_file():
        raise InputError(f"{key}: '{path}' is missing; add it, or name another file")
    try:
        is_parquet = path.suffix.lower() == ".parquet"
        table = list(_parquet_rows(path, key) if is_parquet else _csv_rows(path))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{key}: '{path}' cannot be read ({error}); save it as CSV in UTF-8"
        ) from None
    header = [name.strip() for name in table[0][1]] if table else []
    _require_columns(f"{key}: '{path}'", header, required, optional)
    reason = f"has another number of values than the {len(header)} of the first row; correct it"
    lengths = [(place, reason) for place, cells in table[1:] if len(cells) != len(header)]
    if lengths:
        raise InputError(lines_by_reason(lengths))
    rows = [
        Row(place, dict(zip(header, map(str.strip, cells), strict=True)))
        for place, cells in table[1:]
    ]
    return UserTable(rows, [name for name in header if name not in ("", *required, *optional)])


def _csv_rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(DELIMITERS, key=header.count), strict=True)
        for cells in reader:
            if cells:
                yield f"'{path}' line {reader.line_num}", cells


def _parquet_rows(path: Path, key: str) -> Iterator[tuple[str, list[str]]]:
    try:
        import polars as pl  # here: an optional dependency
    except ImportError:
        raise InputError(
            f"{key}: '{path}' needs the package polars; run 'pip install polars', or save the "
            "table as CSV"
        ) from None
    try:
        table = pl.read_parquet(path).with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
        table = table.select(pl.all().cast(pl.String).fill_null(""))
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{key}: '{path}' cannot be read ({reason}); save it as CSV") from None
    yield f"'{path}'", table.columns
    for number, cells in enumerate(table.iter_rows(), 1):
        yield f"'{path}' row {number}", list(cells)


def _require_columns(
    place: str, header: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> None:
    repeated = [name for name, n in Counter(header).items() if n > 1 and name]
    if repeated:
        raise InputError(f"{place} has the column '{repeated[0]}' twice; rename or remove one")
    for name in required:
        if name not in header:
            raise InputError(
                f"{place} has the columns {', '.join(header) or 'none'}; expected "
                f"{' and '.join(required)} in its first line"
            )
    for name in header:
        meant = name.casefold().removesuffix("s")  # other names may be other things, as height
        if meant in optional and name not in (*required, *optional):
            raise InputError(
                f"{place} has the column '{name}'; did you mean '{meant}'? Rename it to this or "
                "another name"
            )
