from dataclasses import replace
from pathlib import Path

from benchmarks.by_images import by_images
from benchmarks.cases import growing

PARAMS = Path(__file__).parents[2] / "params.yaml"


def test_each_stage_is_timed_on_each_number_of_images(tmp_path):
    pairs = zip(growing([]), (60, 90), strict=True)
    cases = [replace(one, images=images) for one, images in pairs]
    measured = by_images(cases, PARAMS, tmp_path)
    assert [one.images for one in measured.sizes] == [60, 90]
    for one in measured.sizes:
        assert min(one.prepare, one.split, one.augment, one.fold) > 0
        assert one.peak_memory_bytes > 100_000_000  # torch alone takes more
