"""The features once more, slow and obvious: dictionaries and lists, one ID after another.

Tests compare the compiled kernels with it, benchmarks measure them against it.
"""

import math
import statistics
from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd

from kdgat.can.frames import ABSENT, payload
from kdgat.can.graphs import EDGE_FEATURES, NODE_FEATURES
from kdgat.can.profile import Profile

TICK = 1e-6
NO_ROW = -1


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
    """Return {ID: node features} and {(source ID, target ID): edge features} of one window.

    Without a profile; `reference_profile` gives what it adds.
    """
    timestamp, ids = frames["timestamp"].tolist(), frames["arbitration_id"].tolist()
    data, dlc = payloads_of(frames), frames["dlc"].tolist()
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
        number: reference_node(number, where, counts, departures, gaps, clock, data, dlc)
        for number, where in sorted(places.items())
    }
    edges = {
        edge: reference_edge(edge, where, departures, gaps, data)
        for edge, where in sorted(departures.items())
    }
    return nodes, edges


def reference_node(number, where, counts, departures, gaps, clock, data, dlc):
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
    x |= reference_content([data[place] for place in where], [dlc[place] for place in where])
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


def reference_content(data, dlc):
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
        x["dlc_change"] = statistics.fmean(a != b for a, b in pairwise(dlc))
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


def reference_profile(
    capture: pd.DataFrame, start: int, window: int, profile: Profile
) -> dict[int, dict[str, float]]:
    """Return {ID: features against the profile} of one window of a capture."""
    ids, timestamp = capture["arbitration_id"].tolist(), capture["timestamp"].tolist()
    steps = [max(0.0, after - before) for before, after in pairwise(timestamp)]
    clock = np.concatenate([[0.0], np.cumsum(steps)]).tolist()
    rows = {number: row for row, number in enumerate(profile.arbitration_id.tolist())}
    end = start + window
    members = defaultdict(list)
    for frame in range(start, end):
        members[ids[frame]].append(frame)
    nodes, suspicious = {}, 0
    for number, where in sorted(members.items()):
        if number not in rows:
            nodes[number] = {"has_profile": 1.0, "unknown_to_profile": 1.0}
            suspicious += len(where)
            continue
        row = rows[number]
        before = {frame: last_frame(ids, number, frame) for frame in where}
        before[where[0]] = frame_followed(ids, number, where[0], clock, row, profile)
        x, early = profile_rhythm(where, before, clock, end, row, profile)
        suspicious += early
        x |= profile_bytes(where, before, capture, row, profile)
        x["has_profile"] = 1.0
        expected = profile.share[row] * window
        x["profile_share"] = math.log((len(where) + 1) / (expected + 1))
        nodes[number] = x
    silences = profile_silences(ids, clock, start, end, profile)
    for x in nodes.values():
        x["suspicious_frames"] = math.log1p(suspicious)
        x["silent_ids"] = math.log1p(sum(excess > 0 for excess in silences))
        x["silence_max"] = math.log1p(max([0.0, *silences]))
    return nodes


def reference_rule_count(capture: pd.DataFrame, start: int, window: int, profile: Profile) -> int:
    """Return the frames of one window that the two-line rule counts; timestamps must ascend."""
    ids, timestamp = capture["arbitration_id"].tolist(), capture["timestamp"].tolist()
    usual = dict(zip(profile.arbitration_id.tolist(), profile.gap_mean.tolist(), strict=True))
    count = 0
    for frame in range(start, start + window):
        last = last_frame(ids, ids[frame], frame)
        is_early = last != NO_ROW and (
            timestamp[frame] - timestamp[last] < 0.5 * usual.get(ids[frame], 0.0)
        )
        count += ids[frame] not in usual or is_early
    return count


def last_frame(ids, number, frame):
    """Return the last frame of an ID before `frame`, -1 if there is none."""
    return next((f for f in range(frame - 1, -1, -1) if ids[f] == number), NO_ROW)


