"""reports/bench.md, from what was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.by_images import ByImages
from benchmarks.by_workers import ByWorkers
from benchmarks.growth import Growth
from benchmarks.peak import OPERATIONS, Share
from benchmarks.race import PEERS, WITHIN, Precision, Race, label
from benchmarks.start import Start
from benchmarks.together import Together

HEAD = """# Benchmark

`make bench` wrote this. {machine}.

Times are never compared across runs: all take turns, and a figure is the median of the ratios of
repetitions that ran side by side.
"""

RACES = """## The same folds, otherwise written

How many times as long the same comparison takes: all 5 folds, training and evaluation, imports left
out. The plain loop is in the manner of torchvision's references (PIL transforms, DataLoader);
skorch runs in scikit-learn's `cross_validate` and is scored once at the end, the others after each
epoch. Data, folds, network, batch size, epochs, AdamW, one cycle and augmentation are the same; the
peers compute in float32, with the number of loading processes that is best for each (in brackets).
Accuracies are percent right on the validation images, over all folds and repetitions, with the
standard error of the difference; where they are more than 0.5 points apart, a ratio says nothing
and is struck out.
"""

SHARES = """## How near to the machine's limit

Steps of training beside products of matrices of 2,048 × 2,048 in the same precision and with the
same threads, in turn. A step is counted as three forward passes of two operations a multiply-add,
those with padding included, of which training leaves out what it can.
"Steady" is while it trains, "whole fold" the process of a fold from start to end, which evaluates
after each epoch, and of whose operations only those of training count.
"""

STARTS = """## What a fold costs beside its training

Whole processes, in turn: `python -m stages.train` without the training itself, and one that imports
torch and ends at once.
"""

TOGETHER = """## Folds side by side

Five folds of the digits on all cores, from stale trainings to the report: `dvc repro` with all
threads in one training, and `make repro JOBS=` as many as there are cores with one thread each.
"""

WORKERS = """## With more workers

{trainings} trainings of {model} on the digits with one thread each, from stale to the report: so
many at a time on this machine (`make repro JOBS=`), and on as many nodes of a Ray cluster, which
share this machine and have one CPU each. In brackets how many times less that is than with one. A
cluster is new each time, so that data goes to its nodes; its own start is not counted.
"""

IMAGES = """## What more images cost

Whole processes of {model} on {data}, once each; the fold has one epoch, and its peak of memory is
without the pages of mapped files, which are the system's.
"""

GROWTH = """## What DVC costs, by the number of trainings

