"""What becomes of jobs on a real Slurm; a few lines of bash stand in for `kedro`."""

import subprocess
from pathlib import Path

import pytest

from kdgat.slurm.queue import ENDED

pytestmark = pytest.mark.usefixtures("cluster")
CELL = "fusion/synthetic/seed_1/plain"


@pytest.fixture(scope="module", autouse=True)
def overdue(cluster, new_desk, tmp_path_factory):
    """A job over its time limit: it needs a minute and a half, so it is sent before all tests."""
    desk = new_desk(tmp_path_factory.mktemp("overdue"))
    desk.stage_does("fusion", "trap '' USR1 TERM; for i in {1..200}; do sleep 1; done")
    (job,) = desk.submit("fusion", "--warning", "5", "--", "--time=1")
    yield desk, job
    subprocess.run(["scancel", job], check=True)


def ended(state_of, job: str) -> bool:
    return set(state_of(job).split("+")) <= ENDED


def test_single_job_completes_and_leaves_its_marker(desk, wait_for, state_of):
    (job,) = desk.submit("fusion", "--dataset", "hcrl_sa", "--seeds", "2")
    wait_for(lambda: ended(state_of, job))
    assert state_of(job) == "COMPLETED"
    (row,) = desk.status().items()
    assert row[0] == "fusion/hcrl_sa/seed_2/plain"
    assert row[1].startswith("done ")
    assert "--params dataset=hcrl_sa,seed=2" in desk.log("fusion")
    assert [path.read_text() for path in desk.data.glob("slurm/*/done/fusion/0")] == [
        f"fusion:v{job}\n"
    ]


def test_chain_runs_in_order_with_its_own_versions(desk, wait_for, state_of):
    jobs = desk.submit("data_processing", "autoencoder", "teacher")
    wait_for(lambda: ended(state_of, jobs[-1]))
    assert [state_of(job) for job in jobs] == ["COMPLETED"] * 3
    pinned = f"--load-versions data_processing:v{jobs[0]},autoencoder:v{jobs[1]}"
    assert pinned in desk.log("teacher")


def test_nothing_runs_after_a_failed_stage_and_resubmit_mends_it(desk, wait_for, state_of):
    desk.stage_does("autoencoder", "echo out of luck; exit 3")
    jobs = desk.submit("data_processing", "autoencoder", "teacher")
    wait_for(lambda: ended(state_of, jobs[-1]))
    assert [state_of(job) for job in jobs] == ["COMPLETED", "FAILED", "CANCELLED"]
    assert not desk.log("teacher")
    states = [state.split()[0] for state in desk.status().values()]
    assert states == ["done", "failed", "failed"]
    assert "failed with exit code 3" in desk.status()["autoencoder/synthetic/seed_1/plain"]

    desk.stage_does("autoencoder", "true")
    answer = desk.type("resubmit")
    assert answer.returncode == 0, answer.stderr
    assert "data_processing: job" not in answer.stdout
    wait_for(lambda: desk.markers() == 3)
    assert desk.log("data_processing").count("life=0") == 1
    assert "nothing to send" in desk.type("resubmit").stdout


def test_exit_code_zero_without_a_marker_is_a_failure(desk, wait_for, state_of):
    desk.stage_does("fusion", "exit 0")
    (job,) = desk.submit("fusion")
    wait_for(lambda: ended(state_of, job))
    assert state_of(job) == "FAILED"
    assert "no completion marker" in desk.status()[CELL]


def test_a_stage_that_starts_without_the_one_before_does_not_run(desk, wait_for, state_of):
    desk.stage_does("autoencoder", "sleep 0.5")
    jobs = desk.submit("autoencoder", "teacher")
    wait_for(lambda: ended(state_of, jobs[-1]))
    folder = next(desk.data.glob("slurm/*"))
    for stage in ("autoencoder", "teacher"):
        (folder / "done" / stage / "0").unlink()
    command = (folder / "jobs.tsv").read_text().splitlines()[1].split("\t")[3]
    # As if Slurm had forgotten the job before: `afterok` would let this one start at once.
    again = command.replace(f"--dependency=afterok:{jobs[0]}", "--requeue")
    job = subprocess.check_output(again, shell=True, text=True).strip()
    wait_for(lambda: ended(state_of, job))
    assert state_of(job) == "FAILED"
    assert "autoencoder is not complete, so this does not run" in desk.log(f"teacher-{job}")


