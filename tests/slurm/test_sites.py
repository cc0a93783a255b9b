"""Site profiles and owned flags."""

import pytest

from kdgat.errors import ParameterError
from kdgat.slurm.__main__ import SITES
from kdgat.slurm.sites import read_site, refuse_owned


def write(folder, text: str) -> str:
    path = folder / "here.yml"
    path.write_text(text)
    return str(path)


def test_flags_are_passed_on_as_written(tmp_path):
    text = (
        "sbatch: {time: 04:00:00, gpus-per-node: 1, exclusive: true}\n"
        "stages: {data_processing: {gpus-per-node: none, time: 30}}\n"
    )
    site = read_site(write(tmp_path, text), SITES)
    assert site.flags("fusion") == ["--time=04:00:00", "--gpus-per-node=1", "--exclusive"]
    assert site.flags("data_processing") == ["--time=30", "--exclusive"]


def test_variables_and_home_are_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch/me")
    monkeypatch.setenv("HOME", "/home/me")
    site = read_site(
        write(tmp_path, "# $UNSET\nscratch: ${SCRATCH}/kdgat\nvirtual_environment: ~/v\n"), SITES
    )
    assert site.scratch == "/scratch/me/kdgat"
    assert site.virtual_environment == "/home/me/v"


@pytest.mark.parametrize("name", ["generic", "osc_pitzer"])
def test_examples_are_valid(name, monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch/me")
    monkeypatch.setenv("KDGAT_ACCOUNT", "PAS0001")
    monkeypatch.setenv("USER", "me")
    site = read_site(name, SITES)
    assert "--gpus-per-node=1" in site.flags("teacher")
    assert not [flag for flag in site.flags("data_processing") if "gpu" in flag]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sbatch: {array: 1-3}", "--array"),
        ("stages: {fusion: {output: x}}", "--output"),
        ("partition: gpu", "partition"),
        ("scratch: $NOT_SET_ANYWHERE", "$NOT_SET_ANYWHERE, which is not set"),
        ("sbatch: [", "not YAML"),
        ("sbatch: gpu", "sbatch"),
    ],
)
def test_bad_profile_is_refused(text, part, tmp_path):
    with pytest.raises(ParameterError, match=r"here\.yml") as error:
        read_site(write(tmp_path, text), SITES)
    assert part in str(error.value)


def test_no_profile_sets_nothing():
    assert read_site(None, SITES).flags("fusion") == []


@pytest.mark.parametrize(
    "flags",
    [["--array=1"], ["-a1-3"], ["-J", "x"], ["--dep=afterok:1"], ["--wrap", "x"], ["script.sh"],
     ["--time=1", "2"]],
)  # fmt: skip
def test_owned_flags_are_refused_in_every_form(flags):
    with pytest.raises(ParameterError):
        refuse_owned(flags, source="here")


def test_other_flags_are_not():
    refuse_owned(["--mem=4G", "-t", "5", "-A", "x", "--exclusive", "--export=ALL"], source="here")
