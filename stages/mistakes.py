"""Draw images of the pairs of classes that the chosen architecture confuses most."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from foldwise.core.errors import run_main
from foldwise.data.pictures import as_png, choose, strip
from foldwise.files.comparison import Mistakes, Strip, read_confused, write_mistakes
from foldwise.files.dataset import read_dataset


def main(argv: Sequence[str] | None = None) -> None:
    """Write one PNG a pair, and strips.json."""
    parser = argparse.ArgumentParser(prog="python -m stages.mistakes", description=__doc__)
    for flag in ("--confused", "--dataset", "--output"):
        parser.add_argument(flag, type=Path, required=True)
    given = parser.parse_args(argv)
    dataset = read_dataset(given.dataset)
    chosen = choose(read_confused(given.confused), dataset, str(given.confused))
    given.output.mkdir(parents=True, exist_ok=True)
    for stale in given.output.glob("*.png"):
        stale.unlink()
    strips = []
    for number, images in enumerate(chosen):
        picture, file = strip(dataset.images[images]), f"{number}.png"
        (given.output / file).write_bytes(as_png(picture))
        width, height = picture.size
        strips.append(Strip(file=file, width=width, height=height, shown=len(images)))
    write_mistakes(given.output, Mistakes(strips=strips))
    shown = sum(map(len, chosen))
    print(f"mistakes: {shown} images of {len(strips)} pairs of classes -> {given.output}")


if __name__ == "__main__":
    run_main(main)
