"""What the documents show is sound, and works."""

import re

import pytest
from dvc.utils.serialize import modify_yaml
from families import mostly_slow
from pages import ROOT, blocks
from ruamel.yaml import YAML

from foldwise.files.architecture import BuildSection
from foldwise.nets.freezing import resolve_freezing
from foldwise.nets.proof import prove_trainable, require_connected_spans, require_fit
from foldwise.nets.resolve import frozen_by_default, resolve

PARAMS = YAML(typ="safe").load((ROOT / "params.yaml").read_text())["build"]["architectures"]

QUICK = ("my_net", "short", "warm")  # one of each kind


def sections():
    """Return the sections of architectures in the pages and in params.yaml."""
    shown = dict(PARAMS)
    for page, text, _ in blocks("yaml"):
        if page != "CONTRIBUTING.md":
            shown |= YAML(typ="safe").load(text).get("build", {}).get("architectures", {})
    return shown


def test_what_is_shown_stays_readable_when_dvc_rewrites_it(tmp_path):
    """`dvc exp run -S` writes params.yaml anew, without the quotes of the user."""
    for number, (page, text, _) in enumerate(blocks("yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        before = YAML(typ="safe").load(text)
        if isinstance(before, dict) and page != "CONTRIBUTING.md":
            with modify_yaml(path) as content:
                content["model"] = "my_net"
            assert YAML(typ="safe").load(path.read_text()) == before | {"model": "my_net"}, page


def test_the_pages_show_each_way_to_an_architecture():
    keys = {key for section in sections().values() for key in section}
    assert {"base", "file", "layers", "stem", "weights", "policy", "thaw"} <= keys


@pytest.mark.parametrize("name", mostly_slow(sections(), QUICK))
def test_what_is_shown_can_be_built(name, info_of, tmp_path, monkeypatch):
    """All but the weights, which are to be downloaded."""
    source = re.findall(
        r"```python\n(.*?)```", (ROOT / "nets" / "README.md").read_text(), re.DOTALL
    )
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "my_net.py").write_text(source[0])
    monkeypatch.chdir(tmp_path)
    build = BuildSection.model_validate({"architectures": sections()})
    network = resolve(name, build, info_of(3, 32))
    require_connected_spans(network)
    require_fit(network)
    network = resolve_freezing(network, build.of(name), frozen_by_default(network))
    prove_trainable(network, {}, seed=0)
