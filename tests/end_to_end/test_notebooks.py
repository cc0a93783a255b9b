"""The notebooks, executed one cell after another on what a run has left."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = [
    "1_explore_a_capture",
    "2_from_frames_to_a_graph",
    "3_what_the_detectors_see_in_one_attack",
    "4_compare_runs",
]
FIRST = "nothing to read yet: run `make run` or `kedro run` first"


def read(name: str) -> nbformat.NotebookNode:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return notebook


def execute(name: str, data: Path) -> list[nbformat.NotebookNode]:
    """Execute a notebook where Jupyter would, on a data root; return the outputs of its cells."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KDGAT_", "MPL"))}
    notebook = read(name)
    client = NotebookClient(
        notebook,
        timeout=300,
        shutdown_kernel="immediate",  # it holds nothing; a graceful end takes seconds of waiting
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute(env={**kept, "KDGAT_DATA_ROOT": str(data), "KEDRO_ENV": "smoke"})
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_these_are_all_notebooks():
    assert sorted(path.stem for path in FOLDER.rglob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_stored_notebook_holds_no_output_and_explains_each_cell(name):
    cells = read(name).cells
    code = cells[1::2]
    assert [cell.cell_type for cell in cells] == ["markdown", "code"] * len(code)
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)
    assert f'raise MissingInputError("{FIRST}")' in code[0].source


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_on_the_chain_and_draws(chain, name):
    outputs = execute(name, chain[0].data)
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert "image/png" in kinds
    assert "text/html" in kinds
    if name == "2_from_frames_to_a_graph":
        printed = "".join(output.get("text", "") for output in outputs)
        assert "benign: edges as counted: True\nattack: edges as counted: True" in printed


def test_notebook_says_what_to_run_first_where_there_is_nothing(tmp_path):
    with pytest.raises(CellExecutionError) as error:
        execute(NAMES[0], tmp_path)
    assert error.value.ename == "MissingInputError"
    assert error.value.evalue == FIRST
    assert list(tmp_path.iterdir()) == []
