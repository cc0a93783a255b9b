"""A stored model as a detector: frames in, a score and an alarm per window out."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdgat.calibration import CALIBRATED, ZERO_SHOT, Threshold
from kdgat.can.calibration_prefix import inspect_prefix, warn_of_surplus
from kdgat.can.frames import unlabelled_frames
from kdgat.can.graph_store import GraphStore
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording
from kdgat.can.splits import capture_graphs
from kdgat.can.windows import window_starts
from kdgat.errors import DataError, ParameterError
from kdgat.metrics.episodes import persistent_level
from kdgat.models.artifact import ModelArtifact
from kdgat.parameters import Compute, Guard
from kdgat.training.offenders import fused_suspicion, ids_as_text, name_ids, node_suspicion
from kdgat.training.scoring import fusion_table, score_agent, score_autoencoder, score_classifier

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Detector:
    """A trained model, or two and the agent that weighs them.

    Attributes:
        parts: role -> model; an agent comes with both other roles.
        compute: device, threads and batch size of scoring.
    """

    parts: dict[str, ModelArtifact]
    compute: Compute

    @property
    def judge(self) -> ModelArtifact:
        """The part whose score decides."""
        return self.parts["agent" if "agent" in self.parts else next(iter(self.parts))]

    @property
    def operating_point(self) -> Threshold | None:
        """Where the score becomes an alarm without a profile; None where none was fitted."""
        return self._point("operating_point")

    @property
    def calibrated_operating_point(self) -> Threshold | None:
        """The same where windows are measured against a profile of the car."""
        return self._point("calibrated_operating_point")

    def _point(self, name: str) -> Threshold | None:
        fields = self.judge.metadata.get(name)
        return Threshold.from_dict(fields) if fields else None

    @property
    def window(self) -> int:
        """Frames in a window."""
        return self._seen["window"]

    @property
    def stride(self) -> int:
        """Frames from one window's start to the next."""
        return self._seen["stride"]

    def score(
        self,
        frames: pd.DataFrame,
        *,
        calibration_seconds: float = 0.0,
        persistence: tuple[int, int] = (1, 1),
    ) -> pd.DataFrame:
        """Judge a recording, window by window.

        Args:
            frames: a frame table in recorded order, as `kdgat.can.frames.unlabelled_frames`
                takes it; labels are not looked at.
            calibration_seconds: length of the recording's beginning, s, that is taken for benign,
                teaches the car's profile and is not scored; 0 for zero-shot. Where the guard
                finds signs of an attack in it, or no whole window comes after it, nothing is
                learned: all windows, those of the beginning among them, are judged zero-shot, and
                a warning says why. (The scorecard leaves the beginning out all the same.)
            persistence: k and n, 1 <= k <= n: a persistent alarm needs k of the last n scored
                windows above the operating point, as in the alarm and episode scorecards.

        Returns:
            One row per whole window: start (frame), start_time and end_time (s, timestamps of its
            first and last frame), protocol (`zero_shot` or `calibrated`), score (higher = attack;
            logit, or anomaly score of an autoencoder alone), alarm and persistent_alarm (bool, of
            the window and after persistence; missing where there is no operating point),
            offending_ids (where alarm is true, or everywhere where nothing says which windows
            alarm: up to three IDs, the most suspicious first, as `0x2c0 0x130`; else empty); with
            an agent also anomaly_score, attack_logit and fusion_weight.

        Raises:
            DataError: frames that are no frame table, fewer than one window, features other than
                the model's, or a model that cannot be calibrated.
            ParameterError: calibration_seconds or persistence is out of range.
        """
        k, n = persistence
        if not 1 <= k <= n:
            raise ParameterError(f"persistence is {k} of {n} windows: k should be 1 to n")
        if not calibration_seconds >= 0.0:
            raise ParameterError(f"calibration_seconds is {calibration_seconds}: at least 0")
        frames = unlabelled_frames(frames)
        starts = window_starts(len(frames), self.window, self.stride)
        is_long_enough = starts.size > 0  # else building its graphs says so
        num_learned, profile = self._learn(frames, calibration_seconds if is_long_enough else 0.0)
        graphs = capture_graphs(
            "given",
            frames,
            window=self.window,
            stride=self.stride,
            starts=starts[starts >= num_learned] if num_learned else None,
            profile=profile,
        )
        scores = self._scores(graphs)
        named = np.full(len(scores), True)
        point = self.operating_point if profile is None else self.calibrated_operating_point
        if point is not None:
            named = point.alarms(scores["score"])
            scores.insert(1, "alarm", named)
            lasting = persistent_level(named.astype(np.float64), k, n) > 0.0
            scores.insert(2, "persistent_alarm", lasting)
        scores["offending_ids"] = self._offending_ids(graphs, scores, named)
        start, timestamp = graphs.start.numpy(), frames["timestamp"].to_numpy()
        windows = {
            "start": start,
            "start_time": timestamp[start],
            "end_time": timestamp[start + self.window - 1],
            "protocol": ZERO_SHOT if profile is None else CALIBRATED,
        }
        return pd.concat([pd.DataFrame(windows), scores], axis=1)

    def _learn(self, frames: pd.DataFrame, seconds: float) -> tuple[int, Profile | None]:
        """Learn the car's profile: how many frames taught it, and the profile if there is one."""
        if seconds == 0.0:
            return 0, None
        trained = self._seen.get("provenance", {}).get("parameters", {}).get("data_processing")
        if trained is None:
            raise DataError("this model cannot be calibrated: it does not say how it was trained")
        if trained["profile"]["drop"] == 1.0:
            raise DataError(
                "this model cannot be calibrated: it has seen no profile in training "
                "(data_processing.profile.drop was 1)"
            )
        missing = sorted(set(Guard.model_fields) - set(trained["guard"]))
        if missing:
            raise DataError(
                "this model cannot be calibrated: it was trained by a kdgat whose guard had no "
                f"limit {', '.join(missing)}; train it again, or score it zero-shot"
            )
        guard = Guard(**trained["guard"])
        prefix = inspect_prefix(frames, seconds, guard, window=self.window, stride=self.stride)
        if prefix.complaint:
            LOGGER.warning(
                "the first %g s are not taken for benign (%s): judged zero-shot",
                *(seconds, prefix.complaint),
            )
            return 0, None
        warn_of_surplus(prefix, frames, f"the first {seconds:g} s")
        return prefix.num_frames, prefix.profile(Recording.of(frames.iloc[: prefix.num_frames]))

    @property
    def _seen(self) -> dict[str, Any]:
        return next(part.metadata for role, part in self.parts.items() if role != "agent")

    def _scores(self, graphs: GraphStore) -> pd.DataFrame:
        if "agent" not in self.parts:
            role, part = next(iter(self.parts.items()))
            score, column = {
                "autoencoder": (score_autoencoder, "anomaly_score"),
                "classifier": (score_classifier, "attack_logit"),
            }[role]
            return pd.DataFrame({"score": score(part, graphs, compute=self.compute)[column]})
        table = fusion_table(
            self.parts["autoencoder"], self.parts["classifier"], graphs, compute=self.compute
        )
        verdicts = score_agent(self.parts["agent"], table, compute=self.compute)
        return pd.DataFrame(
            {
                "score": verdicts["fused_logit"],
                "anomaly_score": table["anomaly_score"],
                "attack_logit": table["attack_logit"],
                "fusion_weight": verdicts["fusion_weight"],
            }
        )

    def _offending_ids(
        self, graphs: GraphStore, scores: pd.DataFrame, is_named: NDArray[np.bool_]
    ) -> list[str]:
        texts = np.full(len(graphs), "", dtype=object)
        rows = np.flatnonzero(is_named)
        if rows.size:
            chosen = graphs.subset(rows)
            suspicion = {
                role: node_suspicion(part, chosen, compute=self.compute)
                for role, part in self.parts.items()
                if role != "agent"
            }
            if "agent" in self.parts:
                weight = scores["fusion_weight"].to_numpy()[rows]
                joined = fused_suspicion(**suspicion, fusion_weight=weight, store=chosen)
            else:
                joined = next(iter(suspicion.values()))
            texts[rows] = ids_as_text(name_ids(joined, chosen))
        return texts.tolist()
