"""Other ways to join two detectors."""

import numpy as np
import pandas as pd

from kdgat.scores import FUSION_FEATURES
from kdgat.training.fusion_baselines import fusion_baseline_scores


def states(split: str, early: bool, labels: np.ndarray, generator) -> pd.DataFrame:
    """One detector tells the label, the other is noise."""
    noise = generator.standard_normal((labels.size, len(FUSION_FEATURES)))
    table = pd.DataFrame(noise, columns=list(FUSION_FEATURES))
    return table.assign(
        attack_logit=8.0 * labels - 4.0 + 0.1 * noise[:, 0],
        anomaly_logit=noise[:, 1],
        split=split,
        label=labels,
        early=early,
        size="student",
    )[["split", "label", "early", "size", *FUSION_FEATURES, "anomaly_logit"]]


def test_each_way_by_hand_and_by_learning():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 200)
    table = pd.concat(
        [
            states("validation", True, labels, generator),
            states("validation", False, labels, generator).assign(label=1 - labels),
            states("test", True, labels, generator),
        ],
        ignore_index=True,
    )
    scores = fusion_baseline_scores(table, seed=0)
    assert list(scores.columns) == ["split", "label", "model", "score"]
    of = {model: rows.reset_index(drop=True) for model, rows in scores.groupby("model")}
    assert set(of) == {
        f"{way} of students" for way in ("mean", "maximum", "logistic", "perceptron")
    }
    both = table[["anomaly_logit", "attack_logit"]].to_numpy()
    np.testing.assert_allclose(of["mean of students"]["score"], both.mean(axis=1))
    np.testing.assert_allclose(of["maximum of students"]["score"], both.max(axis=1))
    # The later half of validation, whose labels are turned round here, is not learned from.
    for way in ("logistic", "perceptron"):
        test = of[f"{way} of students"].query("split == 'test'")
        assert ((test["score"] > 0) == (test["label"] == 1)).mean() > 0.9, way
