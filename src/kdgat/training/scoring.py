"""Runs stored models over a store of graphs: one table row per window, in the store's order."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdgat.can.graph_store import GraphStore
from kdgat.can.loading import loader
from kdgat.can.samplers import AdjustableBatches, BatchLimit
from kdgat.errors import DataError
from kdgat.models.artifact import ModelArtifact, build
from kdgat.parameters import Compute
from kdgat.scores import (
    AUTOENCODER_FEATURES,
    CLASSIFIER_FEATURES,
    FUSION_FEATURES,
    FUSION_WEIGHTS,
    ScoreStatistics,
    anomaly_logit,
    attack_probability,
    binary_entropy,
    chosen_weight,
    fused_logit,
)
from kdgat.training.feature_check import require_same_features
from kdgat.training.memory import is_out_of_memory
from kdgat.training.trainer import network_inputs

FUSION_COLUMNS = (*FUSION_FEATURES, "anomaly_logit")

Judge = Callable[[GraphStore], pd.DataFrame]
"""Windows -> their scores, one row each, in the order of the store."""


def device_of(compute: Compute) -> torch.device:
    """Choose the device that `compute.accelerator` names; `auto` is the GPU where there is one."""
    if compute.accelerator == "gpu":
        return torch.device("cuda")
    if compute.accelerator == "auto" and torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu")


def anomaly_components(model: nn.Module, store: GraphStore, compute: Compute) -> Tensor:
    """Reconstruct every window.

    Args:
        model: a VGAE, left in evaluation mode on the device.
        store: windows.
        compute: device, threads, batch size.

    Returns:
        float32 `[num_graphs, 7]` on the CPU, columns as ANOMALY_COMPONENTS.
    """

    def components(inputs: dict) -> Tensor:
        reconstruction = model(**inputs)
        return model.anomaly_components(reconstruction, inputs["batch"], inputs["num_graphs"])

    return over_batches(components, model, store, compute, len(AUTOENCODER_FEATURES) - 1)


def autoencoder_judge(autoencoder: ModelArtifact, *, compute: Compute) -> Judge:
    """Build an autoencoder that scores windows.

    Args:
        autoencoder: a trained VGAE.
        compute: device, threads, batch size.

    Returns:
        Store -> float64 `[num_graphs, 8]`, columns AUTOENCODER_FEATURES.

    Raises:
        DataError: by the judge, see `require_same_features`.
    """
    model = build(autoencoder)

    def judge(store: GraphStore) -> pd.DataFrame:
        require_same_features(autoencoder, store)
        components = anomaly_components(model, store, compute)
        score = model.cpu().anomaly_score(components)
        table = torch.cat([components, score.unsqueeze(1)], dim=1).double().numpy()
        return pd.DataFrame(table, columns=list(AUTOENCODER_FEATURES))

    return judge


def classifier_judge(classifier: ModelArtifact, *, compute: Compute) -> Judge:
    """Build a classifier that scores windows.

    Args:
        classifier: a trained GAT.
        compute: device, threads, batch size.

    Returns:
        Store -> float64 `[num_graphs, 7]`, columns CLASSIFIER_FEATURES.

    Raises:
        DataError: by the judge, see `require_same_features`.
    """
    model = build(classifier)

    def logit_and_embedding(inputs: dict) -> Tensor:
        embedding = model.embed(**inputs)
        statistics = (
            model.classify(embedding),
            embedding.mean(dim=1),
            embedding.std(dim=1, unbiased=False),
            embedding.amax(dim=1),
            embedding.norm(dim=1),
        )
        return torch.stack(statistics, dim=1)

    def judge(store: GraphStore) -> pd.DataFrame:
        require_same_features(classifier, store)
        values = over_batches(logit_and_embedding, model, store, compute, 5).double().numpy()
        logit = values[:, 0]
        table = np.column_stack(
            [logit, attack_probability(logit), binary_entropy(logit), values[:, 1:]]
        )
        return pd.DataFrame(table, columns=list(CLASSIFIER_FEATURES))

    return judge


def score_autoencoder(
    autoencoder: ModelArtifact, store: GraphStore, *, compute: Compute
) -> pd.DataFrame:
    """Score every window with an autoencoder; see `autoencoder_judge`."""
    return autoencoder_judge(autoencoder, compute=compute)(store)


def score_classifier(
    classifier: ModelArtifact, store: GraphStore, *, compute: Compute
) -> pd.DataFrame:
    """Score every window with a classifier; see `classifier_judge`."""
    return classifier_judge(classifier, compute=compute)(store)


def fusion_table(
    autoencoder: ModelArtifact,
    classifier: ModelArtifact,
    store: GraphStore,
    *,
    compute: Compute,
) -> pd.DataFrame:
    """Give the fusion agent's view of every window.

    Args:
        autoencoder: a trained VGAE; its metadata hold the statistics of benign scores.
        classifier: a trained GAT.
        store: windows.
        compute: device, threads, batch size.

    Returns:
        float64 `[num_graphs, 16]`, columns FUSION_COLUMNS: the 15 features of the state and
        `anomaly_logit`.
    """
    return join_scores(
        score_autoencoder(autoencoder, store, compute=compute),
        score_classifier(classifier, store, compute=compute),
        autoencoder.metadata["score_statistics"],
    )


def join_scores(
    anomaly: pd.DataFrame, attack: pd.DataFrame, statistics: ScoreStatistics
) -> pd.DataFrame:
    """Join what both detectors say of the same windows; `fusion_table` says what it holds.

    Args:
        anomaly: of `autoencoder_judge`.
        attack: of `classifier_judge`.
        statistics: of benign anomaly scores, see `scores.score_statistics`.
    """
    logit = anomaly_logit(anomaly["anomaly_score"], statistics)
    return pd.concat([anomaly, attack], axis=1).assign(anomaly_logit=logit)


def agent_judge(
    agent: ModelArtifact, *, compute: Compute
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Build a fusion agent that judges windows, without chance; see `scores.chosen_weight`.

    Args:
        agent: a trained Q-network.
        compute: threads (the agent is small: it runs on the CPU).

    Returns:
        Table with the columns FUSION_COLUMNS -> float64 `[num_graphs, 2]`: fusion_weight and
        fused_logit.

    Raises:
        DataError: it is an agent of other features or weights, or names no usual weight.
    """
    torch.set_num_threads(compute.threads)
    model = build(agent)
    wanted = {
        "fusion_feature_names": list(FUSION_FEATURES),
        "fusion_weights": list(FUSION_WEIGHTS),
    }
    said = {name: agent.metadata.get(name) for name in wanted}
    if said != wanted or "usual_weight" not in agent.metadata:
        raise DataError(
            "the fusion agent comes from another version of kdgat, with other features or weights, "
            "or none to fall back to; train it again (`kedro run --pipeline fusion`)"
        )
    usual = agent.metadata["usual_weight"]

    def judge(table: pd.DataFrame) -> pd.DataFrame:
        with torch.inference_mode():
            weight = chosen_weight(model(fusion_state(table)).numpy(), usual)
        logit = fused_logit(table["anomaly_logit"], table["attack_logit"], weight)
        return pd.DataFrame({"fusion_weight": weight, "fused_logit": logit})

    return judge


