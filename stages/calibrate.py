"""Calibrate the probabilities on images that did not train."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.calibrate")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.files.base import write_json
from foldwise.files.final import read_choice, read_out_of_fold
from foldwise.run.guard import run_stage
from foldwise.ship.calibration import calibrate


def main(argv: Sequence[str] | None = None) -> None:
    """Write calibration.json."""
    args = parse_options("calibrate", __doc__, argv, "choice output")
    choice = read_choice(args.choice)
    record = calibrate(choice, *read_out_of_fold(args.choice))
    write_json(args.output, record)
    error = f"calibration error {record.after.calibration_error:.4f}"
    scaled = f"no temperature for a mean of {choice.members}; of {record.scored_by}: {error}"
    if choice.members == 1:
        temperature, before = record.calibrated.temperature, record.before.calibration_error
        scaled = f"temperature {temperature:.3f}, {error} (before: {before:.4f})"
    print(
        f"calibrate: {scaled}, sets of {record.mean_set_size:.2f} classes cover "
        f"{record.covered:.4f} -> {args.output}"
    )


if __name__ == "__main__":
    run_stage(main)
