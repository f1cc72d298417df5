"""Facts that nobody measured, thresholds of the project, and networks that are only weighed."""

from pathlib import Path
from types import SimpleNamespace

import yaml
from hypothesis import strategies as st

from foldwise.files.params import AdviseSection, TrainSection
from foldwise.plan.forecast import Throughput
from foldwise.plan.proposals import Trial
from foldwise.plan.rules import Facts

ROOT = Path(__file__).parents[2]
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
LIMITS = AdviseSection.model_validate(yaml.safe_load(PARAMS)["advise"])
TRAIN = TrainSection.model_validate(yaml.safe_load(PARAMS)["train"])

FACTS = st.builds(
    Facts,
    side=st.integers(4, 2048),
    file_side=st.integers(4, 4096),
    channels=st.integers(1, 8),
    n_classes=st.integers(2, 2000),
    n_images=st.integers(4, 10**7),
    smallest_class=st.integers(1, 10**6),
    background=st.floats(0, 1),
    compressed=st.floats(0, 1),
    has_gpu=st.booleans(),
    has_lite0=st.booleans(),
)
TRAINS = st.builds(
    lambda epochs, rate: TRAIN.model_copy(update={"epochs": epochs, "learning_rate": rate}),
    st.integers(1, 30),
    st.floats(1e-5, 1),
)


def facts_of(**changed):
    """Return the facts of a small clean data set, some of them changed."""
    usual = {
        "side": 28,
        "channels": 1,
        "n_classes": 10,
        "n_images": 8000,
        "smallest_class": 800,
        "background": 0.5,
        "compressed": 0.5,
        "has_gpu": False,
    }
    changed = {"file_side": changed.get("side", usual["side"])} | changed
    return Facts(**usual | changed)


def trial_of(n_downsamplings=2, macs=10**6):
    """Return what a network that is not made would weigh."""
    return Trial(SimpleNamespace(name="net"), n_downsamplings, macs)


def pace_of(speed):
    """Return the pace of a network that trains so many images a second."""
    return Throughput({1: speed}, 3 * speed)
