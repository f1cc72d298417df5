"""A clone of the repository, and what one does there."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def ran(done):
    """Return the stages that ran."""
    return re.findall(r"^Running stage '(.*)':", done.stdout, re.MULTILINE)


@dataclass
class Clone:
    """A clone of the repository, and what one does there."""

    path: Path

    def run(self, *command, **environment):
        """Run a command and return what came of it."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

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
        """The file with what the command said that was started last."""
        return self.path.parent / "output"

    def environment(self, **more):
        """Return that of a command: nothing of the user's, and this Python first."""
        bin_first = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        home = str(self.path.parent)
        return {"PATH": bin_first, "HOME": home, "LANG": "C.UTF-8", **more}

    def dvc(self, *words):
        """Run dvc, which must succeed, and return the stages that ran."""
        done = self.run("dvc", *words)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return ran(done)

    def git(self, *words):
        """Run git, which must succeed, and return what it printed."""
        done = self.run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def change_params(self, **sections):
        """Merge sections into params.yaml."""
        path = self.path / "params.yaml"
        params = yaml.safe_load(path.read_text())
        for key, value in sections.items():
            params[key] = {**params[key], **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def replace(self, file, old, new):
        """Replace a text that must be there."""
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
