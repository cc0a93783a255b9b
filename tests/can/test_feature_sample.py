"""A model knows when its features are measured otherwise."""

import json

from kdgat.can.feature_names import EDGE_FEATURES, NODE_FEATURES
from kdgat.can.feature_sample import differing_features, feature_sample

NAMES = [*NODE_FEATURES, *EDGE_FEATURES]


def test_the_sample_has_every_feature_at_work():
    sample = feature_sample()
    assert [name for name, _ in sample] == NAMES
    assert all(abs(value) > 1e-3 for _, value in sample)


def test_equal_features_do_not_differ_and_others_are_named():
    sample = feature_sample()
    assert differing_features([(name, value * (1 + 1e-5)) for name, value in sample]) == []
    assert differing_features(json.loads(json.dumps(sample))) == []
    first, second, *others = sample
    assert differing_features([(first[0], 0.9), second, *others]) == [first[0]]
    assert differing_features([second, first, *others]) == NAMES[:2]
    assert differing_features(sample[:-1]) == NAMES[-1:]
    assert differing_features([*sample, ("later", 1.0)]) == ["later"]
    assert differing_features([]) == NAMES
