"""What a run says of its job."""

import pytest

from kdgat.slurm.job import handed_on, job_name, job_tags, mark_complete


@pytest.fixture(autouse=True)
def _outside_slurm(monkeypatch):
    for name in ("JOB_ID", "ARRAY_JOB_ID", "ARRAY_TASK_ID", "RESTART_COUNT", "JOB_PARTITION"):
        monkeypatch.delenv(f"SLURM_{name}", raising=False)
    monkeypatch.delenv("KDGAT_COMPLETION_MARKER", raising=False)


def test_outside_slurm_there_is_no_job_and_no_marker(tmp_path):
    assert job_name() is None
    assert job_tags() == {}
    mark_complete({"x": "1"})
    assert not list(tmp_path.iterdir())


def test_array_task_in_its_third_life(monkeypatch):
    values = {"JOB_ID": "18", "ARRAY_JOB_ID": "17", "ARRAY_TASK_ID": "3", "RESTART_COUNT": "2"}
    for name, value in values.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert job_name() == "j17_3r2"
    assert job_tags()["slurm.array_task_id"] == "3"
    assert job_tags()["slurm.restart_count"] == "2"


def test_first_life_is_not_counted_in_the_name(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    assert job_name() == "j18"
    assert job_tags() == {"slurm.job_id": "18", "slurm.restart_count": "0"}


def test_marker_appears_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("KDGAT_COMPLETION_MARKER", str(tmp_path / "0"))
    mark_complete({"a": "v1", "b": "v2"})
    assert (tmp_path / "0").read_text() == "a:v1\nb:v2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


def test_a_stage_is_not_handed_what_it_makes_itself(monkeypatch):
    versions = {"agent": "v1", "scorecard": "v1"}
    assert handed_on(versions, {"scorecard"}) == versions  # typed by a person: refused later
    monkeypatch.setenv("KDGAT_COMPLETION_MARKER", "marker")
    assert handed_on(versions, {"scorecard"}) == {"agent": "v1"}
