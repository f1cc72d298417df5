"""Run the stages of a small comparison in this process, without DVC."""

from pathlib import Path

import yaml

from foldwise.files.params import read_params
from foldwise.files.race import FoldDecision, write_decision
from foldwise.files.split import write_recipe
from stages import build, compare, extract, inspect, prepare, split, train, tune

PARAMS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
COMMON = {"params": "params.yaml", "dataset": "data/prepared"}
FOLDS = [0, 1, 2]


def call(stage, **flags):
    stage.main([text for key, value in flags.items() for text in (f"--{key}", str(value))])


def write_params(architectures, names=("lenet5",), epochs=1, **data):
    sections = {
        "model": names[0],
        "candidates": list(names),
        "folds": FOLDS,
        "prepare": PARAMS["prepare"] | {"dataset": "digits", "limit": 150} | data,
        "build": {"architectures": architectures},
        "train": PARAMS["train"] | {"epochs": epochs, "learning_rate": 0.002},
        "hardware": {"precision": "float32", "device": "cpu", "threads": 1},
    }
    Path("params.yaml").write_text(yaml.safe_dump(PARAMS | sections))
    Path("nets").mkdir(exist_ok=True)


def make_data():
    call(prepare, params="params.yaml", output="data/prepared")
    call(split, **COMMON, repeat=0, output="data/splits/0")
    write_recipe(Path("data/augmented/0"), read_params(Path("params.yaml"), "augment").augment)


def fit(name):
    outputs = {"network": f"data/models/{name}", "summary": f"reports/models/{name}"}
    call(build, **COMMON, **outputs, model=name, latency=f"data/latency/{name}.json")


def learn(name, fold=0):
    """Train a fold, and return the file of its weights."""
    paths = COMMON | {"recipe": "data/augmented/0", "network": f"data/models/{name}"}
    call(extract, **paths, output=f"data/features/{name}", timing=f"reports/extraction/{name}.json")
    paths |= {"split": "data/splits/0", "features": f"data/features/{name}"}
    paths |= {"rate": f"data/tuned/{name}.json"}
    call(tune, **paths, tried=f"reports/tuning/{name}.json")
    paths |= {"forecast": "none"}
    predictions, record = f"data/runs/{name}/0-{fold}", f"reports/folds/{name}/0-{fold}.json"
    race = Path("data/race", name, f"0-{fold}.json")
    write_decision(race, FoldDecision())
    outputs = {"predictions": predictions, "record": record}
    call(train, **paths, repeat=0, fold=fold, race=race, first=f"data/first/{name}", **outputs)
    return Path(predictions, "weights.safetensors")


def judge():
    inspection = {"runs": "data/runs", "models": "reports/models", "output": "reports/inspection"}
    call(inspect, **COMMON, splits="data/splits", **inspection)
    folders = {name: f"reports/{name}" for name in ("folds", "models", "extraction", "inspection")}
    call(compare, params="params.yaml", **folders, output="reports")
