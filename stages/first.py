"""In a race, train the first fold of one architecture."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.first")

from collections.abc import Sequence

from foldwise.core.atomic import sole_writer
from foldwise.core.process import parse_options
from foldwise.files.fold_record import result_line
from foldwise.files.params import read_params
from foldwise.files.race import write_first
from foldwise.run.guard import run_stage
from stages.train import PATHS, train


def main(argv: Sequence[str] | None = None) -> None:
    """Write the record and all that train writes beside it; without a race, only that."""
    args = parse_options("first", __doc__, argv, PATHS, repeat=int, fold=int)
    races = read_params(args.params, "compare").compare.race
    with sole_writer(args.predictions):
        record = train(args) if races else None
        write_first(args.record, args.predictions, record)
    print(f"first: {result_line(record) if record else 'no race'} -> {args.record}")


if __name__ == "__main__":
    run_stage(main)
