"""Graphs: six frames by hand, and the kernels against a slow, obvious reference."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from graph_reference import reference_graph, reference_profile, reference_rule_count
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.captures import find_captures, read_capture
from kdgat.can.feature_names import PROFILE_FEATURES, WINDOW_FEATURES
from kdgat.can.frames import ABSENT, frame_table
from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES, Graphs, build_graphs, iterate_graphs
from kdgat.can.measures import NETWORK, bits_changed, bytes_changed, extent, median
from kdgat.can.node_features import pack_payload
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording
from kdgat.can.windows import window_starts


def table(timestamp, arbitration_id, payloads) -> pd.DataFrame:
    num_frames = len(timestamp)
    values = np.full((num_frames, 8), ABSENT, np.int16)
    for frame, data in enumerate(payloads):
        values[frame, : len(data)] = list(data)
    return frame_table(
        timestamp=np.array(timestamp, float),
        arbitration_id=np.array(arbitration_id),
        dlc=np.array([len(data) for data in payloads]),
        payload=values,
        attack=np.zeros(num_frames, int),
    )


def one_graph(frames: pd.DataFrame) -> Graphs:
    return build_graphs(frames, np.array([0]), len(frames))


def assert_equals_reference(graphs: Graphs, graph: int, frames: pd.DataFrame) -> None:
    nodes, edges = reference_graph(frames)
    rows = slice(graphs.node_offsets[graph], graphs.node_offsets[graph + 1])
    assert graphs.arbitration_id[rows].tolist() == list(nodes)
    np.testing.assert_allclose(graphs.x[rows], list(nodes.values()), rtol=1e-5, atol=1e-5)
    ids = graphs.arbitration_id[rows]
    rows = slice(graphs.edge_offsets[graph], graphs.edge_offsets[graph + 1])
    source, target = graphs.edge_index[:, rows]
    assert list(zip(ids[source], ids[target], strict=True)) == list(edges)
    np.testing.assert_allclose(graphs.edge_attr[rows], list(edges.values()), rtol=1e-5, atol=1e-5)


# --- by hand ------------------------------------------------------------------------------------


def six_frames() -> pd.DataFrame:
    """0x10 every 10 ms, 0x20 twice, 0x30 once with no data."""
    return table(
        timestamp=[0.000, 0.004, 0.010, 0.012, 0.014, 0.020],
        arbitration_id=[0x10, 0x20, 0x10, 0x30, 0x20, 0x10],
        payloads=[b"\x00\x01", b"\xff", b"\x00\x03", b"", b"\xff\x00", b"\x00\x01"],
    )


def test_six_frames_by_hand():
    graphs = one_graph(six_frames())
    assert graphs.node_offsets.tolist() == [0, 3]
    assert graphs.edge_offsets.tolist() == [0, 4]
    assert graphs.arbitration_id.tolist() == [0x10, 0x20, 0x30]
    x = {name: graphs.x[:, column] for column, name in enumerate(NODE_FEATURES)}
    log1p = np.log1p
    # Gaps on the bus: 4, 6, 2, 2, 6 ms, their median 4 ms; the window lasts 20 ms.
    expected = {
        "dominance": [log1p(3 / 2 - 1), 0, 0],
        "gap_median_to_min": [log1p(1), log1p(1), log1p(1)],
        "gap_max_to_median": [log1p(1), log1p(1), log1p(1)],
        "gap_variation": [0, 0, 0],
        "gap_even_to_min": [log1p(20 / 3 / 10), log1p(1), log1p(1)],
        "short_gap_share": [0, 0, 0],
        "silence": [0, 0, 0],
        "bus_gap_mean": [log1p(6 / 4), log1p(3 / 4), log1p(2 / 4)],
        "bus_gap_next": [log1p(3 / 4), log1p(6 / 4), log1p(2 / 4)],
        "self_loop_share": [0, 0, 0],
        "reciprocity": [1 / 2, 1, 0],
        "byte_change": [1 / 2, 1 / 2, 0],
        "bit_change_max": [1 / 16, 8 / 16, 0],
        "bit_change_surge": [0, 0, 0],
        "bit_change_drop": [0, 0, 0],
        "payload_return": [1 / 2, 0, 0],
        "byte_entropy": [
            (1 / 2 + 1 / 3 * math.log2(3) + 1 / 6 * math.log2(6)) / math.log2(6),
            (2 / 3 * math.log2(3 / 2) + 1 / 3 * math.log2(3)) / math.log2(3),
            0,
        ],
        "zero_byte_share": [3 / 6, 1 / 3, 0],
        "set_bit_share": [4 / 48, 16 / 24, 0],
        "dlc_change": [0, 1, 0],
    }
    assert set(expected) == set(WINDOW_FEATURES)
    expected |= {name: [0, 0, 0] for name in PROFILE_FEATURES}
    for name, values in expected.items():
        np.testing.assert_allclose(x[name], values, atol=2e-4, err_msg=name)


def test_six_frames_edges_by_hand():
    graphs = one_graph(six_frames())
    # 10>20, 20>10, 10>30, 30>20, 20>10
    assert graphs.edge_index.T.tolist() == [[0, 1], [0, 2], [1, 0], [2, 1]]
    log1p = np.log1p
    expected = {
        "edge_share": [1 / 5, 1 / 5, 2 / 5, 1 / 5],
        "edge_dominance": [0, 0, log1p(2 / 1 - 1), 0],
        "self_loop": [0, 0, 0, 0],
        "edge_reciprocity": [1 / 2, 0, 1 / 2, 0],
        "same_payload": [0, 0, 0, 0],
        "edge_gap_min": [log1p(4 / 4), log1p(2 / 4), log1p(6 / 4), log1p(2 / 4)],
        "edge_gap_mean": [log1p(4 / 4), log1p(2 / 4), log1p(6 / 4), log1p(2 / 4)],
        "edge_gap_max": [log1p(4 / 4), log1p(2 / 4), log1p(6 / 4), log1p(2 / 4)],
    }
    assert tuple(expected) == EDGE_FEATURES
    for column, name in enumerate(EDGE_FEATURES):
        np.testing.assert_allclose(
            graphs.edge_attr[:, column], expected[name], atol=2e-4, err_msg=name
        )


def feature(graphs: Graphs, name: str) -> np.ndarray:
    return graphs.x[:, NODE_FEATURES.index(name)]


def test_a_flood_of_one_id_is_dominance_and_self_loops():
    graphs = one_graph(
        table(
            np.arange(6) / 1000,
            [0, 0, 5, 0, 0, 7],
            [b"\x00", b"\x00", b"\x01", b"\x00"] + [b""] * 2,
        )
    )
    np.testing.assert_allclose(feature(graphs, "dominance"), [math.log1p(3), 0, 0], rtol=1e-6)
    np.testing.assert_allclose(feature(graphs, "self_loop_share"), [2 / 4, 0, 0], rtol=1e-6)
    loop = graphs.edge_index.T.tolist().index([0, 0])
    edge = dict(zip(EDGE_FEATURES, graphs.edge_attr[loop], strict=True))
    assert (edge["self_loop"], edge["edge_reciprocity"]) == (1, 1)
    assert edge["same_payload"] == 0.5


def test_an_injected_frame_shows_against_its_id_s_own_rhythm():
    """Frames of ID 5 every 10 ms among others; one more, 1 ms after a real one, other bytes."""
    times = [0, 5, 10, 15, 20, 25, 30, 35, 40]
    ids = [5, 6, 5, 6, 5, 6, 5, 6, 5]
    quiet = one_graph(table(np.array(times) / 1000, ids, [b"\x00\x11"] * 9))
    spoofed = one_graph(
        table(
            np.array([*times[:5], 21, *times[5:]]) / 1000,
            [*ids[:5], 5, *ids[5:]],
            [b"\x00\x11"] * 5 + [b"\xff\xee"] + [b"\x00\x11"] * 4,
        )
    )
    for name in ("gap_median_to_min", "gap_even_to_min", "short_gap_share", "bit_change_surge"):
        assert feature(spoofed, name)[0] > feature(quiet, name)[0] + 0.15, name
    assert feature(spoofed, "bit_change_surge")[0] == 1.0


def test_two_senders_in_turn_are_a_payload_that_returns():
    in_turn = one_graph(table(np.arange(6) / 100, [5] * 6, [b"\x00\x11", b"\xff\xee"] * 3))
    counting = one_graph(table(np.arange(6) / 100, [5] * 6, [bytes([0, n]) for n in range(6)]))
    np.testing.assert_allclose(feature(in_turn, "payload_return"), [16 / 17], rtol=1e-6)
    assert feature(counting, "payload_return")[0] < 0.1


def test_an_id_that_falls_silent_shows_it():
    graphs = one_graph(table(np.array([0, 1, 2, 3, 9]) / 10, [5, 5, 5, 6, 6], [b"\x00"] * 5))
    np.testing.assert_allclose(feature(graphs, "silence"), [math.log1p(6), 0], rtol=1e-4)


def test_an_id_seen_once_says_nothing_of_its_rhythm():
    graphs = one_graph(six_frames())
    alone = dict(zip(NODE_FEATURES, graphs.x[2], strict=True))
    assert alone["gap_median_to_min"] == alone["gap_even_to_min"] == np.float32(np.log1p(1.0))
    assert alone["silence"] == alone["dominance"] == alone["byte_change"] == 0


# --- against the reference ----------------------------------------------------------------------


@st.composite
def windows(draw) -> pd.DataFrame:
    num_frames = draw(st.integers(2, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    num_ids = draw(st.integers(1, 12))
    ids = generator.integers(0, 2 ** draw(st.sampled_from([11, 29])), num_ids)
    steps = generator.integers(draw(st.sampled_from([-200, 0])), 400, num_frames)
    steps *= generator.integers(0, 2, num_frames)
    highest = draw(st.sampled_from([1, 2, 256]))
    return table(
        timestamp=1.5e9 + np.cumsum(steps) * 1e-5,
        arbitration_id=ids[generator.integers(0, num_ids, num_frames)],
        payloads=[
            generator.integers(0, highest, generator.integers(0, 9)).astype(np.uint8).tobytes()
            for _ in range(num_frames)
        ],
    )


@settings(max_examples=200, deadline=None)
@given(frames=windows())
def test_any_window_equals_the_reference(frames):
    graphs = one_graph(frames)
    assert np.isfinite(graphs.x).all()
    assert np.isfinite(graphs.edge_attr).all()
    assert_equals_reference(graphs, 0, frames)


@settings(max_examples=30, deadline=None)
@given(frames=windows(), data=st.data())
def test_a_graph_depends_on_its_own_frames_alone(frames, data):
    window = data.draw(st.integers(2, len(frames)))
    starts = window_starts(len(frames), window, stride=3)
    graphs = build_graphs(frames, starts, window)
    for graph, start in enumerate(starts):
        assert_equals_reference(graphs, graph, frames.iloc[start : start + window])


def test_the_scale_of_time_and_the_ids_values_do_not_matter():
    frames = six_frames()
    slower = frames.assign(timestamp=frames["timestamp"] * 50 + 1000)
    renamed = frames.assign(arbitration_id=(frames["arbitration_id"] * 7 + 3).astype("uint32"))
    np.testing.assert_allclose(one_graph(slower).x, one_graph(frames).x, atol=1e-3)
    np.testing.assert_array_equal(one_graph(renamed).x, one_graph(frames).x)


def test_no_window_gives_no_graph():
    graphs = build_graphs(six_frames(), window_starts(6, 7, 1), 7)
    assert graphs.x.shape == (0, len(NODE_FEATURES))
    assert graphs.node_offsets.tolist() == graphs.edge_offsets.tolist() == [0]


def test_graphs_repeat_bit_for_bit():
    frames = six_frames()
    one, two = one_graph(frames), one_graph(frames.copy())
    for name in ("x", "edge_attr", "edge_index", "arbitration_id"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@pytest.mark.parametrize(
    ("dataset", "capture"),
    [
        ("hcrl_sa", "train_02_with_attacks/DoS-kia"),
        ("set_01", "train_02_with_attacks/targeted_payload_fuzzing-2"),
    ],
)
def test_real_windows_equal_the_reference(real_captures, dataset, capture):
    frames, _ = read_capture(find_captures(real_captures / dataset)[capture], bad_row_share=0.0)
    starts = window_starts(len(frames), 100, 100)
    graphs = build_graphs(frames, starts, 100)
    assert np.isfinite(graphs.x).all()
    assert np.isfinite(graphs.edge_attr).all()
    backwards = np.flatnonzero(np.diff(frames["timestamp"]) < 0) // 100
    chosen = np.unique([*range(0, len(starts), 97), *backwards[:5]])
    for graph in chosen[chosen < len(starts)]:
        start = starts[graph]
        assert_equals_reference(graphs, graph, frames.iloc[start : start + 100])


def test_kernels_count_bits_and_bytes():
    absent = [ABSENT] * 6
    payload = np.array([[0xFF, 0, *absent], [0x0F, ABSENT, *absent], [ABSENT] * 8], np.int16)
    words, lengths = pack_payload(payload)
    assert words.tolist() == [0xFF, 0x0F, 0]
    assert lengths.tolist() == [2, 1, 0]
    assert bits_changed(words[0], words[1], 2, 1) == 4 + 8
    assert bytes_changed(words[0], words[1], 2, 1) == 2
    assert bits_changed(words[0], words[2], 2, 0) == 16
    assert bytes_changed(np.uint64(2**63), np.uint64(1), 8, 8) == 2


@settings(deadline=None)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=100))
def test_the_median_is_that_of_numpy(values):
    assert median(np.array(values), len(values)) == pytest.approx(np.median(values))


@settings(deadline=None)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=100), spare=st.integers(0, 5))
def test_the_extent_is_that_of_numpy(values, spare):
    room = np.array([*values, *[0.5] * max(spare, NETWORK - len(values))])
    expected = [min(values), np.median(values), max(values)]
    assert extent(room, len(values)) == pytest.approx(expected)


def test_a_remote_frame_has_a_dlc_and_no_bytes():
    """Two frames of 5: the second asks for 8 bytes. All but the dlc counts the bytes."""
    payload = np.full((2, 8), ABSENT, np.int16)
    payload[0, :2] = 0xFF
    frames = frame_table(
        np.array([0.0, 0.1]), np.array([5, 5]), np.array([2, 8]), payload, np.zeros(2, int),
        is_remote=np.array([False, True]),
    )  # fmt: skip
    assert_equals_reference(one_graph(frames), 0, frames)
    assert feature(one_graph(frames), "dlc_change")[0] == 1
    assert feature(one_graph(frames), "set_bit_share")[0] == 1
    assert feature(one_graph(frames), "byte_change")[0] == 1


def test_features_see_the_first_8_bytes_of_a_long_frame():
    payload = np.full((3, 64), ABSENT, np.int16)
    payload[:, :12] = 1
    payload[:, 8:12] = np.arange(3)[:, None]
    frames = frame_table(
        np.arange(3) / 10, np.full(3, 5), np.full(3, 12), payload, np.zeros(3, int)
    )
    assert_equals_reference(one_graph(frames), 0, frames)
    assert feature(one_graph(frames), "byte_change")[0] == 0


# --- against a profile --------------------------------------------------------------------------


def regular(num_frames: int) -> pd.DataFrame:
    """0x10 and 0x20 in turn, each every 10 ms, the first with a counter in byte 1."""
    return table(
        timestamp=np.arange(num_frames) * 0.005,
        arbitration_id=np.where(np.arange(num_frames) % 2, 0x20, 0x10),
        payloads=[b"\x07\x07" if n % 2 else bytes([0x05, n // 2 % 256]) for n in range(num_frames)],
    )


def against(profile: Profile, frames: pd.DataFrame, start: int, window: int) -> dict:
    graphs = build_graphs(frames, np.array([start]), window, profile)
    columns = range(len(WINDOW_FEATURES), len(NODE_FEATURES))
    return {NODE_FEATURES[column]: graphs.x[:, column] for column in columns}


def test_benign_traffic_says_nothing_against_its_own_profile():
    frames = regular(60)
    x = against(Profile.empty().update(frames.iloc[:40]), frames, 40, 20)
    for name, values in x.items():
        expected = 1.0 if name == "has_profile" else 0.0
        if not name.startswith("payload_novelty"):  # the counter goes on
            np.testing.assert_allclose(values, expected, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(x["payload_novelty"], [0.5, 0])


def test_six_frames_against_a_profile_by_hand():
    """After 40 regular frames: 0x10 4 ms early with a new byte, silence, then an unknown ID."""
    known, log1p = regular(40), np.log1p
    attacked = table(
        timestamp=[*np.arange(40) * 0.005, 0.196, 0.205, 0.206, 0.240],
        arbitration_id=[*known["arbitration_id"], 0x10, 0x20, 0x10, 0x30],
        payloads=[
            *[b"\x07\x07" if n % 2 else bytes([0x05, n // 2]) for n in range(40)],
            b"\xff\x05", b"\x07\x07", b"\x05\x05", b"",
        ],
    )  # fmt: skip
    x = against(Profile.empty().update(known), attacked, 40, 4)
    # 0x10 was last seen at 190 ms: gaps of 6 and 10 ms, then 34 ms without one; usual is 10 ms.
    # 0x20 was last seen at 195 ms: one gap of 10 ms, then 35 ms without one.
    expected = {
        "has_profile": [1, 1, 1],
        "unknown_to_profile": [0, 0, 1],
        "profile_gap_min": [np.log(0.6), 0, 0],
        "profile_gap_mean": [np.log(0.8), 0, 0],
        "profile_gap_max": [0, 0, 0],
        "profile_gap_spread": [log1p(0.2), 0, 0],
        "profile_gap_record": [log1p(10 / 6 - 1), 0, 0],
        # 4 ms early; 19 gaps of 10 ms and one that is 10 ms off: 10 ms / sqrt(20).
        "profile_gap_surprise": [log1p(4 / (10 / np.sqrt(20))), 0, 0],
        "profile_early_share": [0, 0, 0],
        "profile_silence": [log1p(3.4 - 1), log1p(3.5 - 1), 0],
        # 0xff is new in one of the four bytes of 0x10.
        "payload_novelty": [1 / 4, 0, 0],
        "payload_novelty_max": [1 / 2, 0, 0],
        # Usually byte 1 changes and byte 0 does not: 1 of 2. Here 2 of 2, then 1 of 2.
        "payload_change": [((2 - 1) / 2 + (1 - 1) / 2) / 2, 0, 0],
        "payload_change_max": [1 / 2, 0, 0],
        "payload_freeze_max": [1 / 2, 0, 0],
        "dlc_mismatch": [0, 0, 0],
        "profile_share": [np.log(3 / 3), np.log(2 / 3), 0],
        "suspicious_frames": [log1p(1)] * 3,
        "silent_ids": [0, 0, 0],
        "silence_max": [0, 0, 0],
    }
    assert tuple(expected) == PROFILE_FEATURES
    for name, values in expected.items():
        np.testing.assert_allclose(x[name], values, atol=1e-3, err_msg=name)


def test_an_attack_cut_by_the_edge_of_the_window_keeps_its_evidence():
    """The frame before the window is the car's own, the first of the window is forged."""
    frames = regular(60)
    frames.loc[40, "timestamp"] = frames.loc[38, "timestamp"] + 0.006
    x = against(Profile.empty().update(frames.iloc[:30]), frames, 40, 4)
    np.testing.assert_allclose(x["profile_gap_min"][0], np.log(0.6), atol=1e-3)


