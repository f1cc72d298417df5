import pytest

from benchmarks.by_images import ByImages, Stages
from benchmarks.by_workers import ByWorkers, Workers
from benchmarks.from_nothing import FromNothing
from benchmarks.growth import Growth, Size
from benchmarks.page import Measured, page
from benchmarks.parallel import Parallel
from benchmarks.peak import Share
from benchmarks.race import Race, Run
from benchmarks.start import Start

OURS, PLAIN = "foldwise float32", "plain float32"


def runs(seconds, accuracies):
    return [
        Run(seconds=time, accuracies=[accuracy, accuracy])
        for time, accuracy in zip(seconds, accuracies, strict=True)
    ]


def text(**measured):
    """Return the page with a few measurements."""
    empty = {key: [] for key in ("from_nothing", "races", "shares", "starts", "parallel")}
    empty |= {"images": ByImages(model="lenet5", data="digits", sizes=[])}
    empty |= {"workers": ByWorkers(model="lenet5", trainings=10, counts=[])}
    empty |= {"growth": Growth(sizes=[])}
    return page(Measured(**{"machine": "A machine", **empty, **measured}))


def test_the_first_table_is_the_whole_process_against_a_plain_script():
    case = FromNothing(
        model="lenet5", images=100, foldwise=[1.0, 2.0, 9.0], plain=[2.0, 8.0, 10.0], workers=2
    )
    written = text(from_nothing=[case])
    assert "| lenet5 | 100 | 2.0 s | 8.0 s (2) | 0.50 |" in written
    assert written.index("From nothing") < written.index("same folds")


def make_race(apart=0.0, names=("plain", "skorch", "lightning")):
    ours = {OURS: runs([1.0, 2.0, 4.0], [0.8, 0.81, 0.82])}
    peers = {
        f"{name} float32": runs([3.0, 8.0, 20.0], [0.8 + apart, 0.81 + apart, 0.82 + apart])
        for name in names
    }
    return Race(
        data="digits",
        model="lenet5",
        images=100,
        epochs=2,
        workers=dict.fromkeys(names, 1),
        runs=ours | peers,
    )


def test_a_ratio_is_the_median_of_the_ratios_within_repetitions():
    """Not the ratio of medians, which a machine busy half of the time would shift."""
    assert make_race().ratio(PLAIN, OURS) == 4.0


def test_accuracies_are_compared_seed_by_seed():
    apart, error = make_race(apart=0.002).difference(PLAIN, OURS)
    assert (apart, error) == (pytest.approx(0.002), pytest.approx(0))


@pytest.mark.parametrize(
    ("apart", "shown"),
    [(0.0, "| 4.00 (1) | +0.00 ± 0.00"), (-0.006, "| ~~4.00 (1)~~ | -0.60 ± 0.00")],
)
def test_a_ratio_between_different_accuracies_is_struck_out(apart, shown):
    written = text(races=[make_race(apart)])
    assert written.count(shown) == 3
    assert "Foldwise in bfloat16: not supported by this machine" in written


def test_the_page_shows_the_share_of_the_peak_and_the_overhead_of_a_fold():
    share = Share(
        model="slim_vgg",
        side=28,
        precision="float32",
        macs=10_000_000,
        images_per_second=1000,
        peak=1e11,
        steady=0.6,
        whole=0.45,
    )
    start = Start(model="lenet5", fold=2.5, training=0.5, torch=1.75)
    written = text(shares=[share], starts=[start])
    assert "| slim_vgg | 28×28 | float32 | 1,000 | 60 | 100 | 0.60 | 0.45 |" in written
    assert "| lenet5 | 2.00 s | 1.75 s | 0.25 s |" in written


def test_the_page_shows_parallel_folds_and_the_overhead_of_dvc():
    times = Parallel(model="lenet5", cores=2, sequential=[4.0, 9.0, 8.0], parallel=[2.0, 3.0, 4.0])
    size = Size(trainings=20, nothing=1.5, cached=0.25, lock_bytes=12_345)
    written = text(parallel=[times], growth=Growth(sizes=[size]))
    assert "| lenet5 | 2 | 8.0 s | 3.0 s | 2.00 |" in written
    assert "| 20 | 1.5 s | 0.25 s | 12 kB |" in written


def test_the_page_shows_more_workers():
    counts = [
        Workers(workers=1, jobs=[9.0, 12.0, 15.0], nodes=[]),
        Workers(workers=2, jobs=[6.0, 6.0, 5.0], nodes=[]),
    ]
    written = text(workers=ByWorkers(model="lenet5", trainings=10, counts=counts))
    assert "10 trainings of lenet5 on the digits" in written
    assert "| 1 | 12.0 s (1.00) | not measured: Ray is not installed |" in written
    assert "| 2 | 6.0 s (2.00) |" in written


def test_the_page_shows_more_images():
    size = Stages(
        images=10_000, prepare=3, split=1.5, augment=2, fold=4, peak_memory_bytes=600_000_000
    )
    written = text(images=ByImages(model="lenet5", data="FashionMNIST", sizes=[size]))
    assert "lenet5 on FashionMNIST" in written
    assert "| 10,000 | 3.0 s | 1.5 s | 2.0 s | 4.0 s | 600 MB |" in written
