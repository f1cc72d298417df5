"""What `make` does besides calling other commands."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "{ü} # $x 'so'",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("plain", "Bücher ü", 'it\'s, "so"')),
    ],
)
def test_site_cache_is_in_the_folder_whatever_its_name(tmp_path, name):
    project = tmp_path / name
    (project / ".dvc").mkdir(parents=True)
    shutil.copy("Makefile", project)
    local = project / ".dvc" / "config.local"
    local.write_text("['remote \"mine\"']\n    url = /ü\n", encoding="utf-8")
    shutil.copy(".dvc/config", project / ".dvc")
    python = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for _ in range(2):
        subprocess.run(
            ["make", "local-config"], cwd=project, env=os.environ | {"PATH": python}, check=True
        )
    code = "from dvc.config import Config; c = Config('.dvc'); print(c.read('local'))"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=project,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    config = ast.literal_eval(done.stdout)
    assert config["core"]["site_cache_dir"] == str(project / ".dvc/tmp/site")
    assert config["plots"]["html_template"].endswith("plots/offline.html")
    assert config["remote"]["mine"]["url"] == "/ü"
