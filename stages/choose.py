"""Collect what the final pipeline needs of the comparison."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.choose")

import shutil
from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.files.base import read_json, write_json
from foldwise.files.comparison import Comparison
from foldwise.files.dataset import read_dataset
from foldwise.files.final import named_model, read_final_params, write_out_of_fold
from foldwise.files.fold_record import read_predictions
from foldwise.files.network import read_network, write_network
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.files.split import read_recipe, read_split, write_recipe, write_split
from foldwise.files.tuning import read_rate
from foldwise.files.verdict import Verdict
from foldwise.run.guard import run_stage
from foldwise.ship.choice import choose_final, join_out_of_fold


def main(argv: Sequence[str] | None = None) -> None:
    """Write choice.json, out_of_fold.npz, and copies of network, weights, folds and recipe."""
    paths = "final params reports dataset splits recipes models rates runs output"
    args = parse_options("choose", __doc__, argv, paths)
    params = read_params(args.params, *RUN_KEYS, "prepare", "train")
    verdict = read_json(args.reports / "verdict.json", Verdict)
    reports = read_json(args.reports / "comparison.json", Comparison), verdict
    dataset = read_dataset(args.dataset)
    choice = choose_final(read_final_params(args.final), params, reports, dataset.info)
    name, n = choice.architecture, dataset.info.n_train
    network = read_network(args.models / name)
    runs = {
        (repeat, fold): read_predictions(args.runs / name / f"{repeat}-{fold}")
        for repeat in params.repeats
        for fold in params.folds
    }
    shutil.rmtree(args.output, ignore_errors=True)
    write_split(args.output / "split", read_split(args.splits / str(choice.repeat)))
    write_recipe(args.output / "recipe", read_recipe(args.recipes / str(choice.repeat)))
    rate = read_rate(args.rates / f"{name}.json")
    write_network(args.output / "network", network.with_learning_rate(rate))
    if network.weights_sha256 is not None:
        shutil.copy(args.models / name / "weights.safetensors", args.output / "network")
    logits = join_out_of_fold(runs, params.repeats, n)
    write_out_of_fold(args.output, logits, dataset.labels[:n])
    write_json(args.output / "choice.json", choice)
    model = named_model(name, choice.members)
    print(f"choose: {model} for {choice.epochs} epochs -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