def frame_followed(ids, number, frame, clock, row, profile):
    """Return the frame that a window's first frame of an ID follows, -1 if there is none."""
    usual, spread = profile.gap_mean[row], profile.gap_std[row]
    answer = last_frame(ids, number, frame)
    if profile.gap_count[row] < 10 or usual == 0 or spread > 0.1 * usual:
        return answer
    tolerance = max(0.1 * usual, 3 * spread)
    due, seen, on_time = None, None, {}
    period = 0
    for place in range(frame + 1):
        if ids[place] != number:
            continue
        if seen is None or clock[place] - seen > 5 * usual:
            due = seen = clock[place]
            period += 2
            on_time[period] = (0.0, place)
            continue
        steps = int(np.rint((clock[place] - due) / usual))
        if steps > 0:
            due += steps * usual + 0.1 * on_time.get(period, (0.0, None))[0]
            period += steps
        delay = clock[place] - due
        near = abs(delay) <= tolerance
        if near and (period not in on_time or abs(delay) < abs(on_time[period][0])):
            seen, on_time[period] = clock[place], (delay, place)
            if place == frame and period - 1 in on_time:
                return on_time[period - 1][1]
    return answer


def profile_rhythm(where, before, clock, end, row, profile):
    gaps = [clock[frame] - clock[before[frame]] for frame in where if before[frame] != NO_ROW]
    silence = max([clock[end - 1] - clock[where[-1]], *gaps])
    longest = profile.longest_silence[row]
    x = {"profile_silence": math.log1p(max(0.0, ratio(silence, longest) - 1))}
    if not gaps or profile.gap_count[row] == 0:
        return x, 0
    usual = profile.gap_mean[row]
    early = sum(gap < 0.5 * usual for gap in gaps)
    x["profile_gap_min"] = math.log(ratio(min(gaps), usual))
    x["profile_gap_mean"] = math.log(ratio(statistics.fmean(gaps), usual))
    x["profile_gap_max"] = math.log(ratio(max(gaps), usual))
    spread = math.log1p(ratio(statistics.pstdev(gaps), usual))
    x["profile_gap_spread"] = spread - math.log1p(ratio(profile.gap_std[row], usual))
    record = ratio(profile.gap_min[row], min(gaps)) - 1
    x["profile_gap_record"] = math.log1p(max(0.0, record))
    known = profile.gap_count[row]
    spread = math.sqrt((known * profile.gap_std[row] ** 2 + usual**2) / (known + 1))
    x["profile_gap_surprise"] = math.log1p(max(0.0, usual - min(gaps)) / (spread + TICK))
    x["profile_early_share"] = early / len(where)
    return x, early


def profile_bytes(where, before, capture, row, profile):
    data, dlc = payload(capture).tolist(), capture["dlc"].tolist()
    low, high = profile.byte_min[row].tolist(), profile.byte_max[row].tolist()
    rate = profile.change_rate[row].tolist()
    new = {
        frame: [not low[p] <= v <= high[p] for p, v in enumerate(data[frame]) if v != ABSENT]
        for frame in where
    }
    outside = [flag for flags in new.values() for flag in flags]
    wrong = [not profile.dlc_min[row] <= dlc[frame] <= profile.dlc_max[row] for frame in where]
    x = {
        "payload_novelty": statistics.fmean(outside) if outside else 0.0,
        "payload_novelty_max": max([0.0, *(statistics.fmean(f) for f in new.values() if f)]),
        "dlc_mismatch": statistics.fmean(wrong),
    }
    changes, unlikely, frozen = [], [0.0], [0.0]
    for frame in where:
        if before[frame] == NO_ROW:
            continue
        pairs = list(zip(data[before[frame]], data[frame], rate, strict=True))
        touched = sum(a != ABSENT or b != ABSENT for a, b, _ in pairs)
        if touched:
            changed = sum(a != b for a, b, _ in pairs)
            changes.append((changed - sum(rate)) / touched)
            unlikely.append(sum(1 - r for a, b, r in pairs if a != b) / touched)
            frozen.append(sum(r for a, b, r in pairs if a == b and b != ABSENT) / touched)
    if changes and profile.gap_count[row]:
        x["payload_change"] = min(1.0, max(-1.0, statistics.fmean(changes)))
        x["payload_change_max"], x["payload_freeze_max"] = max(unlikely), max(frozen)
    return x


def profile_silences(ids, clock, start, end, profile):
    """Return by how much each ID that the window lacks exceeds its longest silence."""
    excess = []
    for row, number in enumerate(profile.arbitration_id.tolist()):
        if number in ids[start:end] or profile.gap_count[row] < 10:
            continue
        last = last_frame(ids, number, start)
        silence = clock[end - 1] - (0.0 if last == NO_ROW else clock[last])
        excess.append(ratio(silence, profile.longest_silence[row]) - 1)
    return excess