def test_sweep_runs_as_arrays_and_resubmit_sends_the_failed_cell_alone(
    desk, wait_for, state_of, tmp_path
):
    plan = tmp_path / "plan.yml"
    plan.write_text(
        "pipelines: [autoencoder, teacher]\ndatasets: [a, b]\nseeds: [1]\n"
        "overrides: {plain: {}, short: {teacher.fit.epochs: 2}}\n"
    )
    desk.stage_does(
        "autoencoder",
        f'n=$(ls {tmp_path}/running_* 2>/dev/null | wc -l); echo "others=$n"\n'
        f"touch {tmp_path}/running_$SLURM_JOB_ID; sleep 0.6; rm {tmp_path}/running_$SLURM_JOB_ID\n"
        '[ "$SLURM_ARRAY_TASK_ID" != 2 ] || exit 1',
    )
    jobs = desk.submit("--plan", str(plan), "--concurrency", "2")
    wait_for(lambda: ended(state_of, jobs[1]))
    states = desk.status()
    assert states["autoencoder/b/seed_1/plain"].startswith("failed")
    assert states["teacher/b/seed_1/plain"].startswith("failed (cancelled)")
    assert states["teacher/b/seed_1/short"].startswith("done")
    assert "others=2" not in desk.log("autoencoder")
    assert "teacher.fit.epochs=2" in desk.log(f"teacher-{jobs[1]}_3")

    desk.stage_does("autoencoder", "true")
    sent = desk.type("resubmit").stdout
    assert sent.count("1 cell") == 2
    wait_for(lambda: desk.markers() == 8)


def test_a_stage_with_one_run_for_all_cells_is_sent_once_and_read_by_all(
    desk, wait_for, state_of, tmp_path
):
    plan = tmp_path / "plan.yml"
    plan.write_text(
        "pipelines: [teacher, distillation]\ndatasets: [a]\nseeds: 1-2\n"
        "one_seed: [teacher]\none_variant: [teacher]\n"
        "overrides: {plain: {}, short: {distillation.classifier_fit.epochs: 2}}\n"
    )
    desk.stage_does("teacher", "exit 1")
    jobs = desk.submit("--plan", str(plan))
    wait_for(lambda: ended(state_of, jobs[1]))
    states = [state.split()[0] for state in desk.status().values()]
    assert states == ["failed"] * 8
    assert not desk.log("distillation")

    desk.stage_does("teacher", "true")
    sent = desk.type("resubmit").stdout
    assert "1 cell\n" in sent
    assert "4 cells" in sent
    wait_for(lambda: desk.markers() == 8)
    assert {state.split()[0] for state in desk.status().values()} == {"done"}
    assert desk.log("teacher").count("life=0") == 2
    (teacher,) = desk.data.glob("slurm/*/done/teacher/0")
    logs = desk.log("distillation")
    assert logs.count(f"--load-versions {teacher.read_text().strip()} ") == 4
    assert "nothing to send" in desk.type("resubmit").stdout


@pytest.mark.parametrize(("signal", "code"), [("USR1", 138), ("TERM", 143)])
def test_warned_job_goes_back_to_the_queue_and_completes(signal, code, desk, wait_for, state_of):
    # USR1 is what Slurm sends before the time limit, TERM at pre-emption.
    desk.stage_does("autoencoder", '[ -n "${SLURM_RESTART_COUNT:-}" ] || exec sleep 600')
    jobs = desk.submit("autoencoder", "teacher")
    wait_for(lambda: "life=0" in desk.log("autoencoder"))
    subprocess.run(["scancel", f"--signal={signal}", jobs[0]], check=True)
    wait_for(lambda: ended(state_of, jobs[1]))
    assert [state_of(job) for job in jobs] == ["COMPLETED", "COMPLETED"]
    log = desk.log("autoencoder")
    assert f"interrupted in life 0 (exit code {code}): back to the queue" in log
    keys = {word for word in log.split() if word.startswith("key=")}
    assert log.count("key=") == 2
    assert len(keys) == 1


def test_preempted_job_goes_on_after_the_one_that_needed_its_processors(desk, wait_for, state_of):
    desk.stage_does("fusion", '[ -n "${SLURM_RESTART_COUNT:-}" ] || exec sleep 600')
    (job,) = desk.submit("fusion", "--", "--partition=preempt", "--cpus-per-task=2")
    wait_for(lambda: "life=0" in desk.log("fusion"))
    processors = int(subprocess.check_output(["sinfo", "-h", "-o", "%c"], text=True).split()[0])
    urgent = ["sbatch", "--parsable", f"--cpus-per-task={processors - 1}", "--wrap=sleep 1"]
    urgent.insert(1, "--output=/dev/null")
    other = subprocess.check_output(urgent, text=True).strip()
    # On its way back to the queue a job may be seen as ended: what counts is how both end at last.
    both = [other, job]
    wait_for(lambda: [state_of(each) for each in both] == ["COMPLETED", "COMPLETED"], seconds=300)
    assert "life=1" in desk.log("fusion")


