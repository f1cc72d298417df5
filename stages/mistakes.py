"""Draw images of the pairs of classes that the chosen architecture confuses most often."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.mistakes")

from collections.abc import Sequence

from foldwise.core.process import parse_options
from foldwise.data.pictures import image_strip, mistake_images
from foldwise.files.base import read_json
from foldwise.files.comparison import Confused, Mistakes, write_mistakes
from foldwise.files.dataset import read_dataset
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write one PNG per pair of classes, and strips.json.

    Without the data set there are no PNGs, and DRAWN is not written: DVC then runs this stage again
    when the data are there.
    """
    args = parse_options("mistakes", __doc__, argv, "confused dataset output drawn")
    args.output.mkdir(parents=True, exist_ok=True)
    for stale in (*args.output.glob("*.png"), args.drawn):
        stale.unlink(missing_ok=True)
    if not args.dataset.exists():  # dvc repro --allow-missing
        write_mistakes(args.output, Mistakes(strips=None), args.drawn)
        missing = f"{args.dataset} is missing; run 'dvc repro' to prepare it and draw them"
        print(f"mistakes: no pictures, because {missing} -> {args.output}")
        return
    dataset = read_dataset(args.dataset)
    confused = read_json(args.confused, Confused)
    examples = mistake_images(confused, dataset, str(args.confused))
    for number, images in enumerate(examples):
        picture = image_strip(dataset.images[images])
        picture.save(args.output / f"{number}.png", optimize=True)
    strips = [len(images) for images in examples]
    write_mistakes(args.output, Mistakes(strips=strips), args.drawn)
    print(f"mistakes: {sum(strips)} images of {len(strips)} pairs of classes -> {args.output}")


if __name__ == "__main__":
    run_stage(main)