Of trainings as small as can be: a `dvc repro` with nothing to do, and one without dvc.lock that
takes all from its cache, by the training, all other stages included. DVC reads and writes dvc.lock
anew for each stage that it runs.
"""

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


@dataclass(frozen=True)
class Measured:
    """All that the page shows.

    Attributes:
        machine: In words.
        races: Those that were run.
        shares: Of the networks that were timed.
        starts: Of those whose process was timed.
        together: Of those whose folds were trained side by side.
        workers: Of the same, by their number.
        images: Of the stages, by the number of images.
        growth: Of DVC.
    """

    machine: str
    races: Sequence[Race]
    shares: Sequence[Share]
    starts: Sequence[Start]
    together: Sequence[Together]
    workers: ByWorkers
    images: ByImages
    growth: Growth


def page(measured: Measured) -> str:
    """Return the page in Markdown."""
    parts = [HEAD.format(machine=measured.machine), RACES]
    for precision in PRECISIONS:
        entered = [one for one in measured.races if label("foldwise", precision) in one.runs]
        if entered:
            parts += [f"### Foldwise in {precision}\n", _races(entered, precision)]
        else:
            parts.append(f"Foldwise in {precision}: not on this machine, it has none.\n")
    parts += [SHARES, _shares(measured.shares), STARTS, _starts(measured.starts)]
    parts += [TOGETHER, _together(measured.together)]
    workers = measured.workers
    parts += [WORKERS.format(model=workers.model, trainings=workers.trainings), _workers(workers)]
    parts += [IMAGES.format(model=measured.images.model, data=measured.images.data)]
    parts += [_images(measured.images), GROWTH, _growth(measured.growth)]
    return "\n".join(parts)


def _races(races: Iterable[Race], precision: Precision) -> str:
    ours = label("foldwise", precision)
    head = ["case", "images × epochs", "Foldwise", "accuracy"]
    for peer in PEERS:
        head += [f"{peer}, times as long", "points apart"]
    rows = []
    for one in races:
        runs = one.runs[ours]
        accuracy = sum(sum(run.accuracies) / len(run.accuracies) for run in runs) / len(runs)
        row = [f"{one.model}, {one.data}", f"{one.images:,} × {one.epochs}"]
        row += [f"{median(run.seconds for run in runs):.1f} s", f"{100 * accuracy:.2f}"]
        for peer in PEERS:
            row += _peer(one, peer, ours)
        rows.append(row)
    return _table(head, rows)


def _peer(one: Race, peer: str, ours: str) -> list[str]:
    theirs = label(peer, "float32")
    ratio, (apart, error) = one.ratio(theirs, ours), one.apart(theirs, ours)
    shown = f"{ratio:.2f} ({one.workers[peer]})"
    counts = abs(apart) <= WITHIN
    return [shown if counts else f"~~{shown}~~", f"{100 * apart:+.2f} ± {100 * error:.2f}"]


def _shares(shares: Iterable[Share]) -> str:
    head = ["network", "images", "precision", "images/s", "GFLOP/s", "peak", "steady", "whole fold"]
    rows = [
        [
            one.model,
            f"{one.side}×{one.side}",
            one.precision,
            f"{one.images_per_second:,.0f}",
            f"{OPERATIONS * one.macs * one.images_per_second / 1e9:,.0f}",
            f"{one.peak / 1e9:,.0f}",
            f"{one.steady:.2f}",
            f"{one.whole:.2f}",
        ]
        for one in shares
    ]
    return _table(head, rows)


def _starts(starts: Iterable[Start]) -> str:
    head = ["network", "fold without training", "import torch", "more than that"]
    rows = [
        [one.model, f"{one.beside:.2f} s", f"{one.torch:.2f} s", f"{one.beside - one.torch:.2f} s"]
        for one in starts
    ]
    return _table(head, rows)


def _together(several: Iterable[Together]) -> str:
    head = ["network", "cores", "one after another", "side by side", "times as long"]
    rows = [
        [
            one.model,
            str(one.cores),
            f"{median(one.one):.1f} s",
            f"{median(one.all):.1f} s",
            f"{one.ratio:.2f}",
        ]
        for one in several
    ]
    return _table(head, rows)


def _workers(by: ByWorkers) -> str:
    head = ["workers", "at a time here", "nodes of a Ray cluster"]
    rows = []
    for one in by.counts:
        first = by.counts[0]
        row = [str(one.workers), _scaled(first.jobs, one.jobs), _scaled(first.nodes, one.nodes)]
        rows.append(row)
    return _table(head, rows)


def _scaled(first: Sequence[float], own: Sequence[float]) -> str:
    """Return the median of seconds, and how many times less they are than the first ones."""
    if not own:
        return "not measured: Ray is not installed"
    times = median(a / b for a, b in zip(first, own, strict=True))
    return f"{median(own):.1f} s ({times:.2f})"


def _images(by: ByImages) -> str:
    head = ["images", "prepare", "split", "augment", "fold", "its peak of memory"]
    rows = [
        [
            f"{one.images:,}",
            *(f"{seconds:.1f} s" for seconds in (one.prepare, one.split, one.augment, one.fold)),
            f"{one.peak_memory_bytes / 1e6:,.0f} MB",
        ]
        for one in by.sizes
    ]
    return _table(head, rows)


def _growth(growth: Growth) -> str:
    head = ["trainings", "nothing to do", "from the cache, each", "dvc.lock"]
    rows = [
        [
            str(one.trainings),
            f"{one.nothing:.1f} s",
            f"{one.cached:.2f} s",
            f"{one.lock_bytes / 1000:,.0f} kB",
        ]
        for one in growth.sizes
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
