import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdgat.can.bus import arbitrate, frame_bits, frame_time, priority


def reference_bits(arbitration_id: int, data: bytes) -> int:
    """Write the frame out as text, as ISO 11898-1 draws it, and count."""
    if arbitration_id < 2**11:
        text = f"0{arbitration_id:011b}000"
    else:
        text = f"0{arbitration_id >> 18:011b}11{arbitration_id & 0x3FFFF:018b}000"
    text += f"{len(data):04b}" + "".join(f"{byte:08b}" for byte in data)
    remainder = int(text + "0" * 15, 2)
    for shift in range(len(text) - 1, -1, -1):
        if remainder >> (shift + 15) & 1:
            remainder ^= 0b1100010110011001 << shift
    text += f"{remainder:015b}"
    sent = ""
    for bit in text:
        sent += bit
        if sent[-5:] in ("00000", "11111"):
            sent += "1" if bit == "0" else "0"
    return len(sent) + 13


def bits_of(arbitration_id: int, data: bytes) -> int:
    payload = np.full((1, 8), -1, np.int16)
    payload[0, : len(data)] = list(data)
    return int(frame_bits(np.array([arbitration_id]), np.array([len(data)]), payload)[0])


def test_a_frame_of_zeros_by_hand():
    # 34 zeros, CRC 0 included: a stuff bit after every five makes 6; 13 bits follow unstuffed.
    assert bits_of(0, b"") == 34 + 6 + 13


def test_eight_bytes_of_zeros_by_hand():
    # 1 + 11 + 3 zeros, then dlc 1000, then zeros: only the CRC is not plain to see.
    assert 111 + 15 <= bits_of(0, bytes(8)) <= 111 + 24


@settings(deadline=None)
@given(st.integers(0, 2**29 - 1) | st.integers(0, 2**11 - 1), st.binary(max_size=8))
def test_bits_agree_with_the_written_out_frame(arbitration_id, data):
    assert bits_of(arbitration_id, data) == reference_bits(arbitration_id, data)


@pytest.mark.parametrize(("bitrate", "expected"), [(500_000, 106), (125_000, 424), (300_000, 177)])
def test_time_on_the_bus_in_microseconds(bitrate, expected):
    payload = np.full((1, 8), -1, np.int16)
    assert frame_time(np.array([0]), np.array([0]), payload, bitrate).tolist() == [expected]


def test_arbitration_by_hand():
    #         sends at once | lower ID overtakes | waited longest | after it | bus was idle
    ready = np.array([0, 1, 2, 25, 100])
    rank = np.array([5, 9, 3, 9, 7])
    order, end = arbitrate(ready, np.full(5, 10), rank)
    assert order.tolist() == [0, 2, 1, 3, 4]
    assert end.tolist() == [10, 20, 30, 40, 110]


def test_sending_is_not_interrupted():
    order, end = arbitrate(np.array([0, 1]), np.array([50, 10]), np.array([9, 0]))
    assert order.tolist() == [0, 1]
    assert end.tolist() == [50, 60]


def test_equal_ids_are_sent_in_order_of_arrival():
    order, _ = arbitrate(np.array([0, 1, 2, 3]), np.full(4, 10), np.array([1, 4, 4, 4]))
    assert order.tolist() == [0, 1, 2, 3]


def test_arbitration_of_no_frames():
    order, end = arbitrate(*np.zeros((3, 0), np.int64))
    assert len(order) == len(end) == 0


def test_standard_wins_against_extended_with_the_same_first_bits():
    standard, extended, lower = priority(np.array([0x100, 0x100 << 18, 0x0FF << 18]))
    assert lower < standard < extended


@settings(deadline=None)  # the first call may compile
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 7)), min_size=1, max_size=60))
def test_nothing_is_lost_early_or_overlapping(frames):
    frames.sort(key=lambda frame: frame[0])
    ready = np.array([time for time, _ in frames])
    rank = np.array([number for _, number in frames])
    order, end = arbitrate(ready, np.full(len(frames), 10), rank)
    assert sorted(order.tolist()) == list(range(len(frames)))
    assert (end - 10 >= ready[order]).all()
    assert (np.diff(end) >= 10).all()
