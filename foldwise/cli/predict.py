"""foldwise predict: classes, probabilities and prediction sets of image files, one row each."""

import argparse
import csv
import io
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from foldwise.core.atomic import open_whole
from foldwise.core.errors import InputError, counted, lines_by_reason, printable
from foldwise.ship.predict import Prediction, Predictor, find_images

STDIN = "-"
DIGITS = 6  # of probabilities


def run_predict(args: argparse.Namespace) -> None:
    """Write a row for each image, and list the unreadable images on standard error.

    Args:
        args: Options of `foldwise predict`.

    Raises:
        InputError: If there are no images, none can be read, or the model cannot be used.
        SystemExit: If the reader of standard output has ended, for example head.
    """
    files, total = _list_files(args.images)
    predictor = Predictor(args.model, args.device)
    predictions = predictor.predict(files, args.top, args.batch_size)
    # Without a bar where the rows themselves go to the terminal.
    is_off = True if args.output is None and sys.stdout.isatty() else None
    with _open_output(args.output) as output:
        rows = tqdm(predictions, "predict", total, unit=" images", disable=is_off)
        top = min(args.top, len(predictor.model.classes))
        n, unreadable = _write_rows(rows, output, args, top)
    _report(n, unreadable)


def _list_files(arguments: Sequence[str]) -> tuple[Iterable[str], int | None]:
    """Return the files, and how many there are; None if standard input lists them."""
    if STDIN not in arguments:
        files = find_images(arguments)
        return files, len(files)
    if len(arguments) > 1:
        raise InputError(
            "IMAGES: - reads the paths from standard input, and others are named, too; leave out "
            "either (./- is a file of this name)"
        )
    lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
    return filter(None, lines), None


@contextmanager
def _open_output(path: Path | None) -> Iterator[TextIO]:
    """Yield the file, which appears when it is complete, or standard output."""
    if path is not None:
        with open_whole(path) as file:
            yield file
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        yield sys.stdout
    except BrokenPipeError:
        # As the Python documentation advises, because Python flushes standard output at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def _write_rows(
    rows: Iterable[Prediction], output: TextIO, args: argparse.Namespace, top: int
) -> tuple[int, list[tuple[str, str]]]:
    """Return the number of rows, and file and reason of each unreadable image."""
    n, unreadable = 0, list[tuple[str, str]]()
    if args.format == "csv":
        ranks = [name for k in range(2, top + 1) for name in (f"class_{k}", f"probability_{k}")]
        columns = ["file", "class", "probability", *ranks, "prediction_set", "error"]
        output.write(f"{_csv_line(columns)}\n")
    for n, row in enumerate(rows, 1):
        if row.error is not None:
            unreadable.append((row.file, row.error))
        line = _csv_line(_fields(row, top)) if args.format == "csv" else _json_line(row)
        # Bytes of a file name that are not UTF-8 become escapes, such as \udcff.
        output.write(line.encode(errors="backslashreplace").decode() + "\n")
        if n % args.batch_size == 0:
            output.flush()
    output.flush()
    return n, unreadable


def _fields(row: Prediction, top: int) -> list[str]:
    if row.error is not None:
        return [row.file, *[""] * (2 * top + 1), row.error]
    ranks = [text for name, value in row.ranking for text in (name, f"{value:.{DIGITS}f}")]
    return [row.file, *ranks, _csv_line(row.prediction_set, ";"), ""]


def _csv_line(fields: Iterable[str], delimiter: str = ",") -> str:
    """Return fields as CSV, with quotes where they hold delimiters, quotes or line breaks."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerow(fields)
    return buffer.getvalue().removesuffix("\r\n")


def _json_line(row: Prediction) -> str:
    record: dict[str, object] = {"file": row.file}
    if row.error is not None:
        record["error"] = row.error
    else:
        ranks = [{"class": name, "probability": round(p, DIGITS)} for name, p in row.ranking]
        record |= ranks[0] | {"top": ranks, "prediction_set": list(row.prediction_set)}
    return json.dumps(record, ensure_ascii=False)


def _report(n: int, unreadable: Sequence[tuple[str, str]]) -> None:
    """List unreadable images on standard error.

    Raises:
        InputError: If no image could be read.
    """
    lines = lines_by_reason(unreadable)
    if len(unreadable) < n:
        for line in lines.splitlines():
            print(f"predict: {printable(line)}", file=sys.stderr)
        if unreadable:
            text = f"{len(unreadable):,} of {counted(n, 'image')} could not be read"
            print(f"predict: {text}", file=sys.stderr)
    elif n:
        raise InputError(f"{lines}\nnone of {counted(n, 'image')} could be read; see above")
    else:
        raise InputError("IMAGES: standard input lists no file; write one path per line")
