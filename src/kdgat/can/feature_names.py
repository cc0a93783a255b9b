"""Names and meanings of all features, in the order of their columns.

Every feature compares a window with itself or with its car, and most say exactly nothing
(0, or log1p(1) = 0.693) of an ID that sends regularly or once. What differs between cars without
an attack is left out on purpose, since a detector would learn the car: how many IDs there are,
how many of them send one frame in a window, how frames are spread over them, how long they are,
and any ID's value. No feature holds an absolute time, an absolute rate or a raw ID.
"""

from typing import NamedTuple


class Feature(NamedTuple):
    """A feature as the documentation shows it."""

    range: str
    """Values that it can take; "inf" is bounded by the logs' resolution of 1 µs."""

    meaning: str
    """Definition; one ID's frames of one window, unless it says otherwise."""


WINDOW_FEATURES_TABLE = {
    "dominance": Feature(
        "0 to log(window)", "log1p(by how much the ID's frames outnumber those of any other ID)"
    ),
    "gap_median_to_min": Feature(
        "0.69 to inf", "log1p(median / shortest time between the ID's frames)"
    ),
    "gap_max_to_median": Feature(
        "0.69 to inf", "log1p(longest / median time between the ID's frames)"
    ),
    "gap_variation": Feature(
        "0 to inf", "log1p(standard deviation / mean of the times between the ID's frames)"
    ),
    "gap_even_to_min": Feature(
        "0 to inf", "log1p((window's duration / count) / shortest time between the ID's frames)"
    ),
    "short_gap_share": Feature(
        "0 to 1", "share of the ID's gaps under half of (window's duration / count)"
    ),
    "silence": Feature(
        "0 to inf",
        "log1p(by how much a silence at the window's ends exceeds the ID's longest gap)",
    ),
    "bus_gap_mean": Feature(
        "0 to inf", "log1p(mean time since the previous frame on the bus / median of the window)"
    ),
    "bus_gap_next": Feature(
        "0 to inf", "log1p(mean time to the next frame on the bus / median of the window)"
    ),
    "byte_change": Feature("0 to 1", "mean share of bytes that change from frame to frame"),
    "bit_change_max": Feature("0 to 1", "largest share of bits that changes"),
    "bit_change_surge": Feature("0 to 1", "largest - median share of bits that changes"),
    "bit_change_drop": Feature("0 to 1", "median - smallest share of bits that changes"),
    "payload_return": Feature(
        "-1 to 1", "(bits changed to the last frame - to the last but one) / (sum + 1)"
    ),
    "byte_entropy": Feature("0 to 1", "entropy of the ID's bytes / the largest possible"),
    "zero_byte_share": Feature("0 to 1", "share of bytes that are 0"),
    "set_bit_share": Feature("0 to 1", "share of bits that are 1"),
    "dlc_change": Feature("0 to 1", "share of successive frames of the ID that differ in dlc"),
    "self_loop_share": Feature(
        "0 to 1", "frames directly followed by one of the same ID / frames with a next one"
    ),
    "reciprocity": Feature("0 to 1", "share of the next IDs that are previous IDs too"),
}

PROFILE_FEATURES_TABLE = {
    "has_profile": Feature("0 or 1", "1 if there is a profile of the car"),
    "unknown_to_profile": Feature("0 or 1", "1 if the profile has never seen the ID"),
    "profile_gap_min": Feature(
        "-inf to inf", "log(shortest gap / the ID's mean gap in the profile)"
    ),
    "profile_gap_mean": Feature("-inf to inf", "log(mean gap / the ID's mean gap in the profile)"),
    "profile_gap_max": Feature(
        "-inf to inf", "log(longest gap / the ID's mean gap in the profile)"
    ),
    "profile_gap_spread": Feature(
        "-inf to inf",
        "log1p(standard deviation of the gaps / mean gap in the profile) - the same of the profile",
    ),
    "profile_gap_record": Feature(
        "0 to inf", "log1p(by how much the profile's shortest gap exceeds the shortest gap)"
    ),
    "profile_gap_surprise": Feature(
        "0 to inf",
        "log1p(mean gap in the profile less the shortest gap / standard deviation of the gaps in "
        "the profile and one more that is off by the mean)",
    ),
    "profile_early_share": Feature(
        "0 to 1", "share of frames that come in under half of the ID's mean gap in the profile"
    ),
    "profile_silence": Feature(
        "0 to inf",
        "log1p(by how much the longest gap, or the time from the ID's last frame to the window's "
        "end, exceeds its longest silence in the profile)",
    ),
    "payload_novelty": Feature("0 to 1", "share of bytes outside the byte's range in the profile"),
    "payload_novelty_max": Feature("0 to 1", "largest such share in one frame"),
    "payload_change": Feature(
        "-1 to 1", "mean share of bytes that change, less the share that changes in the profile"
    ),
    "payload_change_max": Feature(
        "0 to 1", "largest mean over a frame's bytes of (1 - change rate) where the byte changed"
    ),
    "payload_freeze_max": Feature(
        "0 to 1", "largest mean over a frame's bytes of the change rate where the byte did not"
    ),
    "dlc_mismatch": Feature("0 to 1", "share of frames with a dlc outside the profile's"),
    "profile_share": Feature(
        "-inf to inf", "log((frames + 1) / (share of the traffic in the profile * window + 1))"
    ),
    "suspicious_frames": Feature(
        "0 to log(window)",
        "of the graph: log1p(frames of an ID unknown to the profile, or early)",
    ),
    "silent_ids": Feature(
        "0 to inf",
        "of the graph: log1p(IDs that the window lacks, and that were never silent for so long "
        "in the profile; IDs with 10 gaps or more there)",
    ),
    "silence_max": Feature(
        "0 to inf", "of the graph: log1p(largest excess over the longest silence among these)"
    ),
}

EDGE_FEATURES_TABLE = {
    "edge_share": Feature("0 to 1", "times the edge is taken / transitions of the window"),
    "edge_dominance": Feature(
        "0 to log(window)", "log1p(by how much the edge outnumbers any other edge)"
    ),
    "self_loop": Feature("0 or 1", "1 if source and target are the same ID"),
    "edge_reciprocity": Feature("0 to 1", "rarer / more frequent of the edge and its reverse"),
    "same_payload": Feature(
        "0 to 1", "share of times that the target's payload equals the source's"
    ),
    "edge_gap_min": Feature(
        "0 to inf", "log1p(shortest time from source to target / median bus gap)"
    ),
    "edge_gap_mean": Feature("0 to inf", "log1p(mean time from source to target / median bus gap)"),
    "edge_gap_max": Feature(
        "0 to inf", "log1p(longest time from source to target / median bus gap)"
    ),
}

WINDOW_FEATURES = tuple(WINDOW_FEATURES_TABLE)
"""Of a node: the ID's frames in the window, compared with the window itself."""

PROFILE_FEATURES = tuple(PROFILE_FEATURES_TABLE)
"""Of a node: the same frames compared with the car's profile; all 0 without one."""

NODE_FEATURES = WINDOW_FEATURES + PROFILE_FEATURES
EDGE_FEATURES = tuple(EDGE_FEATURES_TABLE)
