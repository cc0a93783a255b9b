"""Versions sort by time and name the job or the process."""

import os

import pytest

from kdgat.session import _process_name

SLURM = ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID")


@pytest.fixture(autouse=True)
def _outside_slurm(monkeypatch):
    for name in SLURM:
        monkeypatch.delenv(name, raising=False)


def test_a_process_is_named_by_its_id():
    assert _process_name() == f"p{os.getpid()}"


def test_a_job_is_named_by_its_id(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert _process_name() == "j17"


def test_an_array_task_is_named_in_slurms_array_form(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "17")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert _process_name() == "j17_3"
