"""Errors of the user: what they say, and how they end a program."""

import difflib
import errno
import io
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

REMEDIES = {  # of errors of the system that the user can mend
    errno.EACCES: "give your user the right to read and write it (chmod u+rwX, ls -ld)",
    errno.EPERM: "give your user the right to change it (chmod u+rwX, lsattr)",
    errno.EROFS: "work on a file system that is not mounted read-only",
    errno.ENOSPC: "free space on this disk",
    errno.EDQUOT: "free space within your quota",
    errno.EFBIG: "allow larger files (ulimit -f, or another file system)",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close other programs, which have too many open files,",
    errno.ENOMEM: "free memory, or remove the file if it is broken,",
    errno.EIO: "check the disk",
    errno.ESTALE: "mount the network disk again",
    errno.ENAMETOOLONG: "use shorter names",
    errno.ENOENT: "restore it, or run 'dvc repro' if a stage writes it,",
    errno.ENOTDIR: "remove the file that stands in place of a folder",
    errno.EEXIST: "remove the file that stands in place of a folder",
    errno.EISDIR: "remove the folder that stands in place of a file",
}

MAX_PER_REASON = 20  # lines for one reason in a message


class InputError(ValueError):
    """An input is wrong. The message names the thing, its value, its place and the remedy.

    A message of several lines holds several errors, one per line.
    """


# Errors that a broken file can cause, too: a position before its beginning. A file may be gone.
OF_FILES = (None, errno.EINVAL, errno.EOVERFLOW, errno.ENOENT)


def is_of_system(error: Exception) -> bool:
    """Return whether memory, file handles or a disk failed, and not the content of a file."""
    # Pillow's decoders have no class of their own for it.
    if isinstance(error, OSError):
        return error.errno not in OF_FILES or "out of memory" in str(error)
    return isinstance(error, MemoryError)


@contextmanager
def named_file(name: str) -> Iterator[None]:
    """Let errors of the system name the file that was read, also if memory is short."""
    try:
        yield
    except (OSError, MemoryError) as error:
        if not is_of_system(error):
            raise
        number = getattr(error, "errno", None) or errno.ENOMEM
        filename = getattr(error, "filename", None) or name
        raise OSError(number, os.strerror(number), filename) from None


@contextmanager
def written_file(path: Path) -> Iterator[None]:
    """Let errors of the system name the file that was written, for example on a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def run_main(main: Callable[[], None]) -> None:
    """Run a program to its end, and exit.

    An `InputError` is printed without traceback, each of its lines after "error: ", and the exit
    status is 1. So is an `OSError` that the user can mend, for example a full disk. Any other
    exception is a bug of ours and keeps its traceback. If the reader of the output has left, as
    `head` does, the program ends without a word, with the exit status of other commands.

    Characters that the terminal cannot show are printed as escapes.

    Raises:
        SystemExit: If main raised such an error, or its options are wrong.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        if not any(map(_has_lost_its_reader, (sys.stdout, sys.stderr))):
            raise
        os._exit(128 + signal.SIGPIPE)
    except InputError as error:
        sys.exit("\n".join(f"error: {printable(line)}" for line in str(error).split("\n")))
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        place = Path.cwd() if error.filename is None else os.fsdecode(error.filename)
        line = f"{place}: {error.strerror}; {remedy} and run the same command again"
        sys.exit(f"error: {printable(line)}")
    # All files are closed. A regular exit unloads torch's modules first: 0.7 to 1 s per fold.
    os._exit(0)


def _has_lost_its_reader(stream: TextIO) -> bool:
    poll = select.poll()
    poll.register(stream, 0)  # an error is reported always
    return any(events & select.POLLERR for _, events in poll.poll(0))


def printable(text: str) -> str:
    """Return the text with escapes for control characters, which could change the terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def nearest(word: object, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that a misspelt word probably means; None if no name is similar.

    Args:
        word: As the user wrote it. Upper and lower case do not matter.
        names: The valid names.
        cutoff: Smallest similarity, from 0 to 1 (the ratio of difflib).
    """
    lower = {name.lower(): name for name in names}
    matches = difflib.get_close_matches(str(word).lower(), list(lower), n=1, cutoff=cutoff)
    return lower[matches[0]] if matches else None


def did_you_mean(word: object, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return "; did you mean 'NAME'?" for a misspelt word, or "" if no name is similar."""
    name = nearest(word, names, cutoff)
    return "" if name is None else f"; did you mean '{name}'?"


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: "1 tensor", "2,000 tensors"."""
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"


def first_few(texts: Sequence[str], most: int = 3) -> str:
    """Return the first texts, and how many more there are."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def lines_by_reason(errors: Iterable[tuple[str, str]]) -> str:
    """Return one line per error, and only one for a reason that many places share.

    Args:
        errors: For each error its place, such as the name of a file, and the reason with the
            remedy. Reasons that differ in numbers only are the same.
    """
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for place, reason in errors:
        by_reason.setdefault(re.sub(r"\d+", "#", reason), []).append((place, reason))
    lines: list[str] = []
    for same in by_reason.values():
        if len(same) <= MAX_PER_REASON:
            lines += [f"{place} {reason}" for place, reason in same]
        else:
            (first, reason), (second, _), (third, _) = same[:3]
            more = f"{len(same) - 1:,} more files, for example {second} and {third}"
            lines.append(f"{first} {reason} (the same for {more})")
    return "\n".join(lines)
