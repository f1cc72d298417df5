import mmap

import numpy as np
import pytest

from foldwise.engine import inputs as mapped
from foldwise.engine.inputs import MappedRows, file_mapping


@pytest.fixture
def array(tmp_path):
    """Return 50 rows of 5,000 bytes, over a page each, mapped from a file."""
    np.save(tmp_path / "a.npy", np.arange(50 * 1250, dtype=np.uint32).reshape(50, 1250))
    return np.load(tmp_path / "a.npy", mmap_mode="r")


class Told:
    """A mapping that keeps what it is told before it does it."""

    def __init__(self, file):
        self.file, self.pages = file, []

    def __len__(self):
        return len(self.file)

    def madvise(self, advice, start, length):
        self.file.madvise(advice, start, length)  # raises where the range is none
        assert advice == mmap.MADV_WILLNEED
        self.pages.append(range(start, start + length))


def test_numpy_still_gives_access_to_the_mapping_of_a_file(array):
    reason = "this numpy has no memmap._mmap: look for its successor in file_mapping, inputs.py"
    assert isinstance(file_mapping(array), mmap.mmap), reason
    assert file_mapping(np.zeros(3)) is None


@pytest.mark.parametrize("large", [0, 2**30])
def test_rows_are_those_of_the_array(array, monkeypatch, large):
    monkeypatch.setattr(mapped, "LARGE", large)
    index = np.array([49, 0, 7, 7])
    assert np.array_equal(MappedRows(array).take(index), np.array(array)[index])


def test_an_array_in_memory_needs_no_file(monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 0)
    assert MappedRows(np.arange(6).reshape(3, 2)).take(np.array([2])).tolist() == [[4, 5]]


def test_exactly_the_pages_of_the_rows_are_asked_for(array, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 0)
    rows = MappedRows(array)
    rows._file = told = Told(rows._file)
    rows.take(np.array([49, 3]))
    for row, asked in zip((49, 3), told.pages, strict=True):
        first = array.offset + row * 5000
        assert asked.start == first // mmap.PAGESIZE * mmap.PAGESIZE
        assert asked.stop == first + 5000
