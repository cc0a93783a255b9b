"""What must stay, though somebody wants it gone."""

from dataclasses import replace

from kdgat.pruning import _read_by_living_runs
from kdgat.tracking import records
from kdgat.tracking.owners import Owner


def test_what_a_run_reads_that_has_no_journal_yet_is_in_use(tmp_path, monkeypatch):
    monkeypatch.setenv("KDGAT_DATA_ROOT", str(tmp_path))
    here = Owner.this_process()
    runs = {
        "v1": ("RUNNING", here),
        "v2": ("RUNNING", replace(here, started=0.0)),  # another process had this id
        "v3": ("FINISHED", here),
        "v4": ("RUNNING", Owner("another-host", 4, 0.0, None)),  # cannot be asked
    }
    for version, (status, owner) in runs.items():
        read = {"teacher_classifier": {"version": f"read by {version}"}}
        records.write(version, {"status": status, "owner": owner.to_dict(), "inputs": read})
    assert _read_by_living_runs() == {
        ("teacher_classifier", "read by v1"),
        ("teacher_classifier", "read by v4"),
    }
