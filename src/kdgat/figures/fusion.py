"""Which detector the fusion agent trusts, over what the two detectors say."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from kdgat.figures.style import ATTACK, BENIGN, house_style, require_columns

# Perceived lightness rises evenly, and it reads the same for colour-blind readers.
WEIGHT_COLOURS = "cividis"


@house_style
def fusion_weight_over_state(states: pd.DataFrame) -> Figure:
    """Draw the weight chosen in each window over both detectors' scores, and how often each is.

    Args:
        states: columns anomaly_score, attack_logit, fusion_weight (0: the autoencoder alone
            decides, 1: the classifier alone), label (0/1); one row per window.

    Returns:
        Benign windows, attack windows, and the share of windows per weight.

    Raises:
        DataError: a column is missing.
    """
    columns = ("anomaly_score", "attack_logit", "fusion_weight", "label")
    require_columns(states, columns, "Fusion states")
    figure = Figure(figsize=(10.5, 3.4))
    benign_axes, attack_axes, histogram = figure.subplots(1, 3)
    attack_axes.sharex(benign_axes)
    attack_axes.sharey(benign_axes)
    parts = (
        (benign_axes, "benign", states[states["label"] == 0], BENIGN),
        (attack_axes, "attack", states[states["label"] == 1], ATTACK),
    )
    bins = np.linspace(-0.025, 1.025, 22)
    for axes, name, part, colour in parts:
        points = axes.scatter(
            part["attack_logit"],
            part["anomaly_score"],
            c=part["fusion_weight"],
            cmap=WEIGHT_COLOURS,
            vmin=0,
            vmax=1,
            s=9,
            linewidth=0,
            rasterized=True,
        )
        axes.set_title(f"{name} windows ({len(part):,})")
        axes.set(xlabel="attack logit of the classifier", ylabel="anomaly score")
        if len(part):
            share = np.full(len(part), 1 / len(part))
            look = {"histtype": "step", "linewidth": 1.8, "color": colour, "label": name}
            histogram.hist(part["fusion_weight"], bins=bins, weights=share, **look)
    figure.colorbar(
        points, ax=[benign_axes, attack_axes], label="fusion weight (0 autoencoder, 1 classifier)"
    )
    histogram.set_title("how often each weight is chosen")
    histogram.set(xlabel="fusion weight", ylabel="share of the class's windows", ylim=(0, None))
    histogram.legend()
    return figure
