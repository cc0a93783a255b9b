"""What can be said of a submission without Slurm."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from kdgat.slurm.__main__ import CHAIN

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "slurm" / "run.sbatch").read_text()


def commands(printed: str) -> list[list[str]]:
    lines = printed.split("# would be run\n")[1].splitlines()
    return [shlex.split(line.split("=$(", 1)[1][:-1]) for line in lines]


def test_dry_run_prints_the_exact_commands_and_writes_nothing(desk):
    answer = desk.type("submit", "--seeds", "1-3", "--concurrency", "2", "--dry-run", "--",
                       "--mem=4G")  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert not desk.data.exists()
    assert SCRIPT in answer.stdout
    assert (
        "# cell 2: kedro run --pipeline fusion --params dataset=synthetic,seed=3" in answer.stdout
    )
    calls = commands(answer.stdout)
    assert [call[2] for call in calls] == [f"--job-name=kdgat-{stage}" for stage in CHAIN]
    assert all("--array=0-2%2" in call for call in calls)
    assert not [word for word in calls[0] if word.startswith("--dependency")]
    assert calls[2][6:8] == ["--dependency=aftercorr:$autoencoder", "--kill-on-invalid-dep=yes"]
    site_before_user = calls[2][8:10]
    assert site_before_user == ["--cpus-per-task=1", "--mem=4G"]
    assert calls[2][-4:] == ["teacher", "array", "data_processing", "autoencoder"]
    assert not [word for call in calls for word in call if "gpu" in word or "gres" in word]


def test_a_single_cell_is_a_job_and_depends_by_afterok(desk):
    calls = commands(desk.type("submit", "autoencoder", "teacher", "--dry-run").stdout)
    assert not [word for call in calls for word in call if word.startswith("--array")]
    assert "--dependency=afterok:$autoencoder" in calls[1]
    assert calls[1][-3:] == ["teacher", "0", "autoencoder"]


def test_dry_run_needs_no_slurm_and_submission_says_that_it_does(desk):
    assert desk.site
    hidden = desk.site.parent / "hidden"
    hidden.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for tool in ("git", "sh", "dirname", "readlink"):
            if (Path(folder) / tool).exists() and not (hidden / tool).exists():
                (hidden / tool).symlink_to(Path(folder) / tool)
    assert desk.type("submit", "fusion", "--dry-run", PATH=str(hidden)).returncode == 0
    answer = desk.type("submit", "fusion", PATH=str(hidden))
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: fusion: sbatch is not on this machine's PATH")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["fusoin"], ["no pipeline 'fusoin'", "fusion"]),
        (["fusion", "--seeds", "x"], ["--seeds", "'x'"]),
        (["fusion", "--seeds", "5-1"], ["--seeds", "5-1 runs backwards"]),
        (["fusion", "--params", "seed=2"], ["--seeds"]),
        (["fusion", "--params", "compute.threads"], ["write KEY=VALUE"]),
        (["fusion", "--params", "compute.threads="], ["write KEY=VALUE"]),
        (["fusion", "--env", "somke"], ["'somke'", "base, quick, smoke"]),
        (["fusion", "teacher"], ["teacher, fusion do"]),
        (["fusion", "--params", "fusion.agent.step=2"], ["fusion.agent.step", "'steps'"]),
        (["fusion", "--params", "compute.threads.x=2"], ["compute.threads.x"]),
        (["fusion", "--plan", "plan.yml"], ["--plan"]),
        (["--plan", "missing.yml"], ["missing.yml"]),
        (["fusion", "--site", "nowhere"], ["'nowhere'", "generic", "osc_pitzer"]),
        (["fusion", "--", "--array=1-3"], ["--array", "seeds"]),
        (["fusion", "--", "-o", "x"], ["--output", "slurm/status"]),
    ],
)
def test_bad_request_ends_in_one_sentence(arguments, parts, desk):
    answer = desk.type("submit", *arguments)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert len(answer.stderr.splitlines()) == 1
    for part in parts:
        assert part in answer.stderr
    assert not desk.data.exists()


def test_a_dataset_that_is_not_among_the_captures_here_is_refused(desk, tmp_path):
    (tmp_path / "raw" / "hcrl_sa").mkdir(parents=True)
    raw = {"KDGAT_RAW_ROOT": str(tmp_path / "raw")}
    answer = desk.type("submit", "--dataset", "hcrl_as", **raw)
    assert answer.returncode == 1
    assert answer.stderr == f"error: there is no dataset 'hcrl_as' in {tmp_path}/raw: hcrl_sa\n"
    assert desk.type("submit", "--dataset", "hcrl_sa", "--dry-run", **raw).returncode == 0
    (desk.data / "05_model_input" / "hcrl_as").mkdir(parents=True)
    assert desk.type("submit", "fusion", "--dataset", "hcrl_as", "--dry-run", **raw).returncode == 0


def test_jobs_find_what_relative_paths_mean_where_they_are_submitted(desk):
    relative = {"KDGAT_RAW_ROOT": "raw", "MLFLOW_TRACKING_URI": "sqlite:///mine.db"}
    printed = desk.type("submit", "fusion", "--dry-run", **relative).stdout
    assert f"export KDGAT_RAW_ROOT={Path.cwd() / 'raw'}\n" in printed
    assert f"export MLFLOW_TRACKING_URI=sqlite:///{Path.cwd() / 'mine.db'}\n" in printed
    there = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000", "KDGAT_RAW_ROOT": ""}
    printed = desk.type("submit", "fusion", "--dry-run", **there).stdout
    assert "export MLFLOW_TRACKING_URI=http://127.0.0.1:5000\n" in printed
    assert "KDGAT_RAW_ROOT" not in printed


def test_status_without_a_submission_says_so(desk):
    answer = desk.type("status")
    assert answer.returncode == 1
    assert f"error: there is no submission in {desk.data}/slurm" in answer.stderr


def test_script_is_portable_and_valid():
    assert subprocess.run(["bash", "-n"], input=SCRIPT, text=True, check=False).returncode == 0
    flags = [line for line in SCRIPT.splitlines() if line.startswith("#SBATCH")]
    assert {
        "#SBATCH --requeue",
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --open-mode=append",
    } <= set(flags)
    assert not [flag for flag in flags if "gpu" in flag or "partition" in flag or "gres" in flag]
    assert "$0" not in SCRIPT  # Slurm copies the script: it does not know where it came from