def test_a_frame_on_time_is_not_early_because_of_a_forged_one_before_the_window():
    """At 196 ms somebody sends 0x10, 4 ms before its own frame is due: that one is benign."""
    known = regular(60)
    forged = table([0.196], [0x10], [b"\xff\xff"])
    frames = pd.concat([known.iloc[:40], forged, known.iloc[40:]], ignore_index=True)
    profile = Profile.empty().update(known)
    alone = against(profile, known, 40, 4)
    for name, values in against(profile, frames, 41, 4).items():
        np.testing.assert_allclose(values, alone[name], atol=1e-5, err_msg=name)
    shows = against(profile, frames, 40, 4)
    np.testing.assert_allclose(shows["profile_gap_min"][0], np.log(0.4), atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    forged=st.lists(st.tuples(st.integers(1, 59), st.floats(-0.02, 0.02)), max_size=20),
    jitter=st.sampled_from([0.0, 0.0004, 0.0012]),
    missing=st.sets(st.integers(20, 119), max_size=30),
    window=st.integers(2, 20),
    num_known=st.sampled_from([20, 120]),
)
def test_forged_frames_between_regular_ones_equal_the_reference(
    forged, jitter, missing, window, num_known
):
    """Forged frames of 0x10 lie up to two periods around the times when it is due."""
    own = regular(120)
    own["timestamp"] += jitter * np.sin(7.0 * np.arange(120))
    sent = [0.01 * number + shift for number, shift in forged]
    added = table(sent, [0x10] * len(sent), [b"\x02\x02"] * len(sent))
    frames = pd.concat([own.drop(index=list(missing)), added])
    frames = frames.sort_values("timestamp", ignore_index=True)
    profile = Profile.empty().update(own.iloc[:num_known])
    starts = window_starts(len(frames), window, 2)
    graphs = build_graphs(frames, starts, window, profile)
    for graph, start in enumerate(starts):
        rows = slice(graphs.node_offsets[graph], graphs.node_offsets[graph + 1])
        expected = reference_profile(frames, int(start), window, profile)
        wanted = [[x.get(name, 0.0) for name in PROFILE_FEATURES] for x in expected.values()]
        found = graphs.x[rows, len(WINDOW_FEATURES) :]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
        rule_count = reference_rule_count(frames, int(start), window, profile)
        assert graphs.rule_count[graph] == rule_count


