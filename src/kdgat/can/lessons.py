"""What stretches of attack-free recordings teach, and which windows are measured against what."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from kdgat.can.clock import bus_time
from kdgat.can.frames import ABSENT
from kdgat.can.profile import Profile
from kdgat.can.recording import Recording
from kdgat.parameters import ProfileDraw

SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 2.0
"""Length of a short lesson, in prefixes: a model must not rely on one length."""

LARGEST_SHARE = 0.45
"""Share of a recording that a short lesson takes at most, so that windows are left beside it."""

RESTING_SHARE = (0.0, 0.2)
"""Share of a car's IDs of which some bytes are made to rest throughout a short lesson, least and
most: in a few seconds a driver does not use every pedal, and their first use is no attack."""

NO_LESSON = -1


@dataclass(frozen=True)
class Lesson:
    """The profile that one stretch of a recording teaches.

    Attributes:
        capture: The recording, `<scenario>/<capture>`.
        start: Bus time of the stretch's first frame, s.
        end: Bus time of its last frame, s.
        profile: What is learned there.
    """

    capture: str
    start: float
    end: float
    profile: Profile


@dataclass(frozen=True)
class Lessons:
    """What is known of one vehicle.

    Attributes:
        long: Halves of recordings; those that a window may meet are merged.
        short: Stretches half to twice as long as a calibration's prefix; a window meets one.
    """

    long: tuple[Lesson, ...] = ()
    short: tuple[Lesson, ...] = ()

    def __add__(self, other: "Lessons") -> "Lessons":
        return Lessons(self.long + other.long, self.short + other.short)

    def some(self, number: int, generator: np.random.Generator) -> "Lessons":
        """Keep all long lessons and a few short ones, drawn at random."""
        chosen = generator.permutation(len(self.short))[:number]
        return Lessons(self.long, tuple(self.short[place] for place in sorted(chosen)))


def learn_lessons(
    capture: str,
    recording: Recording,
    *,
    seconds: float,
    number: int,
    generator: np.random.Generator,
) -> Lessons:
    """Learn both halves of an attack-free recording, and some short stretches of it.

    Args:
        capture: Its name.
        recording: Its frames, without attacks.
        seconds: Length of a calibration's prefix, s; stretches are half to twice as long.
        number: Stretches to learn.
        generator: Draws where they begin and how long they are.
    """
    time = bus_time(recording.timestamp)
    middle, duration = len(time) // 2, time[-1] - time[0]
    halves = (slice(0, middle), slice(middle, len(time)))
    stretches = []
    for _ in range(number):
        span = seconds * np.exp(generator.uniform(*np.log([SHORTEST_SECONDS, LONGEST_SECONDS])))
        span = min(span, LARGEST_SHARE * duration)
        begin = time[0] + generator.uniform(0.0, duration - span)
        stretches.append(slice(*np.searchsorted(time, [begin, begin + span])))
    long, short = (
        tuple(_lesson(capture, recording, time, part) for part in parts if part.stop > part.start)
        for parts in (halves, stretches)
    )
    return Lessons(long, tuple(_at_rest(lesson, generator) for lesson in short))


def assign_profiles(
    capture: str,
    start: np.ndarray,
    end: np.ndarray,
    lessons: Lessons,
    draw: ProfileDraw,
    generator: np.random.Generator,
) -> Iterator[tuple[np.ndarray, Profile | None]]:
    """Deal profiles to windows at random: none, a short stretch's, or all of the vehicle's.

    No window meets a profile that has seen its time: one that overlaps the stretch drawn for it
    is measured against the long lessons, and those that overlap it are left out of them.

    Args:
        capture: Recording of the windows.
        start: float64 `[num_windows]`, bus time of each window's first frame, s.
        end: float64 `[num_windows]`, of its last frame, s.
        lessons: Of its vehicle.
        draw: How often a window meets no profile, and how often a short one.
        generator: Source of randomness.

    Yields:
        Places of windows, int64, ascending, and what they are measured against.
    """
    num_short, num_long = len(lessons.short), len(lessons.long)
    chosen = np.full(len(start), NO_LESSON)
    informed = generator.random(len(start)) >= draw.drop
    is_short = generator.random(len(start)) < draw.short_share
    which = generator.integers(0, max(1, num_short), len(start))
    met, kind = np.unique(_overlaps(capture, start, end, lessons.long), axis=0, return_inverse=True)
    if num_long:
        chosen[informed] = num_short + kind[informed]
    if num_short:
        seen = _overlaps(capture, start, end, lessons.short)[np.arange(len(start)), which]
        short = informed & is_short & ~seen
        chosen[short] = which[short]
    for value in np.unique(chosen):
        places = np.flatnonzero(chosen == value)
        if value == NO_LESSON:
            yield places, None
        elif value < num_short:
            yield places, lessons.short[value].profile
        else:
            yield places, _merged(lessons.long, ~met[value - num_short])


def _lesson(capture: str, recording: Recording, time: np.ndarray, part: slice) -> Lesson:
    profile = Profile.empty().update_with(recording.part(part)).end_recording()
    return Lesson(capture, float(time[part.start]), float(time[part.stop - 1]), profile)


def _at_rest(lesson: Lesson, generator: np.random.Generator) -> Lesson:
    """Let some bytes of some IDs keep one value throughout the lesson."""
    profile = lesson.profile
    resting = generator.random(len(profile)) < generator.uniform(*RESTING_SHARE)
    still = resting[:, None] & (generator.random(profile.byte_last.shape) < 0.5)
    still &= profile.byte_last != ABSENT
    value = profile.byte_last
    learned = replace(
        profile,
        byte_min=np.where(still, value, profile.byte_min),
        byte_max=np.where(still, value, profile.byte_max),
        byte_changes=np.where(still, 0, profile.byte_changes),
    )
    return replace(lesson, profile=learned)


def _overlaps(
    capture: str, start: np.ndarray, end: np.ndarray, lessons: tuple[Lesson, ...]
) -> np.ndarray:
    """Say which windows share time with which lessons: bool `[num_windows, num_lessons]`."""
    same = np.array([lesson.capture == capture for lesson in lessons], bool)
    first = np.array([lesson.start for lesson in lessons], float)
    last = np.array([lesson.end for lesson in lessons], float)
    return same & (start[:, None] <= last) & (end[:, None] >= first)


def _merged(lessons: tuple[Lesson, ...], wanted: np.ndarray) -> Profile | None:
    chosen = [lesson.profile for lesson, take in zip(lessons, wanted, strict=True) if take]
    return reduce(Profile.merge, chosen) if chosen else None
