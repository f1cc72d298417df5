"""Decode the images of a data set, check them, hold out a test set, and store them as one array."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.prepare")

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from foldwise.core.errors import counted, printable
from foldwise.core.process import parse_options
from foldwise.data.arrange import arrange, draw_subset
from foldwise.data.decode import decode_images
from foldwise.data.named_groups import match_groups
from foldwise.data.near_duplicates import find_near_duplicates, join_near_duplicates
from foldwise.data.pixels import PixelSettings
from foldwise.data.prepare import open_source, store_dataset, summarise_dataset
from foldwise.files.params import read_params
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write images, labels, digests.npy, samples.csv, dataset.json, and skipped files."""
    args = parse_options("prepare", __doc__, argv, "params output")
    params = read_params(args.params, "seed", "prepare")
    section, seed = params.prepare, params.seed
    source = open_source(section.dataset, section.root, section.table)
    source = source.take(draw_subset(source, section.limit, section.test_fraction, seed))
    groups = match_groups(source, section.groups)
    args.output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=args.output) as scratch:
        settings, skip = PixelSettings.of(section), section.unreadable == "skip"
        decoded = decode_images(source, settings, Path(scratch, "decoded.npy"), skip=skip)
        source = source.take(decoded.kept)
        groups = groups and [groups[position] for position in decoded.kept]
        together, notes = decoded.pixel_ids, source.notes
        if section.near_duplicates == "group":
            pairs = find_near_duplicates(decoded.pixels, source.labels)
            together = join_near_duplicates(together, pairs)
            notes += (f"{counted(len(pairs), 'pair')} of near-duplicates kept together",)
        order, samples = arrange(
            source,
            content_ids=decoded.content_ids,
            together_ids=together,
            group_names=groups,
            test_fraction=section.test_fraction,
            seed=seed,
        )
        info = store_dataset(args.output, params, source, decoded, order, samples)
    print(f"prepare: {printable(summarise_dataset(info, notes))} -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
