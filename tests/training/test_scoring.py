from dataclasses import replace

import numpy as np
import pytest
import torch

from kdgat.errors import DataError
from kdgat.models.artifact import build_module, pack
from kdgat.models.gat import GAT
from kdgat.scores import (
    AUTOENCODER_FEATURES,
    CLASSIFIER_FEATURES,
    FUSION_FEATURES,
    FUSION_WEIGHTS,
)
from kdgat.training.feature_check import features_of
from kdgat.training.scoring import (
    FUSION_COLUMNS,
    early_windows,
    fusion_table,
    score_agent,
    score_autoencoder,
    score_classifier,
)
from kdgat.training.trainer import network_inputs

GRAPH = {"node_features": 4, "edge_features": 2}
STATISTICS = {"count": 1, "median": 1.0, "quantile_99": 2.0, "maximum": 3.0}


@pytest.fixture(scope="module")
def autoencoder(autoencoder_model, validation):
    torch.manual_seed(0)
    arguments = GRAPH | autoencoder_model.model_dump()
    model = build_module("vgae", arguments)
    metadata = {"score_statistics": STATISTICS, **features_of(validation)}
    return pack(kind="vgae", arguments=arguments, model=model, metadata=metadata)


@pytest.fixture(scope="module")
def classifier(classifier_model, validation):
    torch.manual_seed(0)
    arguments = GRAPH | classifier_model.model_dump()
    model = build_module("gat", arguments)
    metadata = features_of(validation)
    return pack(kind="gat", arguments=arguments, model=model, metadata=metadata)


def test_one_row_per_window_in_order_whatever_the_batch(
    autoencoder, classifier, validation, compute
):
    for score, artifact, columns in (
        (score_autoencoder, autoencoder, AUTOENCODER_FEATURES),
        (score_classifier, classifier, CLASSIFIER_FEATURES),
    ):
        table = score(artifact, validation, compute=compute)
        single = compute.model_copy(update={"score_batch_size": 1})
        assert tuple(table.columns) == columns
        assert len(table) == len(validation)
        np.testing.assert_allclose(
            score(artifact, validation, compute=single), table, rtol=2e-4, atol=1e-5
        )


def test_a_model_of_features_measured_otherwise_is_refused(
    autoencoder, classifier, validation, compute
):
    others = replace(validation, feature_sample=(1.0,) * 6)
    for score, model in ((score_autoencoder, autoencoder), (score_classifier, classifier)):
        with pytest.raises(DataError, match="have 6 others, or measured otherwise"):
            score(model, others, compute=compute)


def test_classifier_features_by_hand(classifier, validation, compute):
    table = score_classifier(classifier, validation, compute=compute)
    torch.manual_seed(0)
    model = build_module(classifier.kind, classifier.arguments).eval()
    with torch.no_grad():
        embedding = model.embed(**network_inputs(validation.batch([3])))[0].numpy()
        logit = float(model(**network_inputs(validation.batch([3]))))
    row = table.iloc[3]
    probability = 1 / (1 + np.exp(-logit))
    assert row["attack_logit"] == pytest.approx(logit, rel=1e-4)
    assert row["attack_probability"] == pytest.approx(probability, rel=1e-4)
    assert row["embedding_mean"] == pytest.approx(embedding.mean(), rel=1e-4)
    assert row["embedding_std"] == pytest.approx(embedding.std(), rel=1e-4)
    assert row["embedding_max"] == pytest.approx(embedding.max(), rel=1e-4)
    assert row["embedding_norm"] == pytest.approx(np.linalg.norm(embedding), rel=1e-4)


def test_an_empty_store_gives_an_empty_table(autoencoder, validation, compute):
    table = score_autoencoder(autoencoder, validation.subset([]), compute=compute)
    assert table.shape == (0, 8)


def test_the_agents_view(autoencoder, classifier, validation, compute):
    table = fusion_table(autoencoder, classifier, validation, compute=compute)
    assert tuple(table.columns) == FUSION_COLUMNS
    np.testing.assert_allclose(table["anomaly_logit"], 5 * (table["anomaly_score"] - 2.0))


def test_the_agent_judges_by_the_weight_worth_most(autoencoder, classifier, validation, compute):
    arguments = {"state_features": 15, "actions": 21, "hidden": 4, "layers": 1}
    model = build_module("q_network", arguments)
    with torch.no_grad():
        model.network[-1].weight.zero_()
        model.network[-1].bias.copy_(torch.arange(21) == 5)
    metadata = {
        "usual_weight": 1.0,
        "fusion_feature_names": list(FUSION_FEATURES),
        "fusion_weights": list(FUSION_WEIGHTS),
    }
    agent = pack(kind="q_network", arguments=arguments, model=model, metadata=metadata)
    table = fusion_table(autoencoder, classifier, validation, compute=compute)
    verdict = score_agent(agent, table, compute=compute)
    weight = FUSION_WEIGHTS[5]
    assert (verdict["fusion_weight"] == weight).all()
    expected = (1 - weight) * table["anomaly_logit"] + weight * table["attack_logit"]
    np.testing.assert_allclose(verdict["fused_logit"], expected)
    other = metadata | {"fusion_feature_names": [*FUSION_FEATURES[1:], FUSION_FEATURES[0]]}
    for unfit in ({}, other, metadata | {"fusion_weights": [0.0, 1.0]}):
        with pytest.raises(DataError, match="the fusion agent comes from another version of kdgat"):
            score_agent(replace(agent, metadata=unfit), table, compute=compute)


def test_the_earlier_half_of_each_class_of_a_capture_is_early_and_no_window_on_both_sides(store_of):
    capture = torch.tensor([0] * 10 + [1] * 3, dtype=torch.int32)
    start = torch.tensor([0, 100, 200, 300, 400] * 2 + [500, 600, 0])
    y = torch.tensor([0] * 10 + [1, 1, 0], dtype=torch.uint8)
    store = replace(store_of(num_graphs=13, seed=1), capture=capture, start=start, y=y)
    expected = [True, True, True, False, False] * 2 + [True, False, False]
    assert early_windows(store).tolist() == expected


def test_a_batch_that_does_not_fit_comes_again_in_halves(
    classifier, validation, compute, monkeypatch
):
    expected = score_classifier(classifier, validation, compute=compute)
    sizes, embed = [], GAT.embed

    def at_most_twelve(self, **inputs):
        sizes.append(inputs["num_graphs"])
        if inputs["num_graphs"] > 12:
            raise torch.OutOfMemoryError("no")
        return embed(self, **inputs)

    monkeypatch.setattr(GAT, "embed", at_most_twelve)
    table = score_classifier(classifier, validation, compute=compute)
    assert sizes == [50, 25, 12, 12, 12, 12, 12, 4]
    np.testing.assert_allclose(table, expected, rtol=2e-4, atol=1e-5)
