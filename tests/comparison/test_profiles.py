"""Shares above a value, by hand."""

from kdgat.comparison import performance_profiles


def test_share_of_runs_above_a_value(results):
    profile = performance_profiles(results).query("variant == 'a'").set_index("value")["share"]
    assert profile.loc[0.0] == 1.0
    assert profile.loc[0.75] == 0.8
    assert profile.loc[0.85] == 0.4  # above, not at
    assert profile.loc[1.0] == 0.0
    assert profile.is_monotonic_decreasing
