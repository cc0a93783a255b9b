"""Controls: small models that see something which must not tell attacks, and what they reach.

All are forests of scikit-learn with a fixed seed; none of them becomes part of a detector.
"""

from collections.abc import Mapping

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score

from kdgat.baselines import bag_of_ids, fit_bag_of_ids_forest
from kdgat.can.gathering import gather_rows
from kdgat.can.graph_store import GraphStore
from kdgat.leaks.findings import Finding
from kdgat.leaks.traces import Trace

TREES = 30
FOLDS = 5
MOST_WINDOWS = 20_000
"""A control is fitted on so many windows at most, drawn at random: seconds and a few hundred MB,
whatever the dataset's size."""


def position_control(
    stores: Mapping[str, GraphStore], traces: Mapping[str, Trace], seed: int
) -> list[Finding]:
    """Predict labels from the place of a window in its file: frame, share passed, seconds.

    Leaves of five windows smooth over neighbours: after a random split of the windows the
    control is near 1, since a window's neighbours in training tell its label.

    Args:
        stores: `train`, `validation` and `test`.
        traces: capture name -> trace.
        seed: of the forest.
    """
    train = stores["train"]
    some = _some(np.arange(len(train)), seed)
    labels = train.y.numpy()[some]
    fitted = None
    if _has_both(labels):
        fitted = RandomForestClassifier(TREES, min_samples_leaf=5, random_state=seed)
        fitted.fit(_places(train, traces)[some], labels)
    findings = []
    for check, split in (("position", "validation"), ("", "test")):
        store = stores[split]
        figure = None
        if fitted is not None and _has_both(store.y.numpy()):
            scores = fitted.predict_proba(_places(store, traces))[:, 1]
            figure = float(roc_auc_score(store.y.numpy(), scores))
        findings.append(
            Finding(
                check,
                f"AUROC of {split} labels from a window's place in its file",
                figure,
                _counted(store.y.numpy()),
            )
        )
    return findings


def shuffled_labels_control(traces: Mapping[str, Trace], seed: int) -> Finding:
    """Fit coins that replaced the labels before graphs were built; nothing should be learned.

    The score of a model that knows nothing has an AUROC of 0.5 with the standard error of
    Mann and Whitney's statistic, sqrt((n1 + n0 + 1) / (12 n1 n0)).

    Args:
        traces: capture name -> trace.
        seed: of the forest.
    """
    coins = [trace.coins for trace in traces.values() if trace.coins is not None]
    summary = np.concatenate([coin.summary for coin in coins])
    y = np.concatenate([coin.y for coin in coins])
    is_train = np.concatenate([coin.is_train for coin in coins])
    measured = "standard errors by which coins for labels are learned"
    if not (_has_both(y[is_train]) and _has_both(y[~is_train])):
        return Finding("shuffled_labels", measured, None, "too few windows")
    fitted = ExtraTreesClassifier(TREES, random_state=seed).fit(summary[is_train], y[is_train])
    auroc = roc_auc_score(y[~is_train], fitted.predict_proba(summary[~is_train])[:, 1])
    ones, zeros = int(y[~is_train].sum()), int((y[~is_train] == 0).sum())
    error = np.sqrt((ones + zeros + 1) / (12 * ones * zeros))
    note = f"AUROC {auroc:.3f} of {ones + zeros} validation windows"
    return Finding("shuffled_labels", measured, float((auroc - 0.5) / error), note)


def file_identity_controls(traces: Mapping[str, Trace], seed: int) -> list[Finding]:
    """Tell benign windows of captures with attacks from those of attack-free captures.

    Each capture is judged by a forest that has not seen it. What is found so holds for all
    captures of a kind: another logger, another state of the car, another clock.

    Attack-free are training captures without an attack frame. A test capture without one may
    hold an attack that leaves no frame, and is left out.

    Args:
        traces: capture name -> trace.
        seed: of the forests.
    """
    used = [
        trace
        for trace in traces.values()
        if len(trace.benign) and (trace.has_attack or trace.is_training)
    ]
    kinds = np.array([trace.has_attack for trace in used], bool)
    note = f"{int(kinds.sum())} captures with attacks, {int((~kinds).sum())} without"
    folds = _folds(kinds)
    views = {
        "file_timestamps": ("the times between frames", [trace.benign.timing for trace in used]),
        "file_features": ("graph features", [trace.benign.summary for trace in used]),
        "bag_of_ids": ("the IDs present", _id_views(used)),
    }
    return [
        Finding(
            check,
            f"AUROC of captures with attacks from {seen} in benign windows",
            _judge_left_out(windows, kinds, folds, seed) if folds is not None else None,
            note if folds is not None else f"{note}: two of each are needed",
        )
        for check, (seen, windows) in views.items()
    ]


