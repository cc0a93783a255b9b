"""What a page of results says of prefixes."""

import numpy as np
import pandas as pd

from kdgat.figures import prefix_sentences


def report(**columns):
    return pd.DataFrame({"capture": ["test_01/a", "test_01/b"], "frames": [12_860, 900], **columns})


def test_benign_prefixes_are_one_sentence():
    told = prefix_sentences(report(complaint=["", ""], surplus_frames=0, attack_frames=0))
    assert told == "Every prefix was taken for benign."


def test_distrusted_and_attacked_prefixes_are_named():
    told = prefix_sentences(
        report(complaint=["", "rare_ids is 1"], surplus_frames=[2, 1], attack_frames=[3, 9])
    )
    assert told == (
        "Prefixes not taken for benign, so judged without a profile: test_01/b. test_01/a: by "
        "their labels 3 of the 12,860 frames of its prefix are attacks; its profile leaves out 2 "
        "as surplus."
    )


def test_an_earlier_report_names_distrusted_prefixes_alone():
    told = prefix_sentences(report(complaint=[np.nan, np.nan]))  # as a CSV has empty ones
    assert told == "Every prefix was taken for benign."
