"""Detectors without a graph network, judged beside ours through the same scorecard.

They see the same windows, recorded and injected, with and without a profile, and their operating
points follow the same rule.

`call everything an attack` says what F1 owes to the share of attacks. The bag-of-IDs forest sees
which IDs a window holds and how often: it is perfect on the car it was trained on, and on an
unknown car it shows what a detector that has learned IDs is worth. It is fitted on recorded
windows alone, and so is its operating point: pseudo-vehicles have IDs drawn at random, which it
would have to take for attacks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import IsolationForest, RandomForestClassifier

from kdgat.errors import DataError


def call_everything_attack(num_windows: int) -> NDArray[np.float64]:
    """Give every window the same score, 1, float64 `[num_windows]`."""
    return np.ones(num_windows, dtype=np.float64)


def bag_of_ids(
    arbitration_id: ArrayLike,
    frame_share: ArrayLike,
    node_offsets: ArrayLike,
    known_ids: NDArray[np.int64],
) -> csr_matrix:
    """Lay out how much of each window each known ID holds, and all unknown IDs together.

    Args:
        arbitration_id: ID of each node, integer `[num_nodes]`.
        frame_share: frames of the node, as a count or as a share of the window `[num_nodes]`.
        node_offsets: nodes of window g are `node_offsets[g]` to `node_offsets[g + 1]`,
            integer `[num_windows + 1]`.
        known_ids: distinct IDs of training, ascending `[num_known]`.

    Returns:
        float32 `[num_windows, num_known + 1]`, the last column for unknown IDs.
    """
    ids = np.asarray(arbitration_id, dtype=np.int64)
    offsets = np.asarray(node_offsets, dtype=np.int64)
    num_windows, num_known = offsets.size - 1, known_ids.size
    position = np.searchsorted(known_ids, ids)
    known = known_ids[np.minimum(position, num_known - 1)] == ids
    column = np.where(known, position, num_known)
    row = np.repeat(np.arange(num_windows), np.diff(offsets))
    # Entries of one cell (several unknown IDs of a window) are summed by the constructor.
    return csr_matrix(
        (np.asarray(frame_share, dtype=np.float32), (row, column)),
        shape=(num_windows, num_known + 1),
    )


@dataclass(frozen=True)
class BagOfIdsForest:
    """A random forest (Breiman 2001) over bags of IDs.

    Attributes:
        known_ids: IDs of the training windows, ascending, int64 `[num_known]`.
        forest: fitted on bags of `num_known + 1` columns.
    """

    known_ids: NDArray[np.int64]
    forest: RandomForestClassifier

    def score(
        self, arbitration_id: ArrayLike, frame_share: ArrayLike, node_offsets: ArrayLike
    ) -> NDArray[np.float64]:
        """Give the attack share of the leaves a window falls into; arguments as `bag_of_ids`.

        Returns:
            float64 `[num_windows]`, 0 to 1, with many ties.
        """
        bags = bag_of_ids(arbitration_id, frame_share, node_offsets, self.known_ids)
        return self.forest.predict_proba(bags)[:, 1]


def fit_bag_of_ids_forest(
    arbitration_id: ArrayLike,
    frame_share: ArrayLike,
    node_offsets: ArrayLike,
    labels: ArrayLike,
    *,
    trees: int,
    seed: int,
) -> BagOfIdsForest:
    """Fit the forest on the training windows, attack and benign; arguments as `bag_of_ids`.

    Args:
        arbitration_id: integer `[num_nodes]`.
        frame_share: float `[num_nodes]`.
        node_offsets: integer `[num_windows + 1]`.
        labels: 0 or 1 `[num_windows]`.
        trees: number of trees, at least 1.
        seed: of the forest.

    Returns:
        The fitted forest and the IDs it knows.

    Raises:
        DataError: training lacks a class.
    """
    labels = np.asarray(labels).astype(np.int64)
    if labels.size == 0 or labels.all() or not labels.any():
        raise DataError(
            f"Training holds {labels.sum()} attack windows among {labels.size}:"
            f" the bag-of-IDs forest needs attack and benign windows."
        )
    known_ids = np.unique(np.asarray(arbitration_id, dtype=np.int64))
    forest = RandomForestClassifier(n_estimators=trees, random_state=seed, n_jobs=1)
    forest.fit(bag_of_ids(arbitration_id, frame_share, node_offsets, known_ids), labels)
    return BagOfIdsForest(known_ids=known_ids, forest=forest)


LARGEST_SAMPLE = 4000
"""Windows that each tree of a random forest sees at most."""


FeatureScore = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""ID-free features float32 `[num_windows, num_features]` -> scores, higher = attack."""


def fit_random_forest(
    features: NDArray[np.float32], labels: ArrayLike, *, trees: int, seed: int
) -> FeatureScore:
    """Fit a random forest (Breiman 2001) on ID-free features.

    Args:
        features: float32 `[num_windows, num_features]`.
        labels: 0 or 1 `[num_windows]`, both present.
        trees: number of trees.
        seed: of the forest.

    Returns:
        Gives the attack share of the leaves a window falls into, 0 to 1.
    """
    forest = RandomForestClassifier(
        n_estimators=trees,
        max_samples=min(LARGEST_SAMPLE, len(features)),
        class_weight="balanced",
        random_state=seed,
        n_jobs=1,
    ).fit(features, np.asarray(labels))
    return lambda rows: forest.predict_proba(rows)[:, 1]


def fit_lightgbm(
    features: NDArray[np.float32], labels: ArrayLike, *, trees: int, seed: int
) -> FeatureScore:
    """Fit LightGBM (Ke et al. 2017) on ID-free features; arguments as `fit_random_forest`.

    Returns:
        Gives the log-odds of an attack.
    """
    boosting = LGBMClassifier(
        n_estimators=trees,
        class_weight="balanced",
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    ).fit(features, np.asarray(labels))
    return lambda rows: boosting.booster_.predict(rows, raw_score=True, num_threads=1)


def fit_isolation_forest(
    features: NDArray[np.float32], labels: ArrayLike, *, trees: int, seed: int
) -> FeatureScore:
    """Fit an isolation forest (Liu, Ting, Zhou 2008) on the benign windows alone.

    Arguments as `fit_random_forest`.

    Returns:
        Gives how easily a window is told apart from the others.
    """
    benign = features[np.asarray(labels) == 0]
    forest = IsolationForest(n_estimators=trees, random_state=seed, n_jobs=1).fit(benign)
    return lambda rows: -forest.score_samples(rows)


@dataclass(frozen=True)
class EvenEntropy:
    """The entropy detector (Muter, Asaj 2011): how far a window's entropy is from the usual.

    Attributes:
        usual: median over benign training windows.
        spread: median absolute deviation from it.
    """

    usual: float
    spread: float

    @classmethod
    def of(cls, entropy: NDArray[np.float64]) -> "EvenEntropy":
        """Learn what is usual from benign windows `[num_windows]`."""
        usual = float(np.median(entropy))
        return cls(usual, max(1e-9, float(np.median(np.abs(entropy - usual)))))

    def score(self, entropy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the deviation in spreads, float64 `[num_windows]`."""
        return np.abs(entropy - self.usual) / self.spread