def test_an_id_that_the_window_lacks_is_missed():
    frames = regular(40)
    silenced = pd.concat([frames, regular(80).iloc[40:].query("arbitration_id == 16")])
    x = against(Profile.empty().update(frames), silenced.reset_index(drop=True), 40, 20)
    # 0x20 was last seen at 195 ms, the window ends at 390 ms.
    np.testing.assert_allclose(x["silent_ids"], [np.log1p(1)], rtol=1e-6)
    np.testing.assert_allclose(x["silence_max"], [np.log(195 / 10)], atol=1e-3)


def test_an_empty_profile_knows_no_id():
    x = against(Profile.empty(), regular(20), 0, 20)
    assert x["unknown_to_profile"].tolist() == [1, 1]
    np.testing.assert_allclose(x["suspicious_frames"], np.log1p(20))


@settings(max_examples=100, deadline=None)
@given(learned=windows(), seen=windows(), data=st.data())
def test_any_window_against_a_profile_equals_the_reference(learned, seen, data):
    known = seen["arbitration_id"].unique()[: data.draw(st.integers(0, 12))]
    learned = pd.concat([learned, *[seen[seen["arbitration_id"].isin(known)]] * 3])
    profile = Profile.empty().update(learned.reset_index(drop=True))
    window = data.draw(st.integers(2, len(seen)))
    starts = window_starts(len(seen), window, data.draw(st.integers(1, 5)))
    if data.draw(st.booleans()):
        starts = starts[::-1].copy()
    graphs = build_graphs(seen, starts, window, profile)
    assert np.isfinite(graphs.x).all()
    for graph, start in enumerate(starts):
        rows = slice(graphs.node_offsets[graph], graphs.node_offsets[graph + 1])
        expected = reference_profile(seen, int(start), window, profile)
        assert graphs.arbitration_id[rows].tolist() == list(expected)
        wanted = [[x.get(name, 0.0) for name in PROFILE_FEATURES] for x in expected.values()]
        found = graphs.x[rows, len(WINDOW_FEATURES) :]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    without = build_graphs(seen, starts, window)
    np.testing.assert_array_equal(graphs.edge_attr, without.edge_attr)
    columns = slice(0, len(WINDOW_FEATURES))
    np.testing.assert_array_equal(graphs.x[:, columns], without.x[:, columns])


def test_blocks_give_the_same_graphs(monkeypatch):
    frames = regular(100)
    profile = Profile.empty().update(frames.iloc[:30])
    starts = window_starts(100, 7, 3)
    whole = build_graphs(frames, starts, 7, profile)
    monkeypatch.setattr("kdgat.can.graphs.BLOCK", 4)
    assert len(list(iterate_graphs(Recording.of(frames), starts, 7, profile))) == 8
    pieces = build_graphs(frames, starts, 7, profile)
    for name in (field.name for field in fields(Graphs)):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))
