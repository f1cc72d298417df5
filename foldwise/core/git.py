"""What git has in its history, read by its plumbing commands."""

import os
import subprocess
from pathlib import Path


def git_output(folder: Path, *words: str, stdin: bytes = b"") -> bytes | None:
    """Return what a git command prints; None without git, outside a repository, or if it fails.

    Args:
        folder: Where the command runs.
        words: The command and its arguments.
        stdin: What it reads.
    """
    try:
        done = run_git(folder, *words, stdin=stdin)
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def run_git(folder: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a git command that asks no server, and return its result.

    Raises:
        FileNotFoundError: If git is not installed.
    """
    # A signed commit would add lines to what `git log` prints.
    command = ["git", "-c", "core.quotePath=false", "-c", "log.showSignature=false", *words]
    offline = os.environ | {"GIT_NO_LAZY_FETCH": "1"}  # a partial clone would ask its server
    return subprocess.run(
        command, cwd=folder, env=offline, input=stdin, capture_output=True, check=False
    )


def blobs_in_history(folder: Path, revisions: list[str]) -> dict[str, str]:
    """Return the path below a folder of every file version in the history of some revisions.

    Args:
        folder: A folder of a repository; only files below it count.
        revisions: Revisions, as `git log` takes them; missing ones count as empty.

    Returns:
        By the SHA-1 of a version, its path; {} without git or a repository.
    """
    options = ["--format=", "--raw", "-m", "--no-abbrev", "--no-renames", "--diff-filter=d"]
    options += ["--full-history", "--relative", "--ignore-missing"]
    lines = git_output(folder, "log", *options, *revisions, "--", ".")
    versions = {}
    for line in (lines or b"").decode(errors="replace").splitlines():
        facts, _, path = line.partition("\t")
        versions[facts.split()[3]] = path
    return versions


def read_blobs(folder: Path, names: list[str]) -> list[bytes]:
    """Return the contents of file versions, by their SHA-1."""
    stream = git_output(folder, "cat-file", "--batch", stdin="\n".join(names).encode() + b"\n")
    contents, start = [], 0
    while stream and start < len(stream):
        end = stream.index(b"\n", start)
        header = stream[start:end].split()
        size = int(header[2]) if len(header) == 3 else -1  # a name and "missing": a partial clone
        contents += [stream[end + 1 : end + 1 + size]] if size >= 0 else []
        start = end + 1 + (size + 1 if size >= 0 else 0)
    return contents
