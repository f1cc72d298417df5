"""Images that a table lists, with labels and optional groups, parts and weights."""

import math
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldwise.core.errors import InputError, counted, lines_by_reason
from foldwise.data.class_folders import require_folder
from foldwise.data.layout import normal
from foldwise.data.listing import is_visible, is_writable
from foldwise.data.parts import TEST, part_roles
from foldwise.data.sources import ImageSource
from foldwise.data.tables import Row, UserTable, read_user_table
from foldwise.files.image_folder import list_files

WHOLE = re.compile(r"-?\d{1,18}")  # int takes no more than 4,300 digits
REQUIRED, OPTIONAL = ("file", "label"), ("group", "part", "weight")


def open_table(root: str, table: str) -> ImageSource:
    """List the images in a table, in the order of its rows.

    Its columns are file (a path below the root), label, and optionally group, part (names such as
    train, val and test) and weight (a positive number). Classes are sorted as numbers if all
    labels are whole numbers, and otherwise as text.

    Args:
        root: The folder of the images and of the table.
        table: CSV or Parquet, below the root.

    Raises:
        InputError: If the table cannot be read, or rows are wrong, with one line for each.
    """
    base = Path(root)
    require_folder(base)
    files = list_files(base, allow_links=False)
    content = read_user_table(base / table, "prepare.table", REQUIRED, OPTIONAL)
    roles = part_roles({row.values.get("part", "") for row in content.rows})
    rows = [_clean(row) for row in content.rows]
    errors = list(_errors(rows, set(files), roles))
    if errors:
        raise InputError(lines_by_reason(errors))
    values = [row.values for row in rows]
    labels = [row["label"] for row in values]
    is_test = np.array([roles.get(row.get("part", "")) == TEST for row in values], dtype=np.bool_)
    classes = _classes(labels, is_test, base / table)
    number = {name: index for index, name in enumerate(classes)}
    names = [row["file"] for row in values]
    unlisted = {*files} - {*names, posixpath.normpath(table)}
    n_unlisted = sum(all(map(is_visible, name.split("/"))) for name in unlisted)
    return ImageSource(
        root=root,
        classes=classes,
        files=names,
        labels=np.array([number[label] for label in labels], dtype=np.int64),
        is_test=is_test,
        is_published=False,
        load=lambda index: base / names[index],
        groups=[row["group"] for row in values] if "group" in values[0] else None,
        weights=np.array([float(row["weight"]) for row in values])
        if "weight" in values[0]
        else None,
        notes=tuple(_notes(content, roles, table, n_unlisted)),
    )


def _clean(row: Row) -> Row:
    file, label = row.values["file"], row.values["label"]
    cleaned = {"file": posixpath.normpath(file) if file else "", "label": normal(label)}
    return row._replace(values=row.values | cleaned)


def _errors(rows: list[Row], files: set[str], roles: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the place and the reason of each error in a row."""
    seen: set[str] = set()
    for place, values in rows:
        file = values["file"]
        if posixpath.isabs(file):
            yield f"{place}: {file!a}", "is an absolute path; write it from prepare.root on"
        elif file not in files:
            yield f"{place}: {file!a}", "is no file below prepare.root; correct or remove it"
        elif file in seen:
            yield f"{place}: {file!a}", "is in an earlier row, too; remove one"
        elif not is_writable(file):
            yield f"{place}: {file!a}", "has a character that is not text; rename it"
        seen.add(file)
        for column in sorted(EXPECTED.keys() & values.keys()):
            is_valid, expected = EXPECTED[column]
            value = values[column]
            if not (value in roles if column == "part" else is_valid(value)):
                yield f"{place}: {column} {value!r}", f"is not valid; expected {expected}"


def _is_positive(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


EXPECTED: dict[str, tuple[Callable[[str], bool], str]] = {
    "label": (lambda label: bool(label) and is_writable(label), "a name or a number"),
    "group": (bool, "a name, or no such column"),
    "part": (bool, "train, validation or test"),
    "weight": (_is_positive, "a number over 0"),
}


def _classes(labels: list[str], is_test: NDArray[np.bool_], table: Path) -> list[str]:
    classes = {label for label, test in zip(labels, is_test, strict=True) if not test}
    unknown = sorted(set(labels) - classes)
    if unknown:
        raise InputError(
            f"'{table}' has the labels {', '.join(unknown[:5])} in the test part only; add "
            "training images of them, or remove them"
        )
    if len(classes) < 2:
        raise InputError(
            f"'{table}' has {counted(len(classes), 'different label')}; expected at least 2"
        )
    if all(map(WHOLE.fullmatch, classes)):
        return sorted(classes, key=lambda label: (int(label), label))  # 1 and 01 are two classes
    return sorted(classes)


def _notes(content: UserTable, roles: dict[str, str], table: str, n_unlisted: int) -> Iterator[str]:
    counts = Counter(row.values.get("part", "") for row in content.rows)
    for is_test, use in ((False, "training"), (True, "test")):
        parts = [part for part in counts if part in roles and (roles[part] == TEST) is is_test]
        if parts:
            yield f"{', '.join(parts)} as {use} images"
    weights = [float(row.values["weight"]) for row in content.rows if "weight" in row.values]
    if weights:
        yield f"column weight weighs the loss of each image ({min(weights):g} to {max(weights):g})"
    if content.unused:
        yield f"columns not used: {', '.join(content.unused)}"
    if n_unlisted:
        yield f"{counted(n_unlisted, 'file')} not in {table}"
