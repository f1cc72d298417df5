from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.by_images import by_images
from benchmarks.cases import size_cases

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[60], [60, 90]])
def test_each_stage_is_timed_on_each_number_of_images(tmp_path, sizes):
    pairs = zip(size_cases([])[: len(sizes)], sizes, strict=True)
    cases = [replace(case, images=images) for case, images in pairs]
    measured = by_images(cases, PARAMS, tmp_path)
    assert [size.images for size in measured.sizes] == sizes
    for size in measured.sizes:
        assert min(size.prepare, size.split, size.augment, size.fold) > 0
        assert size.peak_memory_bytes > 100_000_000  # torch alone takes more
