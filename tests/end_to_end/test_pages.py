"""Every command of the README and the tutorial, typed on the chain that all tests share."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/tutorial.md")
FIRST_WORDS = re.compile(r"(kedro|kdgat|make|python|pip|export|git|\.|slurm/\w+) ")
SMOKE = ("--env", "smoke")

TYPED = {
    "kedro run --pipeline fusion --params seed=2": SMOKE,
    "kedro models list": (),
    "kedro models show student_agent --seed 1": (),
    "kedro models export student_agent detector.safetensors --seed 1": (),
    "kedro score student_agent data/01_raw/synthetic/test_01_known_vehicle_known_attack/"
    "dos-birch.csv --seed 1 --calibration-seconds 5": (),
    "kedro params operating_point": (),
    "kedro params teacher.fit": (),
    "kedro run --pipeline teacher --params teacher.mode=curriculum,teacher.fit.epochs=30": SMOKE,
    "kedro run --params dataset=my_car": (*SMOKE, "--pipeline", "data_processing"),
    "kedro sweep conf/sweeps/distillation.yml --at-a-time 2": ("--status",),
    "slurm/submit --dataset hcrl_sa --seeds 1-5": ("--dry-run",),
}
"""What is typed, and what is added to make it small: sizes, the one pipeline in question, or no
more than a look at what would be done. Another seed comes first: all others must work after it."""

NOT_TYPED = {
    "kedro run": ("the shared chain; after an interruption: test_survival.py", "kedro run --help"),
    "kedro run --from-run RUN": ("a whole chain: test_models.py", "kedro run --help"),
    "kedro run --params dataset=hcrl_sa,seed=SEED": (
        "20 minutes a seed, on captures that are not ours to ship",
        "kedro sweep --pipelines chain --datasets hcrl_sa --seeds 1-3 --status",
    ),
    "kedro score": ("the tutorial's line, which names a capture", "kedro score --help"),
    "kedro viz": ("a server", "kedro viz run --help"),
    "make mlflow": ("a server; `kedro tracking serve`", "make -n mlflow"),
    "make setup": ("installs: what runs the tests has done it", "make -n setup"),
    ". .venv/bin/activate": ("the virtual environment that runs the tests", "make -n setup"),
    "make run": ("the shared chain, with larger sizes", "make -n run"),
    "make test": ("it runs this test", "make -n test"),
    "make docs": ("test_docs.py builds the site", "make -n docs"),
    "pip install .": ("test_wheel.py", "python -m pip install --help"),
    "kdgat run": ("the same as the next, by its script", "kdgat run --help"),
    "python -m kdgat run": ("test_wheel.py, outside the repository", "kdgat run --help"),
    "slurm/status": ("tests/slurm, on a real Slurm", "slurm/status --help"),
    "slurm/resubmit": ("tests/slurm, on a real Slurm", "slurm/resubmit --help"),
    "export KDGAT_RAW_ROOT=/path/to/captures": (
        "the fixture `project` sets it for all commands, to a folder that holds `my_car`",
        "export KDGAT_RAW_ROOT=/path/to/captures",
    ),
}
"""What is not typed: what does it instead, and the command that shows that it is there."""


def tokens(page: str) -> list:
    """Give a page's blocks and, each for itself, what stands in its lines."""
    blocks = MarkdownIt().parse((ROOT / page).read_text())
    return [*blocks, *(child for block in blocks for child in block.children or ())]


def commands(page: str) -> set[str]:
    """Give the commands of a page: lines of blocks without a language, and those in the text."""
    shell = [token.content for token in tokens(page) if token.type == "fence" and not token.info]
    lines = [line.split(" #")[0].strip() for line in "".join(shell).splitlines()]
    spans = [token.content for token in tokens(page) if token.type == "code_inline"]
    return {line for line in lines if line} | {
        span for span in spans if FIRST_WORDS.match(span) or re.fullmatch(r"slurm/\w+", span)
    }


def shell(line: str, data: Path) -> subprocess.CompletedProcess:
    """Type a line in the repository, with the programs beside this Python."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KDGAT_"))}
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return subprocess.run(
        ["sh", "-c", line],
        cwd=ROOT,
        env={**kept, "PATH": path, "KDGAT_DATA_ROOT": str(data)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def project(copied_chain, tmp_path_factory):
    """A project in which a chain has ended, and under other names beside its captures the same."""
    folder = tmp_path_factory.mktemp("pages")
    project = copied_chain(folder / "data")
    project.raw = project.data / "01_raw"
    for name in ("my_car", "hcrl_sa"):
        (project.raw / name).mkdir()
        for scenario in (project.raw / "synthetic").glob("t*_*"):
            (project.raw / name / scenario.name).symlink_to(scenario)
    return project


def test_the_lists_hold_the_commands_of_the_pages_and_no_other():
    found = set().union(*map(commands, PAGES))
    assert found - TYPED.keys() - NOT_TYPED.keys() == set(), "type these, or say what does"
    assert (TYPED.keys() | NOT_TYPED.keys()) - found == set(), "these stand in no page any more"
    assert TYPED.keys() & NOT_TYPED.keys() == set()


@pytest.mark.parametrize("line", TYPED)
def test_command_does_what_it_says(line, project, tmp_path):
    line_here = line.replace("data/01_raw", f"{project.raw}")
    program, *words = line_here.replace("detector.s", f"{tmp_path}/detector.s").split()
    if program == "kedro":
        result = project.kedro(*words, *TYPED[line])
    else:
        result = shell(" ".join([program, *words, *TYPED[line]]), project.data)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("line", sorted({check for _, check in NOT_TYPED.values()}))
def test_command_that_is_not_typed_is_there(line, project):
    program, *words = line.split()
    result = project.kedro(*words) if program == "kedro" else shell(line, project.data)
    assert result.returncode == 0, result.stdout + result.stderr


def test_help_knows_how_to_repeat_a_run(project):
    assert "--from-run RUN" in project.kedro("run", "--help").stdout


def test_script_of_the_tutorial_scores_a_capture(project, forks, tmp_path):
    (code,) = [token.content for token in tokens("docs/tutorial.md") if token.info == "python"]
    detector = str(tmp_path / "detector.safetensors")
    exported = project.kedro("models", "export", "student_agent", detector, "--seed", "1")
    assert exported.returncode == 0, exported.stderr
    assert "detector.safetensors" in code
    scored = forks.python(project.data, code.replace("detector.safetensors", detector))
    assert scored.wait() == 0, scored.printed
    assert re.search(r"^\d+ of \d+ windows alarm$", scored.printed, re.M)
