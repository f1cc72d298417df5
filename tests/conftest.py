"""Settings of Hypothesis, and longer time limits for long tests.

Hypothesis draws the same few examples for everyone; HYPOTHESIS_PROFILE=full draws new ones.
"""

import atexit
import gc
import os
import sys

# DVC would start a process after each command that reports its use.
os.environ["DVC_NO_ANALYTICS"] = "true"
# Before torch is imported: two processes with two threads each would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from forks import fork_server
from hypothesis import settings

settings.register_profile("quick", derandomize=True, max_examples=15, deadline=None, database=None)
settings.register_profile("full", max_examples=200, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

OF_PIPELINE = (
    *("dvc.cli.parser", "dvc.commands.status", "dvc.repo.reproduce", "dvc.repo.experiments.run"),
    *("dvc.repo.index", "dvc.repo.plots", "dvc_render", "networkx", "pygit2"),
    *("dvc.data_cloud", "dvc.lock", "scmrepo.git", "celery", "kombu", "filelock", "ruamel.yaml"),
    *("torch._dynamo", "torch.fx.experimental.symbolic_shapes", "torch.utils.flop_counter"),
    *("tabulate", "torchinfo", "safetensors.torch", "sklearn.datasets", "sklearn.model_selection"),
    *("scipy.stats", "pandas", "matplotlib.figure", "matplotlib.backends.backend_svg", "tqdm"),
    *("matplotlib.backends.backend_agg", "pydantic", "jinja2", "markdown_it", "PIL.Image"),
)
LONG_SECONDS = 1200  # for slow tests and for runs of the whole pipeline, also on a busy machine


def pytest_configure():
    """Collect no garbage while tests are collected: millions of objects, all of which stay."""
    gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.set_threshold(100_000)  # as stages do; the tests of networks take a twentieth less
    gc.enable()


def pytest_collection_modifyitems(items):
    """Begin with the tests that run DVC, so that one process of two runs them all."""
    for item in items:
        if "slow" in item.keywords or item.path.parent.name == "pipeline":
            item.add_marker(pytest.mark.timeout(LONG_SECONDS))
    items.sort(key=lambda item: "dvc_process" not in item.fixturenames)


def pytest_unconfigure(config):
    """Let processes of pytest-xdist end at once: to free each object takes them seconds."""
    if hasattr(config, "workerinput"):
        atexit.register(os._exit, 0)


@pytest.fixture(autouse=True)
def one_thread():
    """Undo what a stage set: threads cost more than they bring to networks this small."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def torch_process():
    """Return a process that has imported torch and pydantic, and no module of ours."""
    with fork_server(["torch", "pydantic"]) as forks:
        yield forks


@pytest.fixture(scope="session")
def dvc_process():
    """Return a process that has imported DVC and what the stages need, and no module of ours."""
    with fork_server(OF_PIPELINE) as forks:
        yield forks
