"""Which runs a page of results speaks of."""

import pytest

from kdgat.page_commands import DETECTOR_FILES, _newest_page, _over_seeds, _scorecards
from kdgat.tracking import records

CARD = """model,scenario,protocol,f1,f1_low,f1_high,false_positive_rate,auroc,n,version
student_fusion,test_01,zero_shot,0.9,0.8,1.0,0.0,0.99,10,{}
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    return tmp_path


def leave(root, seed: int, version: str, status: str = "FINISHED", **parameters) -> None:
    """Leave what a run leaves that these pages look at."""
    for name in DETECTOR_FILES:
        (root / "06_models" / "car" / f"seed_{seed}" / f"{name}.safetensors").mkdir(
            parents=True, exist_ok=True
        )
    for name, text in (("scorecard.csv", CARD.format(version)), ("scorecard_page.md", "")):
        folder = root / "08_reporting" / "car" / f"seed_{seed}" / name / version
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
    told = {"seed": seed, "logging": {"level": f"{version}"}, **parameters}
    records.write(version, {"version": version, "status": status, "inputs": {}, "parameters": told})


def test_seeds_are_of_runs_that_ended_well_with_the_same_parameters(root):
    leave(root, 1, "v1", window=100)
    leave(root, 2, "v2", window=100)
    leave(root, 2, "v3", "FAILED", window=100)
    leave(root, 2, "v4", window=50)
    leave(root, 3, "v5", window=50)
    page = _newest_page("car", 1)
    assert {seed: card["version"].item() for seed, card in _scorecards(page).items()} == {
        1: "v1",
        2: "v2",
    }
    assert _over_seeds(page).startswith(
        "### Over seeds 1, 2\n\nLeft out, made with other parameters: 3.\n"
    )


def test_a_page_of_a_run_that_failed_is_not_shown(root):
    leave(root, 1, "v1", "KILLED")
    with pytest.raises(Exception, match="did not end well; run it again"):
        _newest_page("car", 1)
