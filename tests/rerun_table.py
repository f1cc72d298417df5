"""Which stages run again after a change of code: tested without DVC and with it."""

import re

TIMED = {
    "extract",
    "forecast",
    "tune",
    "first",
    "train",
}  # run networks on images, or predict their run time
STALE_AFTER = {  # of a new constant in a module of foldwise/
    "core/errors.py": set(),
    "core/process.py": set(),
    "files/params.py": set(),
    "files/validation.py": set(),
    "files/features.py": {"extract", "forecast"},  # a format counts for its writers only
    "files/split.py": {"augment", "split"},
    "files/fold_record.py": {"first", "train"},
    "files/race.py": {"first", "race"},
    "files/tuning.py": {"tune"},
    "files/base.py": set(),
    "files/verdict.py": {"compare"},
    "files/comparison.py": {"compare", "mistakes"},
    "files/tables.py": {"compare"},
    "files/inspection.py": {"inspect"},
    "data/near_duplicates.py": {"prepare", "inspect"},
    "data/decode.py": {"prepare"},
    "data/split.py": {"split"},
    "data/folds.py": {"augment", "forecast", "tune", "first", "train", "compare"},
    "data/augment.py": {"augment", *TIMED},
    "nets/zoo/lenet5.py": {"build"},
    "nets/network.py": {"build", *TIMED},
    "nets/composition.py": {"build"},
    "nets/shapes.py": {"build"},
    "nets/sides.py": {"build"},
    "engine/trainer.py": {"forecast", "tune", "first", "train"},
    "engine/tuning.py": {"tune"},
    "engine/hardware.py": TIMED,
    "selection/statistics.py": {"race", "compare"},
    "report/figures/style.py": {"report"},
    "plan/measure.py": {"forecast"},
    "run/progress.py": set(),
    "cli/main.py": set(),
}
STALE_AFTER_EDIT = {  # of what a module of foldwise/files computes, beside its format
    ("params.py", '"adamw": 0.002', '"adamw": 0.003'): {"forecast", "tune", "first", "train"},
    ("network.py", '{"learning_rate": rate}', '{"learning_rate": 2 * rate}'): {"build", *TIMED},
    ("split.py", "table[:, 1]", "table[:, 0]"): {
        *{"augment", "split", "tune", "first", "train", "inspect"}
    },
    ("race.py", 'path.suffix != ".json"', "True"): {"first", "race", "train"},
    ("catalogue.py", '{"split": "val"}', '{"split": "test"}'): {"prepare"},
    ("preparation.py", "(size, size)", "(size, 1)"): {"prepare"},
    ("dataset.py", "PIXEL_MAX = 255", "PIXEL_MAX = 256"): {
        *{"prepare", "split", "augment", "build"},
        *TIMED,
    },
    ("verdict.py", "else SAME_COST", "else 2 * SAME_COST"): {"race", "compare"},
    # A new key with a default, a validator, a text for people
    ("params.py", "flip: Share  #", "new: Share = 0.0\n    flip: Share  #"): set(),
    ("params.py", "self.race and", "self.race is True and"): set(),
    ("tuning.py", "{self.learning_rate:g}, {", "{self.learning_rate:g}; {"): {"tune", "report"},
}
# Modules of the layers that compute, with an error text.
ERROR_TEXTS = ("data/decode.py", "nets/adapt.py", "engine/hardware.py", "selection/records.py")


def add_constant(source):
    return f"{source}\nNEW = 1\n"


def add_comments(source):
    return f"# A comment.\n\n{source}\n# Another.\n"


def change_error_texts(source):
    changed, n_texts = re.subn(r'(raise \w+\(\s*f?")', r"\1In other words: ", source)
    assert n_texts > 0
    return changed
