"""The page reports/bench.md."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.by_images import ByImages
from benchmarks.by_workers import ByWorkers
from benchmarks.from_nothing import FromNothing, section
from benchmarks.growth import Growth
from benchmarks.parallel import Parallel
from benchmarks.peak import OPERATIONS, Share
from benchmarks.race import MAX_DIFFERENCE, PEERS, Precision, Race, label
from benchmarks.start import Start

HEAD = """# Benchmark

Written by `make bench`. Machine: {machine}.

Times of different runs are never compared. All contestants take turns, and a ratio is the median of
the ratios within each repetition.
"""

RACES = """## Foldwise and alternatives on the same folds

The ratio of times, alternative / Foldwise, for the same comparison: training and evaluation of all
5 folds, without imports. The plain loop follows torchvision's references (PIL transforms,
DataLoader). skorch runs in scikit-learn's `cross_validate` and is evaluated once at the end, the
others after each epoch. Data, folds, network, batch size, epochs, AdamW, one-cycle schedule and
augmentation are the same. The alternatives use float32, each with its best number of DataLoader
processes (in brackets). Accuracies are percent correct on the validation images, over all folds and
repetitions, with the standard error of the difference. If they differ by more than 0.5 points, the
ratio is meaningless and struck out.
"""

SHARES = """## Share of the machine's peak performance

Training steps, compared with products of 2,048 × 2,048 matrices in the same precision and with the
same threads; both take turns. A step counts as three forward passes of two operations per
multiply-add, including padding, which training partly leaves out. "Steady" is during training.
"Whole fold" is the process of a fold from start to end, with an evaluation after each epoch, of
whose operations only those of training count.
"""

STARTS = """## Overhead of a fold

Whole processes, which take turns: `python -m stages.train` without the training itself, and a
process that imports torch and exits.
"""

PARALLEL = """## Parallel folds

Five folds of the digits on all cores, from stale trainings to the report: `dvc repro` with all
threads in one training, and `make repro JOBS=N` with as many jobs as cores and one thread each.
"""

WORKERS = """## More workers

{trainings} trainings of {model} on the digits with one thread each, from stale trainings to the
report: as parallel trainings on this machine (`make repro JOBS=N`), and on a Ray cluster with as
many nodes, which share this machine and have one CPU each. In brackets: the speed-up over one
worker. Each cluster is new, so the data must reach its nodes; the start of the cluster is not
counted.
"""

IMAGES = """## More images

Whole processes of {model} on {data}, once each. The fold has one epoch. Its memory peak does not
count the pages of mapped files, which the operating system can reclaim.
"""

GROWTH = """## Overhead of DVC

