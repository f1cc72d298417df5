"""In a race, decide after the first fold which architectures train on the others."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.race")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.files.network import read_card
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.files.race import read_first, write_decision
from foldwise.run.guard import run_stage
from foldwise.selection.race import decide_folds, decide_race


def main(argv: Sequence[str] | None = None) -> None:
    """Write a decision for each fold of each architecture."""
    args = parse_options("race", __doc__, argv, "params first models output")
    params = read_params(args.params, *RUN_KEYS, "compare")
    records = [read_first(args.first / f"{model}.json") for model in params.models]
    # What had seen the images is kept out of the choice: it stops no other, and is not stopped.
    fair = [r for r in records if r and not read_card(args.models / r.model).seen_images]
    standings = decide_race(fair, params.compare) if fair else []
    for (model, repeat, fold), decision in decide_folds(params.runs, records, standings).items():
        write_decision(args.output / model / f"{repeat}-{fold}.json", decision)
    for standing in standings:
        if not standing.goes_on:
            print(f"race: {standing.model} stops: {standing.reason}")
    n = len(params.models) - sum(not standing.goes_on for standing in standings)
    print(f"race: {n} of {len(params.models)} architectures go on -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