def score_agent(agent: ModelArtifact, table: pd.DataFrame, *, compute: Compute) -> pd.DataFrame:
    """Let a fusion agent judge every window of a table; see `agent_judge`."""
    return agent_judge(agent, compute=compute)(table)


def early_windows(store: GraphStore) -> NDArray[np.bool_]:
    """Mark the earlier half of each capture's attack windows and of its benign ones.

    Of an odd number the middle one is early in every other capture, so that single windows do not
    all fall on one side. A window that was drawn several times falls on one side.

    Returns:
        bool `[num_graphs]`.
    """
    windows = pd.DataFrame({"capture": store.capture.numpy(), "y": store.y.numpy()})
    groups = pd.Series(store.start.numpy()).groupby([windows["capture"], windows["y"]])
    rank, number = groups.rank(method="dense"), groups.transform("nunique")
    early = (number + 1 - windows["capture"] % 2) // 2
    return (rank <= early).to_numpy()


def fusion_state(table: pd.DataFrame) -> Tensor:
    """Take the 15 fusion features of a table, in order, as float32 `[num_graphs, 15]`."""
    features: NDArray = table[list(FUSION_FEATURES)].to_numpy(dtype=np.float32)
    return torch.from_numpy(features)


def over_batches(
    function: Callable[[dict], Tensor],
    model: nn.Module,
    store: GraphStore,
    compute: Compute,
    width: int,
) -> Tensor:
    """Apply a function batch by batch; a batch that does not fit comes again in halves.

    Args:
        function: inputs of the model for a batch of windows -> float32 `[num_rows, width]`, one
            row per window or one per node.
        model: left in evaluation mode on the device.
        store: windows.
        compute: device, threads, batch size.
        width: columns of the result.

    Returns:
        float32 `[num_rows, width]` on the CPU, in the order of the store.
    """
    torch.set_num_threads(compute.threads)
    device = device_of(compute)
    model.to(device).eval()
    graphs = compute.score_batch_size
    batches = AdjustableBatches(store, range(len(store)), lambda: BatchLimit(graphs=graphs))
    rows = [torch.empty(0, width)]
    with torch.inference_mode():
        for batch in loader(store, batch_sampler=batches):
            try:
                rows.append(function(network_inputs(batch.to(device))).cpu())
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or graphs == 1:
                    raise
                graphs //= 2
                batches.put_back()
    return torch.cat(rows)