For trainings as small as possible: a `dvc repro` with nothing to do, and a `dvc repro` without
dvc.lock that restores everything from the run-cache, divided by the number of trainings. DVC reads
and writes dvc.lock for each stage that it runs.
"""

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


@dataclass(frozen=True)
class Measured:
    """All measurements of the page.

    Attributes:
        machine: Description of the machine.
        from_nothing: Whole processes from files to the result; empty without FashionMNIST.
        races: Foldwise and alternatives.
        shares: Shares of the peak performance.
        starts: Overheads of a fold.
        parallel: Parallel and sequential folds.
        workers: Times for several numbers of workers.
        images: Times for several numbers of images.
        growth: Overhead of DVC for several numbers of trainings.
    """

    machine: str
    from_nothing: Sequence[FromNothing]
    races: Sequence[Race]
    shares: Sequence[Share]
    starts: Sequence[Start]
    parallel: Sequence[Parallel]
    workers: ByWorkers
    images: ByImages
    growth: Growth


def page(measured: Measured) -> str:
    """Return the page in Markdown."""
    parts = [HEAD.format(machine=measured.machine)]
    if measured.from_nothing:
        parts.append(section(measured.from_nothing))
    parts.append(RACES)
    for precision in PRECISIONS:
        races = [race for race in measured.races if label("foldwise", precision) in race.runs]
        if races:
            parts += [f"### Foldwise in {precision}\n", _races(races, precision)]
        else:
            parts.append(f"Foldwise in {precision}: not supported by this machine.\n")
    parts += [SHARES, _shares(measured.shares), STARTS, _starts(measured.starts)]
    parts += [PARALLEL, _parallel(measured.parallel)]
    workers = measured.workers
    parts += [WORKERS.format(model=workers.model, trainings=workers.trainings), _workers(workers)]
    parts += [IMAGES.format(model=measured.images.model, data=measured.images.data)]
    parts += [_images(measured.images), GROWTH, _growth(measured.growth)]
    return "\n".join(parts)


def _races(races: Iterable[Race], precision: Precision) -> str:
    ours = label("foldwise", precision)
    head = ["case", "images × epochs", "Foldwise", "accuracy"]
    for peer in PEERS:
        head += [f"{peer}, ratio", "difference in points"]
    rows = []
    for race in races:
        runs = race.runs[ours]
        accuracy = sum(sum(run.accuracies) / len(run.accuracies) for run in runs) / len(runs)
        row = [f"{race.model}, {race.data}", f"{race.images:,} × {race.epochs}"]
        row += [f"{median(run.seconds for run in runs):.1f} s", f"{100 * accuracy:.2f}"]
        for peer in PEERS:
            row += _peer(race, peer, ours)
        rows.append(row)
    return _table(head, rows)


def _peer(race: Race, peer: str, ours: str) -> list[str]:
    theirs = label(peer, "float32")
    difference, error = race.difference(theirs, ours)
    ratio = f"{race.ratio(theirs, ours):.2f} ({race.workers[peer]})"
    if abs(difference) > MAX_DIFFERENCE:
        ratio = f"~~{ratio}~~"
    return [ratio, f"{100 * difference:+.2f} ± {100 * error:.2f}"]


def _shares(shares: Iterable[Share]) -> str:
    head = ["network", "images", "precision", "images/s", "GFLOP/s", "peak", "steady", "whole fold"]
    rows = [
        [
            share.model,
            f"{share.side}×{share.side}",
            share.precision,
            f"{share.images_per_second:,.0f}",
            f"{OPERATIONS * share.macs * share.images_per_second / 1e9:,.0f}",
            f"{share.peak / 1e9:,.0f}",
            f"{share.steady:.2f}",
            f"{share.whole:.2f}",
        ]
        for share in shares
    ]
    return _table(head, rows)


def _starts(starts: Iterable[Start]) -> str:
    head = ["network", "fold without training", "import torch", "difference"]
    rows = [
        [
            start.model,
            f"{start.overhead:.2f} s",
            f"{start.torch:.2f} s",
            f"{start.overhead - start.torch:.2f} s",
        ]
        for start in starts
    ]
    return _table(head, rows)


def _parallel(measurements: Iterable[Parallel]) -> str:
    head = ["network", "cores", "sequential", "parallel", "ratio"]
    rows = [
        [
            times.model,
            str(times.cores),
            f"{median(times.sequential):.1f} s",
            f"{median(times.parallel):.1f} s",
            f"{times.ratio:.2f}",
        ]
        for times in measurements
    ]
    return _table(head, rows)


def _workers(by: ByWorkers) -> str:
    head = ["workers", "jobs on this machine", "nodes of a Ray cluster"]
    rows = []
    for count in by.counts:
        first = by.counts[0]
        row = [
            str(count.workers),
            _speed_up(first.jobs, count.jobs),
            _speed_up(first.nodes, count.nodes),
        ]
        rows.append(row)
    return _table(head, rows)


def _speed_up(first: Sequence[float], seconds: Sequence[float]) -> str:
    """Return the median of seconds, and the speed-up over the first ones."""
    if not seconds:
        return "not measured: Ray is not installed"
    ratio = median(a / b for a, b in zip(first, seconds, strict=True))
    return f"{median(seconds):.1f} s ({ratio:.2f})"


def _images(by: ByImages) -> str:
    head = ["images", "prepare", "split", "augment", "fold", "memory peak"]
    rows = [
        [
            f"{size.images:,}",
            *(
                f"{seconds:.1f} s"
                for seconds in (size.prepare, size.split, size.augment, size.fold)
            ),
            f"{size.peak_memory_bytes / 1e6:,.0f} MB",
        ]
        for size in by.sizes
    ]
    return _table(head, rows)


def _growth(growth: Growth) -> str:
    head = ["trainings", "nothing to do", "from the cache, per training", "dvc.lock"]
    rows = [
        [
            str(size.trainings),
            f"{size.nothing:.1f} s",
            f"{size.cached:.2f} s",
            f"{size.lock_bytes / 1000:,.0f} kB",
        ]
        for size in growth.sizes
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
