"""`kedro score`: one capture judged by one stored model."""

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdgat.errors import KdgatError
from kdgat.model_commands import of_dataset_and_seed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

ALARMS_SHOWN = 20


class KOfN(click.ParamType):
    """`k/n`, two whole numbers."""

    name = "k/n"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Read `2/3` as (2, 3); 1 <= k <= n."""
        found = re.fullmatch(r"(\d+)/(\d+)", str(value))
        k, n = map(int, found.groups()) if found else (0, 0)
        if not 1 <= k <= n:
            self.fail(f"{value!r} is not k/n with 1 <= k <= n, such as 2/3", param, ctx)
        return k, n


@click.command()
@click.argument("model")
@click.argument("capture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--calibration-seconds",
    type=click.FloatRange(min=0.0),
    default=0.0,
    help="So much of the beginning is taken for benign, teaches the car and is not scored "
    "(default: 0, zero-shot).",
)
@click.option(
    "--persistence",
    type=KOfN(),
    default="1/1",
    show_default=True,
    help="k/n: an alarm needs k of the last n windows above the operating point.",
)
@click.option(
    "--bad-row-share",
    type=click.FloatRange(0.0, 1.0),
    default=0.001,
    show_default=True,
    help="Share of malformed rows above which the capture is refused.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write every window to this new CSV file.",
)
@of_dataset_and_seed
def score(
    model: str,
    capture: Path,
    calibration_seconds: float,
    persistence: tuple[int, int],
    bad_row_share: float,
    output: Path | None,
    dataset: str | None,
    seed: int | None,
) -> None:
    """Judge CAPTURE, a log of any format, with MODEL: an exported file, or a stored model."""
    from kdgat import stored_models
    from kdgat.can.captures import read_capture
    from kdgat.can.clock import bus_time
    from kdgat.detector_files import load_detector

    if output is not None and output.exists():
        raise KdgatError(f"{output} is there already: nothing is overwritten")
    if output is not None and not output.parent.is_dir():
        raise KdgatError(f"{output} cannot be written: there is no folder {output.parent}")
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    detector = load_detector(stored_models.resolve(model, dataset=dataset, seed=seed).path)
    frames, bad_rows = read_capture(capture, bad_row_share)
    if len(frames) < detector.window:  # `Detector.score` cannot name the file
        raise KdgatError(
            f"{capture} has {len(frames)} frames: a window of {model} needs {detector.window}"
        )
    windows = detector.score(
        frames, calibration_seconds=calibration_seconds, persistence=persistence
    )
    if "alarm" not in windows:
        raise KdgatError(f"{model} has no operating point: it gives scores, but no verdict")
    if output is not None:
        windows.to_csv(output, index=False, mode="x")
    k, n = persistence
    needed = "" if n == 1 else f"{k} of the last {n} above the operating point; "
    clock = bus_time(frames["timestamp"].to_numpy())
    for line in verdict_lines(windows, clock - clock[0], detector.window):
        click.echo(line)
    click.echo(
        f"{int(windows['persistent_alarm'].sum()):,} of {len(windows):,} windows alarm "
        f"({windows['protocol'].iloc[0]}; {needed}{len(frames):,} frames, "
        f"{len(bad_rows):,} malformed rows left out)"
    )


def verdict_lines(windows: "pd.DataFrame", clock: "NDArray[np.float64]", length: int) -> list[str]:
    """Describe each unbroken run of persistent alarms: when, how many windows, which IDs first.

    The IDs are those of its highest score, which alarms by itself: an alarm begins with one.

    Args:
        windows: as `Detector.score` gives them.
        clock: bus time of each frame since the capture began, s `[num_frames]`.
        length: frames in a window.
    """
    alarm = windows["persistent_alarm"]
    run = (alarm != alarm.shift()).cumsum()
    runs = [part for _, part in windows.groupby(run) if part["persistent_alarm"].iloc[0]]
    lines = [
        f"{clock[part['start'].iloc[0]]:10.3f} s to "
        f"{clock[part['start'].iloc[-1] + length - 1]:10.3f}"
        f" s  {len(part):5,} windows  {part.loc[part['score'].idxmax(), 'offending_ids']}"
        for part in runs[:ALARMS_SHOWN]
    ]
    if len(runs) > ALARMS_SHOWN:
        lines.append(f"... and {len(runs) - ALARMS_SHOWN:,} more: --output writes every window")
    return lines
