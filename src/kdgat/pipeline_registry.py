"""The pipelines by name, in the order of the chain."""

from kedro.pipeline import Pipeline

from kdgat.pipelines import (
    autoencoder,
    data_processing,
    distillation,
    evaluation,
    fusion,
    pictures,
    reporting,
    teacher,
)


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline.

    `fusion` ends the chain and so brings the scorecard with it: one command retrains the
    agents with another seed and shows what came of it.

    Returns:
        Name -> pipeline; `__default__` is the whole chain, without the report on many runs.
    """
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "autoencoder": autoencoder.create_pipeline(),
        "teacher": teacher.create_pipeline(),
        "distillation": distillation.create_pipeline(),
        "fusion": fusion.create_pipeline(),
    }
    scorecard = evaluation.create_pipeline() + pictures.create_pipeline()
    return {
        "__default__": sum(stages.values(), start=scorecard),
        **stages,
        "fusion": stages["fusion"] + scorecard,
        "evaluation": scorecard,
        "pictures": pictures.create_pipeline(),
        "reporting": reporting.create_pipeline(),
    }
