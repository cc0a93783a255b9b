"""A recording and an attacker's frames on one bus.

Added frames go through bus arbitration with the recorded ones. A recorded frame wants the bus
when its recorded transmission began (its timestamp less its time on the bus, or less the gap to
the frame before where that is shorter); an added one when the attacker chose to send. Sending is
not interrupted, and of those that wait the lowest arbitration ID goes first. So recorded frames
keep their timestamps wherever no added frame is in the way, are delayed by as much as the bus
needs where one is, and never get lost. Every timestamp is rounded to 1 µs, as logs are.
"""

import numpy as np

from kdgat.can.attackers import Added
from kdgat.can.bus import LONGEST_FRAME, SHORTEST_FRAME, arbitrate, frame_time, priority
from kdgat.can.frames import STANDARD_IDS
from kdgat.can.recording import Recording, rows
from kdgat.can.traffic import Traffic


def merge(traffic: Traffic, added: Added) -> Recording:
    """Send recorded and added frames over one bus (see the head of this module).

    Returns:
        Frames in the order of the bus; label 1 on the added ones.
    """
    recording, num_added = traffic.recording, len(added.ready)
    # In ns, so that frames with equal timestamps stay in recorded order.
    time = 1000 * traffic.time + _place_among_equals(traffic.time)
    longest = 1000 * traffic.time_on_bus
    duration = np.minimum(longest, np.diff(time, prepend=time[0] - longest[0]))
    added_duration = np.minimum(
        1000 * frame_time(added.arbitration_id, added.dlc, added.payload, traffic.bitrate),
        _longest_added(traffic),
    )
    ready = np.concatenate([time - duration, 1000 * added.ready])
    durations = np.concatenate([duration, added_duration])
    arbitration_id = np.concatenate([recording.arbitration_id, added.arbitration_id])
    by_time = np.argsort(ready, kind="stable")
    order, end = arbitrate(ready[by_time], durations[by_time], priority(arbitration_id)[by_time])
    source = by_time[order]
    channels = len(recording.channels)
    most = np.bincount(recording.channel, minlength=channels).argmax()
    return Recording(
        timestamp=np.rint(end / 1000) / 1e6,
        arbitration_id=arbitration_id[source],
        dlc=np.concatenate([recording.dlc, added.dlc.astype(np.uint8)])[source],
        payload=rows(np.concatenate([recording.payload, added.payload]), source),
        is_extended=np.concatenate(
            [recording.is_extended, added.arbitration_id >= STANDARD_IDS],
        )[source],
        is_remote=np.concatenate([recording.is_remote, np.zeros(num_added, bool)])[source],
        attack=(source >= len(time)).astype(np.uint8),
        channel=np.concatenate(
            [recording.channel, np.full(num_added, most, recording.channel.dtype)]
        )[source],
        channels=recording.channels,
    )


def _place_among_equals(time: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, ... within each run of equal times."""
    place = np.arange(len(time))
    begins = np.diff(time, prepend=time[0] - 1) > 0
    return place - np.maximum.accumulate(np.where(begins, place, 0))


def _longest_added(traffic: Traffic) -> int:
    """Return the longest time an added frame may take, ns.

    A logger that hands over frames in batches stamps them closer together than any bus could
    send them. Added frames of full length would stand out there: they get the recording's median
    gap instead.
    """
    full = round(1e9 * LONGEST_FRAME / traffic.bitrate)
    if len(traffic.time) < 2:
        return full
    median_gap = float(np.median(np.diff(traffic.time)))
    return int(1000 * median_gap) if median_gap * traffic.bitrate < 1e6 * SHORTEST_FRAME else full
