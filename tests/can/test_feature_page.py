from pathlib import Path

from kdgat.can.feature_names import EDGE_FEATURES, NODE_FEATURES
from kdgat.can.feature_page import feature_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"


def test_the_page_is_as_the_code_says():
    assert PAGE.read_text() == feature_page(), "run `kedro features`"


def test_every_feature_has_a_row():
    rows = [line.split("`")[1] for line in feature_page().splitlines() if line.startswith("| `")]
    assert rows == [*NODE_FEATURES, *EDGE_FEATURES]
