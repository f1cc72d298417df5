"""Images a second of something that runs on batches."""

import time
from collections.abc import Callable, Iterator
from statistics import median

Run = Callable[[int], object]  # computes a batch of so many images, and returns when it is done

FEWEST = 4  # images of the first batch
LEAST_BATCHES, MOST_BATCHES = 3, 20  # timed; of three a middle one is left, of many enough
LONGEST = 3.0  # times the seconds asked for, of one batch; a longer one is timed in part


def images_per_second(run: Run, largest: int, seconds: float) -> float:
    """Return the speed of a run on batches of the largest size, timed for about some seconds.

    The first run of each size counts only if it is slow: libraries choose their kernels then. A
    batch that would take much longer than the seconds is timed in part, and its time follows
    from a line through two sizes, since each batch has a part that its size does not change. The
    median counts: other work on the machine makes single batches many times slower.

    Args:
        run: What to time.
        largest: Images a batch.
        seconds: For which to time, more or less; at least one batch.
    """
    few = min(FEWEST, largest)
    run(few)
    short = _timed(run, few)
    size = max(few, min(largest, int(few * LONGEST * seconds / short)))
    times = [_timed(run, size)]
    if times[0] < seconds:
        times = list(_batches(run, size, seconds))
    return largest / _on_line((few, short), (size, median(times)), largest)


def _on_line(first: tuple[int, float], second: tuple[int, float], size: int) -> float:
    """Return the seconds of a size on the line through two points of size and seconds.

    The line neither falls nor meets the axis below 0: clocks err.
    """
    (few, short), (many, long) = first, second
    if many == few:
        return long * size / many
    slope = min(max((long - short) / (many - few), 0.0), long / many)
    return long + slope * (size - many)


def _batches(run: Run, size: int, seconds: float) -> Iterator[float]:
    """Yield the times of batches until they take some seconds together."""
    spent = 0.0
    for number in range(MOST_BATCHES):
        if number >= LEAST_BATCHES and spent >= seconds:
            return
        time_of_one = _timed(run, size)
        spent += time_of_one
        yield time_of_one


def _timed(run: Run, size: int) -> float:
    start = time.perf_counter()
    run(size)
    return time.perf_counter() - start
