"""Which run a command goes on with, and what of it has to run again."""

from dataclasses import replace

import pytest
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from kdgat import lives
from kdgat.errors import KdgatError
from kdgat.lives import NOTE, SAVED, Life
from kdgat.tracking import records
from kdgat.tracking.journal import write_whole
from kdgat.tracking.owners import Owner

COMMAND = {"parameters": {"seed": 1}}


@pytest.fixture(autouse=True)
def data_root(tmp_path, monkeypatch):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    return tmp_path


def begun(version: str, owner: Owner | None = None, key: str | None = None) -> Life:
    """A run that another process has begun."""
    life = Life.find(COMMAND, version, key=key)
    life.claim()
    records.write(version, {"inputs": {}})
    gone = replace(Owner.this_process(), started=0.0)
    write_whole(life.folder / NOTE, {"version": version, "owner": (owner or gone).to_dict()})
    return life


def test_a_run_whose_process_is_gone_is_gone_on_with():
    before = begun("v1")
    again = Life.find(COMMAND, "v2")
    assert (again.version, again.folder, again.is_first) == ("v1", before.folder, False)
    again.end()
    assert Life.find(COMMAND, "v3").is_first


@pytest.mark.parametrize("status", ["KILLED", "FAILED"])
def test_a_run_that_has_ended_elsewhere_is_gone_on_with(status):
    """A container that is started again has another host name."""
    begun("v1", replace(Owner.this_process(), host="another-host"))
    records.write("v1", {"inputs": {}, "status": status})
    assert Life.find(COMMAND, "v2").version == "v1"


def test_a_run_that_may_be_alive_elsewhere_is_left_alone_and_named(caplog):
    begun("v1", replace(Owner.this_process(), host="another-host"))
    records.write("v1", {"inputs": {}, "status": "RUNNING"})
    assert Life.find(COMMAND, "v2").is_first
    assert "run v1 was begun on another-host, which cannot be asked" in caplog.text


def test_a_run_that_has_lost_a_model_begins_anew():
    before, other = begun("v1"), begun("v2", key="task-1")
    lives.forget(["v1"])
    assert not before.folder.exists()
    assert other.folder.exists()
    assert Life.find(COMMAND, "v3").is_first


def test_another_command_has_a_folder_of_its_own():
    before = begun("v1")
    other = Life.find({"parameters": {"seed": 2}}, "v2")
    assert other.is_first
    assert other.folder != before.folder


def test_a_process_at_work_keeps_its_folder():
    from_init = Owner.this_process()
    alive = replace(from_init, pid=1, started=lives_since(1))
    before = begun("v1", alive)
    beside = Life.find(COMMAND, "v2")
    assert beside.is_first
    assert beside.folder != before.folder
    begun("v3", alive, key="task-1")
    with pytest.raises(KdgatError, match=r"run task-1 is being made by process 1 on .* version v3"):
        Life.find(COMMAND, "v4", key="task-1")


def lives_since(pid: int) -> float:
    import psutil

    return psutil.Process(pid).create_time()


def test_a_requeued_job_goes_on_though_slurm_calls_it_running(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    me = Owner.this_process()
    earlier = replace(me, host="another-node", pid=4)
    assert not earlier.is_in_the_way(when_unknown=True)
    assert not me.is_in_the_way(when_unknown=True)
    elsewhere = Owner("another-node", 4, 0.0, None)
    assert elsewhere.is_in_the_way(when_unknown=True)
    assert not elsewhere.is_in_the_way(when_unknown=False)


def test_a_key_is_a_folder_s_name():
    life = Life.find(COMMAND, "v1", key="sub/../x y")
    assert life.folder.parent.name == "checkpoints"
    assert life.folder.name.startswith("sub-..-x-y-")


def versioned(tmp_path, name: str) -> JSONDataset:
    return JSONDataset(filepath=str(tmp_path / f"{name}.json"), version=Version("v1", "v1"))


def test_what_is_half_saved_runs_again_and_what_needs_it_does_not(data_root):
    """a (stored) -> b (memory) -> c, d (stored together) -> e (stored)."""
    catalog = DataCatalog(
        {name: versioned(data_root, name) for name in "acde"} | {"b": MemoryDataset()}
    )
    catalog["raw"] = MemoryDataset(1)

    def same(value):
        return value

    pipeline = Pipeline(
        [
            Node(same, "raw", "a", name="a"),
            Node(same, "a", "b", name="b"),
            Node(lambda b: (b, b), "b", ["c", "d"], name="cd"),
            Node(same, "d", "e", name="e"),
        ]
    )
    life = Life.find(COMMAND, "v1")
    life.claim()
    for name in "acde":
        catalog.save(name, {})
    for name in "acd":
        life.note_saved(name)
    assert life.clear_the_way(pipeline, catalog) == ["a", "b", "cd"]
    assert [catalog.exists(name) for name in "acde"] == [True, True, True, False]
    (life.folder / SAVED / "d").unlink()  # c was saved, d was not
    assert life.clear_the_way(pipeline, catalog) == ["a"]
    assert [catalog.exists(name) for name in "acde"] == [True, False, False, False]


def test_what_was_being_saved_when_a_run_failed_is_removed(data_root):
    catalog = DataCatalog({name: versioned(data_root, name) for name in "abc"})
    life = Life.find(COMMAND, "v1")
    life.claim()
    for name in "ab":
        catalog.save(name, {})
    life.note_saved("a")
    life.remove_half_saved("abc", catalog)
    assert [catalog.exists(name) for name in "abc"] == [True, False, False]


def test_code_and_parameters_make_a_command(monkeypatch):
    asked = dict.fromkeys(
        ("pipeline_names", "tags", "from_nodes", "to_nodes", "node_names", "from_inputs")
    ) | {"to_outputs": None, "namespaces": None, "env": "smoke"}
    one = lives.command_of(asked, {"seed": 1, "logging": {"level": "info"}})
    assert one == lives.command_of(asked, {"seed": 1, "logging": {"level": "debug"}})
    assert one != lives.command_of(asked, {"seed": 2})
    assert one != lives.command_of(asked | {"pipeline_names": ["fusion"]}, {"seed": 1})
    monkeypatch.setattr(records, "packages", lambda: {"torch": "another"})
    assert one != lives.command_of(asked, {"seed": 1})
