"""Measure how fast Foldwise is, beside what one would otherwise write, and write the page."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cases
from benchmarks.bench import Bench
from benchmarks.machine import describe
from benchmarks.page import Measured, page
from benchmarks.race import Precision
from foldwise.core.atomic import write_text
from foldwise.core.errors import run_main
from foldwise.engine.hardware import choose_hardware
from foldwise.files.params import TrainParams, read_params
from foldwise.run.local_backend import count_cores


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page; what an earlier, interrupted run measured is not measured again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="of larger data sets, if there")
    parser.add_argument("--folder", type=Path, required=True, help="for what is made meanwhile")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args(argv)
    hardware = choose_hardware(read_params(given.params, TrainParams).hardware)
    ours: list[Precision] = list(dict.fromkeys(["float32", hardware.precision]))
    bench = Bench(given.params, given.folder, given.repetitions, ours, _tell)
    entered = cases.races(given.data, given.folder)
    cores = count_cores()
    measured = Measured(
        machine=describe(hardware),
        starts=[bench.start(one) for one in cases.started()],
        shares=[bench.share(one) for one in cases.weighed(entered[0])],
        races=[bench.race(one) for one in entered],
        together=[bench.together(model, cores) for model in cases.TOGETHER],
        workers=bench.by_workers(cores),
        images=bench.by_images(cases.growing(entered)),
        growth=bench.growth(cores),
    )
    write_text(given.output, page(measured))
    print(f"bench: {len(entered)} races of {given.repetitions} repetitions -> {given.output}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_main(main)