def bag_of_ids_on_labels(stores: Mapping[str, GraphStore], seed: int) -> list[Finding]:
    """Predict labels from the IDs present: what an attack gives away by bringing its own ID.

    Information without a limit: such an attack is visible to everyone, rightly. It says how
    little a detector's figure on that scenario proves.

    Args:
        stores: `train`, `validation` and `test`.
        seed: of the forest.
    """
    train, validation, test = (stores[split] for split in ("train", "validation", "test"))
    some = _some(np.arange(len(train)), seed)
    labels = train.y.numpy()[some]
    if not _has_both(labels):
        return []
    forest = fit_bag_of_ids_forest(*_presence(train, some), labels, trees=TREES, seed=seed)
    findings = []
    judged = {"validation": (validation, np.arange(len(validation))), **_scenarios(test)}
    for name, (store, graphs) in judged.items():
        some = _some(graphs, seed)
        y = store.y.numpy()[some]
        figure = None
        if _has_both(y):
            figure = float(roc_auc_score(y, forest.score(*_presence(store, some))))
        findings.append(
            Finding(
                "",
                f"AUROC of {name} labels from the IDs present",
                figure,
                _counted(y),
            )
        )
    return findings


def _places(store: GraphStore, traces: Mapping[str, Trace]) -> np.ndarray:
    of = [traces[name] for name in store.captures]
    num_frames = np.array([trace.num_frames for trace in of])[store.capture.numpy()]
    first_time = np.array([trace.first_time for trace in of])[store.capture.numpy()]
    start = store.start.numpy()
    return np.stack([start, start / num_frames, store.start_time.numpy() - first_time], axis=1)


def _folds(kinds: np.ndarray) -> np.ndarray | None:
    """Deal captures of each kind over folds, so that the others always hold both kinds."""
    count = min(FOLDS, int(kinds.sum()), int((~kinds).sum()))
    if count < 2:
        return None
    place = np.empty(len(kinds), np.int64)
    for kind in (False, True):
        place[kinds == kind] = np.arange((kinds == kind).sum())
    return place % count


def _judge_left_out(windows, kinds, folds, seed) -> float:
    x = np.concatenate(windows)
    lengths = [len(part) for part in windows]
    kind, fold = np.repeat(kinds, lengths), np.repeat(folds, lengths)
    scores = np.empty(len(x))
    for left_out in np.unique(folds):
        others = fold != left_out
        forest = ExtraTreesClassifier(TREES, random_state=seed, class_weight="balanced")
        forest.fit(x[others], kind[others])
        scores[~others] = forest.predict_proba(x[~others])[:, 1]
    return float(roc_auc_score(kind, scores))


def _id_views(used: list[Trace]) -> list[np.ndarray]:
    if not used:
        return []
    known = np.unique(np.concatenate([trace.benign.arbitration_id for trace in used]))
    return [
        bag_of_ids(ids, np.ones(len(ids)), trace.benign.node_offsets, known).toarray()
        for trace in used
        for ids in [trace.benign.arbitration_id]
    ]


def _presence(store: GraphStore, graphs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the IDs of some graphs and nothing else of them."""
    source = store.mapped_anew()
    nodes, offsets = gather_rows(source.node_offsets, torch.from_numpy(graphs))
    ids = source.arbitration_id[nodes].numpy()
    return ids, np.ones(len(ids)), offsets.numpy()


def _some(graphs: np.ndarray, seed: int) -> np.ndarray:
    """Draw up to `MOST_WINDOWS` graphs, in order."""
    if len(graphs) <= MOST_WINDOWS:
        return graphs
    order = np.random.default_rng(seed).permutation(len(graphs))
    return graphs[np.sort(order[:MOST_WINDOWS])]


def _scenarios(test: GraphStore) -> dict[str, tuple[GraphStore, np.ndarray]]:
    """Return the test store and the graphs of each scenario."""
    scenario = np.array([name.split("/", maxsplit=1)[0] for name in test.captures])
    of_graph = scenario[test.capture.numpy()]
    return {name: (test, np.flatnonzero(of_graph == name)) for name in np.unique(of_graph)}


def _has_both(y: np.ndarray) -> bool:
    return bool(y.any() and not y.all())


def _counted(y: np.ndarray) -> str:
    return f"{int(y.sum())} attacks among {len(y)} windows"
