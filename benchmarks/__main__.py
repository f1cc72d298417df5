"""Measure the speed of Foldwise and of alternatives, and write reports/bench.md."""

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
from foldwise.core.process import count_cores
from foldwise.engine.hardware import choose_hardware
from foldwise.files.params import read_params


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page; measurements of an earlier, interrupted run are reused."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of larger data sets, optional"
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="for intermediate files and results"
    )
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    hardware = choose_hardware(read_params(args.params, "train", "hardware").hardware)
    precisions: list[Precision] = list(dict.fromkeys(["float32", hardware.precision]))
    bench = Bench(args.params, args.folder, args.repetitions, precisions, _print_progress)
    races = cases.races(args.data, args.folder)
    cores = count_cores()
    measured = Measured(
        machine=describe(hardware),
        from_nothing=bench.from_nothing(args.data),
        starts=[bench.start(case) for case in cases.start_cases()],
        shares=[bench.share(case) for case in cases.peak_cases(races[0])],
        races=[bench.race(case) for case in races],
        parallel=[bench.parallel(model, cores) for model in cases.PARALLEL_MODELS],
        workers=bench.by_workers(cores),
        images=bench.by_images(cases.size_cases(races)),
        growth=bench.growth(cores),
    )
    write_text(args.output, page(measured))
    print(f"bench: {len(races)} races of {args.repetitions} repetitions -> {args.output}")


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_main(main)
