"""Detectors without a graph network, judged beside ours through the same scorecard.

They see the same windows, recorded and injected, with and without a profile, and their operating
points follow the same rule.

`call everything an attack` says what F1 owes to the share of attacks. The bag-of-IDs forest sees
which IDs a window holds and how often: it is perfect on the car it was trained on, and on an
unknown car it shows what a detector that has learned IDs is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)

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


@dataclass(frozen=True)
class FeatureDetectors:
    """Detectors on ID-free features of windows.

    Attributes:
        forest: random forest (Breiman 2001), trained with attacks.
        boosting: gradient boosting over histograms, the method of LightGBM (Ke et al. 2017).
        isolation: isolation forest (Liu, Ting, Zhou 2008), trained on benign windows.
    """

    forest: RandomForestClassifier
    boosting: HistGradientBoostingClassifier
    isolation: IsolationForest

    def score(self, features: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Give the score of each detector, higher = attack, float64 `[num_windows]` each."""
        return {
            "ID-free random forest": self.forest.predict_proba(features)[:, 1],
            "ID-free gradient boosting": self.boosting.decision_function(features),
            "isolation forest": -self.isolation.score_samples(features),
        }


def fit_feature_detectors(
    features: NDArray[np.float32], labels: ArrayLike, *, trees: int, seed: int
) -> FeatureDetectors:
    """Fit the detectors on ID-free features.

    Args:
        features: float32 `[num_windows, num_features]`.
        labels: 0 or 1 `[num_windows]`, both present.
        trees: of each detector.
        seed: of each.
    """
    labels = np.asarray(labels).astype(np.int64)
    sample = min(LARGEST_SAMPLE, len(labels))
    return FeatureDetectors(
        forest=RandomForestClassifier(
            n_estimators=trees,
            max_samples=sample,
            class_weight="balanced",
            random_state=seed,
            n_jobs=1,
        ).fit(features, labels),
        boosting=HistGradientBoostingClassifier(
            max_iter=trees, class_weight="balanced", early_stopping=False, random_state=seed
        ).fit(features, labels),
        isolation=IsolationForest(n_estimators=trees, random_state=seed, n_jobs=1).fit(
            features[labels == 0]
        ),
    )


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