def test_array_task_requeued_by_an_administrator_starts_again(desk, wait_for, state_of):
    only_second = '[ "$SLURM_ARRAY_TASK_ID" = 0 ] || exec sleep 600'
    desk.stage_does("fusion", f'[ -n "${{SLURM_RESTART_COUNT:-}}" ] || {only_second}')
    (job,) = desk.submit("fusion", "--seeds", "1-2")
    wait_for(lambda: desk.log("fusion").count("life=0") == 2)
    subprocess.run(["scontrol", "requeue", f"{job}_1"], check=True)
    wait_for(lambda: ended(state_of, job))
    assert state_of(job) == "COMPLETED"
    assert "life=1" in desk.log(f"fusion-{job}_1")
    assert "life=1" not in desk.log(f"fusion-{job}_0")
    # Once it is complete there is nothing left to do.
    subprocess.run(["scontrol", "requeue", f"{job}_1"], check=True)
    wait_for(lambda: "complete already" in desk.log(f"fusion-{job}_1"))


def test_cancelled_job_stays_cancelled_and_takes_its_successors_along(desk, wait_for, state_of):
    desk.stage_does("autoencoder", "exec sleep 600")
    jobs = desk.submit("autoencoder", "teacher")
    wait_for(lambda: "life=0" in desk.log("autoencoder"))
    subprocess.run(["scancel", jobs[0]], check=True)
    wait_for(lambda: ended(state_of, jobs[0]) and ended(state_of, jobs[1]))
    assert [state_of(job) for job in jobs] == ["CANCELLED", "CANCELLED"]
    assert "back to the queue" not in desk.log("autoencoder")


def test_gpus_of_a_site_profile_reach_the_job(desk, wait_for, state_of):
    if not subprocess.check_output(["sinfo", "-h", "-o", "%G"], text=True).startswith("gpu:"):
        pytest.skip("this Slurm offers no GPUs: start it with SLURM_CI_GPUS=2")
    assert desk.site
    desk.site.write_text(
        desk.site.read_text()
        + "stages: {fusion: {gpus-per-node: 2, partition: gpu, time: 00:07:00}}\n"
    )
    desk.stage_does("fusion", 'echo "gpus=$CUDA_VISIBLE_DEVICES"')
    (job,) = desk.submit("fusion", "--", "--time=00:09:00", SBATCH_TIMELIMIT="3")
    wait_for(lambda: ended(state_of, job))
    assert "gpus=0,1" in desk.log("fusion")
    shown = subprocess.check_output(["scontrol", "show", "job", job], text=True)
    assert "TimeLimit=00:09:00" in shown
    assert "Partition=gpu" in shown


def test_layers_of_flags_script_environment_site_command_line(desk):
    assert desk.site
    base = desk.site.read_text()

    def limit(time: str | None, flags: list[str], **variables: str) -> str:
        timed = base.replace("{", f"{{time: {time}, ") if time else base
        desk.site.write_text(timed)
        (job,) = desk.submit("fusion", "--", "--begin=now+1hour", *flags, **variables)
        shown = subprocess.check_output(["scontrol", "show", "job", job], text=True)
        subprocess.run(["scancel", job], check=True)
        return next(w for w in shown.split() if w.startswith("TimeLimit=")).split("=")[1]

    variable = {"SBATCH_TIMELIMIT": "00:03:00"}
    assert limit(None, []) == "04:00:00"
    assert limit(None, [], **variable) == "00:03:00"
    assert limit("00:07:00", [], **variable) == "00:07:00"
    assert limit("00:07:00", ["--time=00:09:00"], **variable) == "00:09:00"


def test_check_asks_sbatch_and_sends_nothing(desk):
    good = desk.type("submit", "autoencoder", "teacher", "--check")
    assert good.returncode == 0, good.stderr
    assert good.stdout.count("to start at") == 2
    bad = desk.type("submit", "fusion", "--check", "--", "--gres=gpu:99")
    assert bad.returncode == 1
    assert bad.stderr.startswith("error: fusion: sbatch refused: ")
    assert not desk.data.exists()


def test_refused_submission_leaves_nothing(desk):
    answer = desk.type("submit", "fusion", "--", "--partition=nowhere")
    assert answer.returncode == 1
    assert "invalid partition" in answer.stderr
    assert not list(desk.data.glob("slurm/*"))


def test_submission_from_inside_a_job_inherits_none_of_its_variables(desk, wait_for, state_of):
    outer = {"SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "7", "SBATCH_ARRAY_INX": "1-3"}
    (job,) = desk.submit("fusion", SLURM_NTASKS="64", SLURM_JOB_NAME="bash", **outer)
    wait_for(lambda: ended(state_of, job))
    assert state_of(job) == "COMPLETED"
    assert Path(next(desk.data.glob("slurm/*/logs/*"))).name == f"fusion-{job}.log"


def test_time_limit_ends_a_job_that_does_not_listen(overdue, wait_for, state_of):
    desk, job = overdue
    wait_for(lambda: ended(state_of, job), 300)
    assert state_of(job) == "TIMEOUT"
    assert desk.status()[CELL].startswith("failed (timeout)")
