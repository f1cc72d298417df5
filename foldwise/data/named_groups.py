"""Groups of images that no split separates, from file names or from a table."""

import posixpath
from pathlib import Path

from foldwise.core.errors import InputError, first_few, lines_by_reason
from foldwise.data.sources import ImageSource
from foldwise.data.tables import read_user_table
from foldwise.files.image_folder import find_groups
from foldwise.files.preparation import Blocks, GroupTable

MAX_LISTED = 5  # file names in an error message
KEY = "prepare.groups"


def match_groups(source: ImageSource, groups: str | Blocks | GroupTable | None) -> list[str] | None:
    """Return the name of the group of each image, or None if there are no groups.

    Args:
        source: The images, with groups if the source knows them.
        groups: A regular expression on file names, whose group is the name of the group; such an
            expression for a number, and the size of blocks of numbers; or a table.

    Raises:
        InputError: If an image has no group, or a pattern takes too long.
    """
    if groups is None:
        return source.groups
    if source.groups is not None:
        raise InputError(f"{KEY} is set and the table has a column group; set it to null")
    if isinstance(groups, GroupTable):
        return _from_table(source, groups.table)
    pattern = groups if isinstance(groups, str) else groups.pattern
    names = _from_pattern(source.files, pattern)
    if isinstance(groups, str):
        return names
    not_numbers = [name for name in names if not name.isdecimal()]
    if not_numbers:
        raise InputError(
            f"{KEY}.pattern is '{pattern}', whose group matches {first_few(not_numbers)}; "
            r"expected numbers, such as (\d+)"
        )
    return [str(int(name) // groups.block) for name in names]


def _from_pattern(files: list[str], pattern: str) -> list[str]:
    names = find_groups(pattern, files)
    unmatched = [file for file, name in zip(files, names, strict=True) if name is None]
    if unmatched:
        raise InputError(
            f"{KEY} is '{pattern}', which does not match {len(unmatched):,} of "
            f"{len(files):,} file names, for example {', '.join(unmatched[:MAX_LISTED])}; widen "
            "the pattern or rename the files"
        )
    return [name for name in names if name is not None]


def _from_table(source: ImageSource, name: str) -> list[str]:
    path = Path(source.root, name)
    groups: dict[str, str] = {}
    errors: list[tuple[str, str]] = []
    for place, values in read_user_table(path, f"{KEY}.table", ("file", "group")).rows:
        file = posixpath.normpath(values["file"])
        if not Path(source.root, file).is_file():
            errors.append((f"{place}: {file!a}", "is no file below prepare.root; remove it"))
        elif not values["group"]:
            errors.append((f"{place}: {file!a}", "has no group; add it"))
        elif groups.setdefault(file, values["group"]) != values["group"]:
            errors.append((f"{place}: {file!a}", "has two groups; remove one"))
    missing = [file for file in source.files if file not in groups]
    errors += [(f"{file!a}", f"is not in '{path}'; add it with its group") for file in missing]
    if errors:
        raise InputError(lines_by_reason(errors))
    return [groups[file] for file in source.files]
