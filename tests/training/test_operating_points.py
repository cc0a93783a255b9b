"""What is said of models that carry other operating points than they are judged at."""

from kdgat.models.artifact import ModelArtifact
from kdgat.training.operating_points import warn_of_other_points


def point(value: float, budget: float) -> dict:
    return {"value": value, "budget": budget}


def carrying(zero_shot: dict, calibrated: dict) -> ModelArtifact:
    metadata = {"operating_point": zero_shot, "calibrated_operating_point": calibrated}
    return ModelArtifact(kind="gat", arguments={}, state={}, metadata=metadata)


def test_a_model_judged_at_another_point_than_its_own_is_named(caplog):
    models = {
        "student_fusion": carrying(point(3.0, 0.001), point(2.5, 0.001)),
        "teacher_fusion": carrying(point(3.0, 0.001), point(1.5, 0.002)),
    }
    judged = {"zero_shot": point(3.0, 0.001), "calibrated": point(1.5, 0.002)}
    warn_of_other_points(models, dict.fromkeys(models, judged))
    (told,) = caplog.messages
    assert told.startswith(
        "student_fusion is judged at 1.5 calibrated (budget 0.002), but carries 2.5 (budget 0.001)"
    )
