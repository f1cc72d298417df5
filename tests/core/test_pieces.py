from hypothesis import given
from hypothesis import strategies as st

from foldwise.core.chunks import CHUNK_BYTES, chunks


@given(st.integers(0, 5000), st.integers(1, 2 * CHUNK_BYTES))
def test_every_row_is_in_one_piece_in_order(n_rows, row_bytes):
    rows = range(n_rows)
    assert [row for part in chunks(n_rows, row_bytes) for row in rows[part]] == list(rows)


@given(st.integers(1, 5000), st.integers(1, 2 * CHUNK_BYTES))
def test_a_piece_is_small_or_one_row(n_rows, row_bytes):
    sizes = [part.stop - part.start for part in chunks(n_rows, row_bytes)]
    assert all(size == 1 or size * row_bytes <= CHUNK_BYTES for size in sizes)
