"""Apply a function to all images of a source, with threads, in bounded memory."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from foldwise.core.errors import InputError, named_file
from foldwise.core.process import count_cores
from foldwise.core.quiet import quiet
from foldwise.data.originals import decoder_errors
from foldwise.data.sources import ImageSource

BATCH = 8  # images per task; single tiny images take three times as long, for the overhead
AHEAD = 2  # waiting tasks per core: keeps all cores busy, and needs little memory for large photos

T = TypeVar("T")
Item = TypeVar("Item")


def map_all(
    source: ImageSource, function: Callable[[Image.Image | Path], T], what: str
) -> Iterator[tuple[int, T | InputError]]:
    """Do the same as `map_images` for all images, with a progress bar named `what`."""
    n = len(source.files)
    results = map_images(source, np.arange(n), function)
    yield from tqdm(results, what, n, unit=" images", disable=None)


def map_images(
    source: ImageSource,
    positions: NDArray[np.intp],
    function: Callable[[Image.Image | Path], T],
) -> Iterator[tuple[int, T | InputError]]:
    """Yield each position with the function of its image, or with its error, in order.

    Raises:
        OSError: If memory, file handles or the disk fail; the images may be sound.
    """

    def apply(position: int) -> T:
        with named_file(f"{source.root}/{source.files[position]}"):
            with decoder_errors():
                file = source.load(position)
            return function(file)

    return map_ahead(apply, positions.tolist())


def map_ahead(
    function: Callable[[Item], T], items: Iterable[Item]
) -> Iterator[tuple[Item, T | InputError]]:
    """Yield each item with its result, or with its error, in order.

    Threads work a few batches ahead; Executor.map would keep every result in memory.
    """
    n_threads, remaining = count_cores(), iter(items)
    waiting: deque[Future[list[tuple[Item, T | InputError]]]] = deque()
    # Decoders warn about odd metadata, and about large images, which are errors here.
    with quiet(logging.CRITICAL, "PIL", "tifffile"), ThreadPoolExecutor(n_threads) as pool:
        while batch := list(islice(remaining, BATCH)):
            waiting.append(pool.submit(_apply, function, batch))
            if len(waiting) > AHEAD * n_threads:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()


def _apply(function: Callable[[Item], T], batch: list[Item]) -> list[tuple[Item, T | InputError]]:
    results: list[tuple[Item, T | InputError]] = []
    for item in batch:
        try:
            results.append((item, function(item)))
        except InputError as error:
            # A copy, because the frames in a traceback hold the pixels of the image.
            results.append((item, type(error)(str(error))))
    return results
