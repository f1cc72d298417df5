"""An array that may be larger than memory, a piece at a time."""

from collections.abc import Iterator

CHUNK_BYTES = 2**25  # bytes: many small images, or a few large ones


def chunks(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices that cover all rows in order, each of at most `PIECE` bytes, or one row.

    Args:
        n_rows: Of the array.
        row_bytes: Of one row, at least 1.
    """
    step = max(1, CHUNK_BYTES // row_bytes)
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
