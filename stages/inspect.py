"""Look for near-duplicate images, and for labels that look wrong."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.inspect")

from collections.abc import Sequence

from foldwise.core.errors import counted
from foldwise.core.process import parse_options
from foldwise.data.inspection import describe, pair_table, save_pictures, sort_pairs
from foldwise.data.near_duplicates import find_near_duplicates
from foldwise.engine.without_images import count_without
from foldwise.files.dataset import read_dataset, read_samples
from foldwise.files.fold_record import read_predictions
from foldwise.files.inspection import LabelCounts, write_inspection
from foldwise.files.network import read_card
from foldwise.files.params import RUN_KEYS, read_params
from foldwise.files.split import read_split
from foldwise.run.guard import run_stage
from foldwise.selection.labels import label_table, mean_probabilities, suspicious_labels


def main(argv: Sequence[str] | None = None) -> None:
    """Write inspection.json, counts.json, near_duplicates.csv, labels.csv and pictures."""
    args = parse_options("inspect", __doc__, argv, "params dataset splits runs models output")
    params = read_params(args.params, *RUN_KEYS, "prepare")
    dataset, samples = read_dataset(args.dataset), read_samples(args.dataset)
    splits = {repeat: read_split(args.splits / str(repeat)) for repeat in params.repeats}
    runs = {run: read_predictions(args.runs / run[0] / f"{run[1]}-{run[2]}") for run in params.runs}
    unseen = {name for name in params.models if not read_card(args.models / name).seen_images}
    mode = params.prepare.near_duplicates
    n = 0 if mode == "ignore" else len(dataset.labels)
    near = find_near_duplicates(dataset.images[:n], dataset.labels[:n])
    pairs, places = sort_pairs(near, samples, splits)
    duplicates = pair_table(pairs, places, samples, dataset.info)
    labels, classes = dataset.labels[: dataset.info.n_train], dataset.info.classes
    fair = [predictions for run, predictions in runs.items() if run[0] in unseen]
    probabilities = mean_probabilities(fair, len(labels), len(classes))
    wrong = suspicious_labels(labels, probabilities)
    table = label_table(wrong, labels, probabilities, samples.files, classes)
    n_wrong = LabelCounts(images=len(wrong), checked=int(probabilities.any(axis=1).sum()))
    inspection = describe(dataset, splits, duplicates, n_wrong, mode)
    tables = {"near_duplicates": duplicates, "labels": table}
    write_inspection(args.output, inspection, count_without(runs, labels, wrong), tables)
    save_pictures(args.output, dataset.images, {"pair": pairs, "label": wrong[:, None]})
    n_pairs, n_labels = counted(len(pairs), "pair"), counted(len(wrong), "suspicious label")
    print(f"inspect: {n_pairs} of near-duplicates, {n_labels} -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
