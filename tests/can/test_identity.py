"""The identity of a store changes with everything that it depends on, and with nothing else."""

import pytest

from kdgat.can import identity
from kdgat.can.identity import CAN, code_version, store_identity, version_of

CAPTURES = [("train_01/a", "1234", "kia"), ("test_01/b", "5678", "kia")]
CONFIGURATION = {"window": 100, "stride": 100, "profile": {"source": "none"}}


def test_equal_inputs_give_the_same_identity():
    one = store_identity(CAPTURES, CONFIGURATION)
    assert one == store_identity(list(CAPTURES), dict(reversed(CONFIGURATION.items())))
    assert len(one) == 64


@pytest.mark.parametrize(
    ("captures", "configuration"),
    [
        (CAPTURES[:1], CONFIGURATION),
        (CAPTURES[::-1], CONFIGURATION),
        ([CAPTURES[0], ("test_01/b", "5679", "kia")], CONFIGURATION),
        ([CAPTURES[0], ("test_01/c", "5678", "kia")], CONFIGURATION),
        ([CAPTURES[0], ("test_01/b", "5678", "sonata")], CONFIGURATION),
        (CAPTURES, CONFIGURATION | {"window": 101}),
        (CAPTURES, CONFIGURATION | {"stride": 50}),
        (CAPTURES, CONFIGURATION | {"profile": {"source": "vehicle"}}),
    ],
)
def test_any_change_gives_another(captures, configuration):
    assert store_identity(captures, configuration) != store_identity(CAPTURES, CONFIGURATION)


def test_other_code_gives_another(monkeypatch):
    before = store_identity(CAPTURES, CONFIGURATION)
    monkeypatch.setattr(identity, "code_version", lambda: "other")
    assert store_identity(CAPTURES, CONFIGURATION) != before


def test_the_code_is_every_source_file_of_can(tmp_path):
    files = sorted(CAN.rglob("*.py"))
    assert code_version() == version_of(files)
    assert {"graphs.py", "node_features.py", "parquet.py"} <= {path.name for path in files}
    changed = tmp_path / "graphs.py"
    changed.write_text("# one more line\n")
    assert version_of([changed]) != version_of([CAN / "graphs.py"])
    assert version_of(files[1:]) != version_of(files)
