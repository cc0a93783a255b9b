"""Graphs: six frames by hand, and the kernels against a slow, obvious reference."""

import math
import statistics
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can import graph_features
from kdgat.can.captures import find_captures, read_capture
from kdgat.can.frames import ABSENT, frame_table, payload
from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES, Graphs, build_graphs
from kdgat.can.windows import window_starts

TICK = 1e-6


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


# --- the reference: dictionaries and lists, one ID after another -------------------------------


def ratio(time, reference):
    return (time + TICK) / (reference + TICK)


def excess(count, others):
    return math.log1p(max(0.0, count / max([1, *others]) - 1.0))


def payloads_of(frames):
    return [tuple(int(v) for v in row if v != ABSENT) for row in payload(frames)]


def bits_between(one, other):
    shared = sum((a ^ b).bit_count() for a, b in zip(one, other, strict=False))
    return shared + 8 * abs(len(one) - len(other))


def bytes_between(one, other):
    shared = sum(a != b for a, b in zip(one, other, strict=False))
    return shared + abs(len(one) - len(other))


def reference_graph(frames: pd.DataFrame):
    """Return {ID: node features} and {(source ID, target ID): edge features} of one window."""
    timestamp, ids = frames["timestamp"].tolist(), frames["arbitration_id"].tolist()
    data = payloads_of(frames)
    gaps = [max(0.0, after - before) for before, after in pairwise(timestamp)]
    clock = [sum(gaps[:place]) for place in range(len(timestamp))]
    places = defaultdict(list)
    for place, number in enumerate(ids):
        places[number].append(place)
    departures = defaultdict(list)
    for place in range(len(ids) - 1):
        departures[ids[place], ids[place + 1]].append(place)
    counts = Counter(ids)
    nodes = {
        number: reference_node(number, where, counts, departures, gaps, clock, data)
        for number, where in sorted(places.items())
    }
    edges = {
        edge: reference_edge(edge, where, departures, gaps, data)
        for edge, where in sorted(departures.items())
    }
    return nodes, edges


def reference_node(number, where, counts, departures, gaps, clock, data):
    x = dict.fromkeys(NODE_FEATURES, 0.0)
    x["dominance"] = excess(len(where), [n for other, n in counts.items() if other != number])
    x |= reference_rhythm(where, clock)
    median = statistics.median(gaps)
    before = [gaps[place - 1] for place in where if place > 0] or [median]
    after = [gaps[place] for place in where if place < len(gaps)] or [median]
    x["bus_gap_mean"] = math.log1p(ratio(statistics.fmean(before), median))
    x["bus_gap_next"] = math.log1p(ratio(statistics.fmean(after), median))
    following = {target for source, target in departures if source == number}
    preceding = {source for source, target in departures if target == number}
    num_left = sum(len(w) for (source, _), w in departures.items() if source == number)
    if following:
        x["self_loop_share"] = len(departures.get((number, number), [])) / num_left
        x["reciprocity"] = len(following & preceding) / len(following)
    x |= reference_change([data[place] for place in where])
    x |= reference_content([data[place] for place in where])
    return [x[name] for name in NODE_FEATURES]


def reference_rhythm(where, clock):
    even = math.log1p(1.0)
    x = {"gap_median_to_min": even, "gap_max_to_median": even, "gap_even_to_min": even}
    if len(where) == 1:
        return x
    duration = clock[-1]
    own = [clock[b] - clock[a] for a, b in pairwise(where)]
    silence = max(clock[where[0]], duration - clock[where[-1]])
    x["gap_median_to_min"] = math.log1p(ratio(statistics.median(own), min(own)))
    x["gap_max_to_median"] = math.log1p(ratio(max(own), statistics.median(own)))
    x["gap_variation"] = math.log1p(statistics.pstdev(own) / (statistics.fmean(own) + TICK))
    x["gap_even_to_min"] = math.log1p(ratio(duration / len(where), min(own)))
    x["short_gap_share"] = statistics.fmean(gap < 0.5 * duration / len(where) for gap in own)
    x["silence"] = math.log1p(max(0.0, ratio(silence, max(own)) - 1.0))
    return x


def reference_change(data):
    longest = max(map(len, data))
    if len(data) == 1 or longest == 0:
        return {}
    bits = [bits_between(a, b) for a, b in pairwise(data)]
    x = {
        "byte_change": statistics.fmean(bytes_between(a, b) / longest for a, b in pairwise(data)),
        "bit_change_max": max(bits) / (8 * longest),
        "bit_change_surge": (max(bits) - statistics.median(bits)) / (8 * longest),
        "bit_change_drop": (statistics.median(bits) - min(bits)) / (8 * longest),
    }
    if len(data) > 2:
        last = statistics.fmean(bits)
        last_but_one = statistics.fmean(
            bits_between(a, b) for a, b in zip(data, data[2:], strict=False)
        )
        x["payload_return"] = (last - last_but_one) / (last + last_but_one + 1)
    return x


def reference_content(data):
    values = [value for row in data for value in row]
    x = {}
    if values:
        x["zero_byte_share"] = values.count(0) / len(values)
        x["set_bit_share"] = sum(value.bit_count() for value in values) / (8 * len(values))
    if len(values) > 1:
        shares = [count / len(values) for count in Counter(values).values()]
        entropy = -sum(share * math.log2(share) for share in shares)
        x["byte_entropy"] = entropy / math.log2(min(256, len(values)))
    if len(data) > 1:
        x["dlc_change"] = statistics.fmean(len(a) != len(b) for a, b in pairwise(data))
    return x


def reference_edge(edge, where, departures, gaps, data):
    num_taken, num_back = len(where), len(departures.get(edge[::-1], []))
    others = [len(w) for other, w in departures.items() if other != edge]
    times = [gaps[place] for place in where]
    median = statistics.median(gaps)
    features = {
        "edge_share": num_taken / len(gaps),
        "edge_dominance": excess(num_taken, others),
        "self_loop": float(edge[0] == edge[1]),
        "edge_reciprocity": min(num_taken, num_back) / max(num_taken, num_back),
        "same_payload": statistics.fmean(data[place] == data[place + 1] for place in where),
        "edge_gap_min": math.log1p(ratio(min(times), median)),
        "edge_gap_mean": math.log1p(ratio(statistics.fmean(times), median)),
        "edge_gap_max": math.log1p(ratio(max(times), median)),
    }
    return [features[name] for name in EDGE_FEATURES]


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
    assert tuple(expected) == NODE_FEATURES
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
    one, other = np.array([0xFF, 0, *absent]), np.array([0x0F, *[ABSENT] * 7])
    assert graph_features.bits_changed(one, other) == 4 + 8
    assert graph_features.bytes_changed(one, other) == 2
