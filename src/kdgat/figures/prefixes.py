"""What a page of results says of the prefixes that captures were calibrated with."""

import pandas as pd


def prefix_sentences(prefix_report: pd.DataFrame) -> str:
    """Name the prefixes that taught no profile, and those that did though attacks lie in them.

    Args:
        prefix_report: columns capture, frames, complaint (empty or missing: taken for benign),
            surplus_frames and attack_frames (of a kdgat that did not tell these: none are named).

    Returns:
        One sentence, or more.
    """
    counts = prefix_report.reindex(columns=["surplus_frames", "attack_frames"], fill_value=0)
    is_trusted = prefix_report["complaint"].fillna("") == ""
    distrusted = ", ".join(prefix_report["capture"][~is_trusted])
    told = prefix_report.assign(**counts)[is_trusted & counts.any(axis="columns")]
    first = (
        f"Prefixes not taken for benign, so judged without a profile: {distrusted}."
        if distrusted
        else "Every prefix was taken for benign."
    )
    others = [
        f"{row.capture}: by their labels {row.attack_frames:,} of the {row.frames:,} frames of its "
        f"prefix are attacks; its profile leaves out {row.surplus_frames:,} as surplus."
        for row in told.itertuples()
    ]
    return " ".join([first, *others])
