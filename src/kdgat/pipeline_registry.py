"""The pipelines by name, in the order of the chain."""

from kedro.pipeline import Pipeline

from kdgat.figures.pipelines import Stage
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


def stages_of_the_chain() -> list[Stage]:
    """See the pipelines of the whole chain from outside, in the order in which they run."""
    named = register_pipelines()
    chain = named.pop("__default__")
    of_stage = {group.name: group.nodes for group in chain.group_nodes_by("namespace")}
    parts = {name: chain.only_nodes(*of_stage[name]) for name in named if name in of_stage}
    read = {name for part in parts.values() for name in part.inputs()}
    return [
        Stage(
            name=name,
            reads=frozenset(name for name in part.inputs() if not name.startswith("params:")),
            makes=frozenset(part.outputs() | (part.all_outputs() & read)),
        )
        for name, part in parts.items()
    ]
