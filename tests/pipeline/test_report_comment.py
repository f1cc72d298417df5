"""The comment of a pull or merge request; scripts replace gh and curl."""

import json
import os
import re
import subprocess

import pytest
from clone import ROOT

MARKER = "<!-- foldwise: report -->"


@pytest.fixture
def host(tmp_path):
    """Return a function that runs a script with a replacement for gh or curl.

    It returns the result and the calls. Each call gets the next of `answers`: (exit status, text).
    """

    def host(name, words, answers, **environment):
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "answers.json").write_text(json.dumps(answers))
        (tools / name).write_text(
            "#!/usr/bin/env python3\n"
            "import json, pathlib, sys\n"
            "folder = pathlib.Path(__file__).parent\n"
            "calls = folder / 'calls.json'\n"
            "past = json.loads(calls.read_text()) if calls.exists() else []\n"
            "files = [pathlib.Path(word) for word in sys.argv if word.startswith('/dev/fd/')]\n"
            "calls.write_text(json.dumps([*past, sys.argv[1:] + [f.read_text() for f in files]]))\n"
            "status, text = json.loads((folder / 'answers.json').read_text())[len(past)]\n"
            "print(text, file=sys.stderr if status else sys.stdout)\n"
            "sys.exit(status)\n"
        )
        (tools / name).chmod(0o755)
        summary = tmp_path / "summary.md"
        summary.write_text(f"{MARKER}\n# Take it\n")
        environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        script = ROOT / ".ci" / f"comment-{words[0]}"
        result = subprocess.run(
            [script, *words[1:], summary],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        calls = tools / "calls.json"
        return result, json.loads(calls.read_text()) if calls.exists() else []

    return host


GITHUB = ("github", "a/b", "7")
DENIED = "gh: Resource not accessible by integration (HTTP 403)"


@pytest.mark.parametrize(
    ("found", "method", "address"),
    [("", "POST", "repos/a/b/issues/7/comments"), ("5\n9", "PATCH", "repos/a/b/issues/comments/5")],
)
def test_github_has_one_comment_that_is_updated(host, found, method, address):
    result, calls = host("gh", GITHUB, [(0, found), (0, "https://example.org/1")])
    assert (result.returncode, result.stdout) == (0, "comment: https://example.org/1\n")
    assert "repos/a/b/issues/7/comments" in calls[0]
    assert calls[1][:4] == ["api", "--method", method, address]
    assert any(re.fullmatch("body=@.*/summary.md", word) for word in calls[1])


def test_with_a_read_only_token_there_is_only_the_summary(host):
    result, _ = host("gh", GITHUB, [(0, ""), (1, DENIED)])
    assert result.returncode == 0
    assert result.stdout.startswith("::notice::no comment")


def test_any_other_failure_of_github_fails(host):
    result, _ = host("gh", GITHUB, [(0, ""), (1, "gh: Server Error (HTTP 502)")])
    assert (result.returncode, result.stderr[:18]) == (1, "error: no comment:")


GITLAB = {
    "CI_API_V4_URL": "https://example.org/api/v4",
    "CI_MERGE_REQUEST_PROJECT_ID": "3",
    "CI_MERGE_REQUEST_PROJECT_URL": "https://example.org/a/b",
    "CI_MERGE_REQUEST_IID": "7",
}
NOTES = "https://example.org/api/v4/projects/3/merge_requests/7/notes"
OTHERS = {"id": 4, "body": f"I saw {MARKER}"}


@pytest.mark.parametrize(
    ("found", "address"), [([OTHERS], NOTES), ([OTHERS, {"id": 5, "body": MARKER}], f"{NOTES}/5")]
)
def test_gitlab_has_one_note_that_is_updated(host, found, address):
    answers = [(0, json.dumps(found)), (0, "")]
    result, calls = host("curl", ("gitlab",), answers, REPORT_TOKEN="secret", **GITLAB)
    assert (result.returncode, result.stderr) == (0, "")
    assert f"{NOTES}?sort=asc&per_page=100" in calls[0]
    assert address in calls[1]
    for words in calls:  # the last word is the content of the file: no argument shows the token
        assert words[-1] == 'header = "PRIVATE-TOKEN: secret"\n'
        assert not any("secret" in word for word in words[:-1])


def test_without_a_token_gitlab_has_only_the_artifact(host):
    result, calls = host("curl", ("gitlab",), [], **GITLAB)
    assert (result.returncode, calls) == (0, [])
    assert "no note, because there is no REPORT_TOKEN" in result.stdout
