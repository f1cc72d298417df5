"""Git as a user runs it, with a name."""

import subprocess


def git(folder, *words):
    """Run git in a folder; it must succeed."""
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
