"""The page of features, written from the tables that define them."""

from kdgat.can.feature_names import (
    EDGE_FEATURES_TABLE,
    PROFILE_FEATURES_TABLE,
    WINDOW_FEATURES_TABLE,
    Feature,
)
from kdgat.can.frames import MAX_DLC
from kdgat.markdown import table

INTRODUCTION = f"""# Features

Written by `kedro features` from `src/kdgat/can/feature_names.py`; not by hand.

A window becomes a graph: a node is an arbitration ID of the window, an edge leads from one ID to
the ID of the next frame. Every feature compares a window with itself or with its car. None holds
an absolute time, an absolute rate or a raw ID; the ID itself reaches a model hashed, and training
hides it at random so that windows are judged without it, too (docs/models.md). Of a CAN FD
payload the first {MAX_DLC} bytes count. A gap is the time between two successive frames of an ID;
a logarithm is natural. "inf" is bounded by the resolution of the logs, 1 µs.

The car's profile is what is normal for one vehicle, per ID, learned from benign frames. Training
draws it anew for each window: that of the vehicle's other time, that of a few of its seconds, or
none (docs/decisions/0003-drawn-windows.md). Test windows are measured without one (zero-shot), and
against the first seconds of their own capture, which are then not scored (calibrated).
Gaps and changes against the profile also count from the ID's last frame before the window, or, if
the ID has a rhythm and its first frame in the window is on time, from the one that was on time a
period earlier (`kdgat.can.on_time`): it is not early because of a frame forged before the window.
Within the window a frame counts from the one of its ID before it. An ID has a rhythm if the profile
knows ten of its gaps or more, with a standard deviation of a tenth of their mean at most.
`kdgat.can.profile.Profile` saves, loads, merges and updates profiles, frame by frame or all at once
with the same numbers.
"""


def feature_page() -> str:
    """Write the page: one table each of window, profile and edge features."""
    sections = (
        ("Of a node, within the window", WINDOW_FEATURES_TABLE, "frames of the window"),
        ("Of a node, against the car's profile", PROFILE_FEATURES_TABLE, "window and profile"),
        ("Of an edge", EDGE_FEATURES_TABLE, "frames of the window"),
    )
    return "\n".join([INTRODUCTION, *(_table(*section) for section in sections)])


def _table(title: str, features: dict[str, Feature], source: str) -> str:
    rows = [
        (f"`{name}`", feature.meaning, feature.range, source) for name, feature in features.items()
    ]
    return f"## {title}\n\n{table(('feature', 'definition', 'range', 'source'), rows)}\n"
