"""Which version of each input a run reads: decided once, at its start."""

from dataclasses import dataclass

from kedro.io import AbstractVersionedDataset, CatalogProtocol, Version
from kedro.pipeline import Pipeline

from kdgat.datasets.whole_file import WholeFileDataset
from kdgat.errors import MissingInputError


@dataclass(frozen=True)
class Origin:
    """Where an input came from.

    Args:
        version: its version.
        seed: seed of the models it was made with; None where no seed enters.
    """

    version: str
    seed: int | None


def pin_versions(
    pipeline: Pipeline,
    catalog: CatalogProtocol,
    *,
    seed: int,
    default_seed: int,
    producers: dict[str, Pipeline],
) -> dict[str, Origin]:
    """Fix the versions that a pipeline reads, whatever others write meanwhile.

    An input that the run's own seed lacks is taken from its `default_filepath`. What the
    pipeline itself makes is read back in the version it saves.

    Args:
        pipeline: the pipeline about to run.
        catalog: its catalog; the datasets in it are changed in place.
        seed: the run's seed.
        default_seed: the seed whose models stand in.
        producers: name -> pipeline, to say what makes a missing input.

    Returns:
        Input name -> origin, for every versioned input.

    Raises:
        MissingInputError: An input has no version at all.
    """
    origins, missing = {}, []
    for name in sorted(pipeline.inputs()):
        dataset = catalog.get(name)
        if not _is_versioned(dataset):
            continue
        is_seeded = isinstance(dataset, WholeFileDataset) and dataset.default_filepath is not None
        if dataset.exists():
            origins[name] = Origin(_pin(dataset), seed if is_seeded else None)
        elif is_seeded and _use_default(dataset).exists():
            origins[name] = Origin(_pin(dataset), default_seed)
        else:
            missing.append(name)
    if missing:
        raise MissingInputError(_missing_sentence(missing, producers))
    for name in pipeline.all_outputs():
        dataset = catalog.get(name)
        if _is_versioned(dataset):
            save = dataset.resolve_save_version()
            dataset._version = Version(load=save, save=save)
    return origins


def saved_versions(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, str]:
    """Tell the version of everything versioned that a pipeline has saved.

    Args:
        pipeline: that has run.
        catalog: its catalog, after `pin_versions`.

    Returns:
        Output name -> version.
    """
    datasets = {name: catalog.get(name) for name in sorted(pipeline.all_outputs())}
    return {name: data._version.save for name, data in datasets.items() if _is_versioned(data)}


def _is_versioned(dataset: object) -> bool:
    return isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None


def _use_default(dataset: WholeFileDataset) -> WholeFileDataset:
    dataset._filepath = type(dataset._filepath)(dataset.default_filepath)
    dataset.release()
    return dataset


def _pin(dataset: AbstractVersionedDataset) -> str:
    version = dataset.resolve_load_version()
    # Kedro keeps the two versions of a dataset in this attribute and offers no other way in.
    dataset._version = Version(load=version, save=dataset._version.save)
    return version


def _missing_sentence(missing: list[str], producers: dict[str, Pipeline]) -> str:
    needed = [
        name
        for name, pipeline in producers.items()
        if name != "__default__" and pipeline.all_outputs() & set(missing)
    ]
    commands = ", then ".join(f"`kedro run --pipeline {name}`" for name in needed)
    return (
        f"no {', '.join(missing)} for this dataset, with this seed or the default one: "
        f"run {commands} first, or `kedro run` for the whole chain"
    )
