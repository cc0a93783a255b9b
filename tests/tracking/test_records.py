"""What a record says of the machine and packages that a run's numbers depend on."""

import platform
import subprocess
from pathlib import Path
from threading import Thread

from kdgat.tracking.records import (
    differences,
    environment,
    git,
    note,
    processor,
    read,
    write,
)

PROCESSOR = "processor : 0\nmodel : {model}\nmodel name\t: AMD EPYC\nstepping : 1\n\n"


def test_processors_of_one_name_are_told_apart(tmp_path):
    information = tmp_path / "cpuinfo"
    information.write_text(2 * PROCESSOR.format(model=17))
    assert processor(information) == "AMD EPYC, model 17, stepping 1"


def test_an_unknown_processor_is_named_as_python_does(tmp_path):
    assert processor(tmp_path / "missing") == platform.processor()


def test_what_has_changed_is_said_in_a_sentence_each():
    before = environment(Path())
    assert differences(before, before) == []
    moved = before | {
        "machine": "Linux x86_64, AMD EPYC, model 1",
        "packages": before["packages"] | {"torch": "1.0"},
    }
    changed = differences(moved, before)
    assert changed == [
        f"machine was Linux x86_64, AMD EPYC, model 1, is {before['machine']}",
        f"package torch was 1.0, is {before['packages']['torch']}",
    ]


def test_without_a_program_git_there_is_no_commit(monkeypatch, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert git(tmp_path, "rev-parse", "--is-inside-work-tree") == "true"
    monkeypatch.setenv("PATH", "")
    assert git(tmp_path, "rev-parse", "--is-inside-work-tree") == ""
    assert environment(tmp_path)["git_commit"] == "none"


def test_notes_of_two_threads_are_both_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    write("v1", {})

    def note_often(name: str) -> None:
        for number in range(100):
            note("v1", **{f"{name}_{number}": number})

    threads = [Thread(target=note_often, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read("v1")) == 200
