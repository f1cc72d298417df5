"""Write the model card of the final model."""

from foldwise.core.preload import start_stage

if __name__ == "__main__":
    start_stage("stages.card")

from collections.abc import Sequence

from foldwise.core.atomic import write_text
from foldwise.core.process import parse_options
from foldwise.data.pictures import image_strip
from foldwise.files.dataset import read_dataset
from foldwise.files.final import named_model
from foldwise.report.model_card import card_markdown, draw_card_figures, read_card_inputs
from foldwise.run.guard import run_stage


def main(argv: Sequence[str] | None = None) -> None:
    """Write README.md, figures/*.svg and mistakes.png."""
    args = parse_options("card", __doc__, argv, "reports choice model dataset output")
    dataset, output = read_dataset(args.dataset), args.output
    inputs = read_card_inputs(args.reports, args.choice, args.model, dataset.info)
    for name, svg in draw_card_figures(inputs).items():
        write_text(output / "figures" / f"{name}.svg", svg)
    wrong = [mistake.image for mistake in inputs.test.mistakes]
    image_strip(dataset.images[wrong]).save(output / "mistakes.png", optimize=True)
    write_text(output / "README.md", card_markdown(inputs))
    name = named_model(inputs.choice.architecture, len(inputs.refit.members))
    print(f"card: {name} -> {output / 'README.md'}")


if __name__ == "__main__":
    run_stage(main)
