"""Read the images of a data set, check them, hold out a test set, and write them as one array."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from foldwise.core.errors import run_main
from foldwise.data.arrange import arrange, draw_limited, group_names
from foldwise.data.decode import decode
from foldwise.data.prepare import open_source, store_dataset, summarise_dataset
from foldwise.files.params import PrepareParams, read_params


def main(argv: Sequence[str] | None = None) -> None:
    """Write images.npy, labels.npy, samples.csv and dataset.json."""
    parser = argparse.ArgumentParser(prog="python -m stages.prepare", description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    params = read_params(arguments.params, PrepareParams)
    wanted, output = params.prepare, arguments.output
    source = open_source(wanted.dataset, wanted.root)
    source = source.take(draw_limited(source, wanted.limit, wanted.test_fraction, params.seed))
    names = group_names(source.files, wanted.groups)
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output) as scratch:
        decoded = decode(source, wanted.side, Path(scratch, "decoded.npy"))
        arranged = arrange(source, decoded.content, names, wanted.test_fraction, params.seed)
        info = store_dataset(output, params, source, decoded, arranged)
    print(f"prepare: {summarise_dataset(info)} -> {output}")


if __name__ == "__main__":
    run_main(main)
