"""Commands in a clone of the repository."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def ran(result):
    """Return the stages that a command of DVC ran."""
    return re.findall(r"^Running stage '(.*)':", result.stdout, re.MULTILINE)


@dataclass
class Clone:
    """A clone of the repository.

    Attributes:
        path: Its folder.
        shims: Environment variables by which stages and DVC start at once, as forks.
    """

    path: Path
    shims: dict[str, str]

    def run(self, *command, **environment):
        """Run a command and return its result."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def quick(self, *command, **environment):
        """Run a command whose stages and DVC start at once, as forks, and return its result."""
        return self.run(*command, **self.shims, **environment)

    def start(self, *command, **environment):
        """Start a command with its output in a file beside the clone."""
        with self.output.open("w") as output:
            return subprocess.Popen(
                command,
                cwd=self.path,
                env=self.environment(**environment),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self):
        """The file with the output of the command that was started last."""
        return self.path.parent / "output"

    def environment(self, **more):
        """Return the variables of a command: none of the user, and this Python first in PATH."""
        bin_first = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        home = str(self.path.parent)
        return {"PATH": bin_first, "HOME": home, "LANG": "C.UTF-8", **more}

    def dvc(self, *words):
        """Run dvc, which must succeed, and return the stages that ran."""
        result = self.quick("dvc", *words)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        return ran(result)

    def stale(self, *args):
        """Return the stages of dvc.yaml that are not up to date, matrix keys included."""
        result = self.quick("dvc", "status", "--json", *args)
        assert result.returncode == 0, result.stderr[-3000:]
        return {stage for stage in json.loads(result.stdout) if not stage.startswith("final/")}

    def copy(self, path):
        """Return a copy of this clone."""
        shutil.copytree(self.path, path, symlinks=True)
        return Clone(path, self.shims)

    def commit(self, message):
        """Commit all files."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def comparison(self):
        """Return the content of comparison.json."""
        return json.loads((self.path / "reports/comparison.json").read_text())

    def git(self, *words):
        """Run git, which must succeed, and return what it printed."""
        result = self.run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def change_params(self, **sections):
        """Merge sections into params.yaml."""
        path = self.path / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for key, value in sections.items():
            params[key] = {**params[key], **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def replace(self, file, old, new):
        """Replace a text in a file, which must contain it."""
        path = self.path / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def files(self):
        """Return the content of every file outside .git, .dvc and caches of Python."""
        return {
            str(path.relative_to(self.path)): path.read_bytes()
            for path in sorted(self.path.rglob("*"))
            if path.is_file()
            and not {".git", ".dvc", "__pycache__"} & set(path.relative_to(self.path).parts)
        }
