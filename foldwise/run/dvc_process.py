"""The process that runs DVC so that a stop cannot harm its files.

DVC that is killed while it writes dvc.lock leaves an empty file (12 of 12 killed within 30 ms of
"Updating lock file"); so does .dvc/tmp/rwlock, on a busy machine. Then every command of DVC fails.
Hence this module lets DVC replace these files at once. DVC also parses and formats all of dvc.lock
after each stage, .5 s with 40 stages and seconds with 200; here it formats only that stage. The
process ends what DVC runs, if told to end; DVC then finishes by itself: finished trainings are
recorded, unfinished ones are not.
"""

import os
import re
import runpy
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from io import StringIO
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, TextIO

from foldwise.core.atomic import open_whole

HEADING = "schema: '2.0'\nstages:\n"  # of dvc.lock
ALIAS = re.compile(r"[&*]id\d{3}")  # as ruamel.yaml writes a value that occurs twice
REPEAT_SECONDS = 0.1  # until the next SIGTERM, for what DVC has started in the meantime


def main(args: list[str]) -> None:
    """Run `dvc ARGS` to its end, in a session of its own: SIGTERM ends all other processes there.

    Args:
        args: Command line of DVC.
    """
    signal.signal(signal.SIGTERM, _end_stages)
    _write_whole_files()
    _format_changed_stages()
    sys.argv = ["dvc", *args]
    try:
        runpy.run_module("dvc", run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # Python removes the handlers before it exits


def _write_whole_files() -> None:
    """Let DVC write YAML files, dvc.lock above all, and the rwlock under another name first."""
    from dvc import rwlock
    from dvc.utils.serialize import _common, _yaml

    def dump(
        path: str, data: object, dumper: Callable[..., object], fs: object = None, **options: object
    ) -> None:
        if fs is not None and getattr(fs, "protocol", None) != "local":
            write(path, data, dumper=dumper, fs=fs, **options)
        else:
            with open_whole(Path(path)) as file:
                dumper(data, file, **options)

    write, _yaml._dump_data, _common._dump_data = _common._dump_data, dump, dump
    edit, local = rwlock._edit_rwlock, SimpleNamespace(join=os.path.join, open=_open_local)
    rwlock._edit_rwlock = lambda folder, _fs, hardlink: edit(folder, local, hardlink)


def _open_local(
    path: str, mode: str = "r", encoding: str = "utf-8"
) -> AbstractContextManager[TextIO]:
    return open_whole(Path(path)) if mode == "w" else Path(path).open(encoding=encoding)


def _format_changed_stages() -> None:
    """Let DVC format only what is new in dvc.lock.

    The file is that of DVC to the byte, but without aliases: a value of params.yaml that occurs
    twice there would get the same anchor in several stages, which is no valid YAML.
    """
    from dvc.utils.serialize import _yaml

    texts: dict[str, str] = {}  # of the stages that are in the file or were formatted before
    parse, dump = _yaml.parse_yaml_for_update, _yaml._dump

    def parse_fast(text: str, path: str) -> dict[str, Any]:
        """Parse dvc.lock without its comments and line breaks, which only files of people have."""
        is_lock = Path(path).name == "dvc.lock"
        data: dict[str, Any] = (_yaml.parse_yaml if is_lock else parse)(text, path)
        if not is_lock:
            return data
        stages = data.get("stages") or {}
        heading, *blocks = re.split(r"^(?=  \S)", text, flags=re.MULTILINE)
        is_own = heading == HEADING and text.endswith("\n") and not ALIAS.search(text)
        if is_own and len(blocks) == len(stages):
            texts.update(zip(map(repr, stages.items()), blocks, strict=True))
        return data

    def dump_fast(data: Mapping[str, Any], stream: TextIO) -> None:
        stages = data.get("stages")
        if data != {"schema": "2.0", "stages": stages} or not stages:
            dump(data, stream)
            return
        stream.write(HEADING)
        for name, stage in stages.items():
            if (key := repr((name, stage))) not in texts:
                dump({"stages": {name: _without_aliases(stage)}}, text := StringIO())
                texts[key] = text.getvalue().partition("\n")[2]
            stream.write(texts[key])

    _yaml.parse_yaml_for_update, _yaml._dump = parse_fast, dump_fast


def _without_aliases(value: object) -> object:
    """Return a copy in which no dictionary or list occurs twice."""
    if isinstance(value, Mapping):
        return {key: _without_aliases(item) for key, item in value.items()}
    return [_without_aliases(item) for item in value] if isinstance(value, list) else value


def _end_stages(_number: int, _frame: FrameType | None) -> None:
    """End all other processes of this session, repeatedly, until DVC itself has ended."""
    # Functions, not SIG_IGN, because child processes of DVC would inherit SIG_IGN.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    signal.signal(signal.SIGALRM, lambda _number, _frame: os.killpg(0, signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS / 10, REPEAT_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
