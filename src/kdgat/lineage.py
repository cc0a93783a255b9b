"""Which version of each input a run reads: decided once, at its start."""

from dataclasses import dataclass
from pathlib import Path

from kedro.io import AbstractVersionedDataset, CatalogProtocol, Version
from kedro.pipeline import Pipeline

from kdgat import versions
from kdgat.datasets.whole_file import WholeFileDataset
from kdgat.errors import MissingInputError, ParameterError
from kdgat.locations import SEED_FOLDER


@dataclass(frozen=True)
class Origin:
    """Where an input came from.

    Args:
        version: its version.
        seed: seed of the models it was made with; None where no seed enters.
        is_pinned: whether `kedro models pin` chose it.
    """

    version: str
    seed: int | None
    is_pinned: bool = False


def pin_versions(
    pipeline: Pipeline,
    catalog: CatalogProtocol,
    *,
    seed: int,
    default_seed: int,
    producers: dict[str, Pipeline],
    chosen: dict[str, str] | None = None,
) -> dict[str, Origin]:
    """Fix the versions that a pipeline reads, whatever others write meanwhile.

    An input is taken in the version chosen for it, else in the one pinned by `kedro models pin`,
    else in the newest; inputs that no other seed stands in for (graphs and their scaling, scores
    and their thresholds) in the newest that all of one folder have, so that they are of one run.
    An input that the run's own seed lacks is taken from its `default_filepath`. What the pipeline
    itself makes is read back in the version it saves.

    Args:
        pipeline: the pipeline about to run.
        catalog: its catalog; the datasets in it are changed in place.
        seed: the run's seed.
        default_seed: the seed whose models stand in.
        producers: name -> pipeline, to say what makes a missing input.
        chosen: input name -> version, from `--load-versions`.

    Returns:
        Input name -> origin, for every versioned input.

    Raises:
        MissingInputError: An input has no version at all, or not the one chosen.
    """
    chosen = chosen or {}
    _refuse_own_outputs(chosen, pipeline)
    datasets = {name: catalog.get(name) for name in sorted(pipeline.inputs())}
    datasets = {name: data for name, data in datasets.items() if is_versioned(data)}
    common = _common_versions([_path(data) for data in datasets.values() if not _is_seeded(data)])
    origins, missing = {}, []
    for name, dataset in datasets.items():
        origin = _find(
            dataset, chosen.get(name), common.get(_path(dataset).parent), seed, default_seed
        )
        if origin:
            origins[name] = origin
        else:
            missing.append(name)
    if missing:
        raise MissingInputError(_missing_sentence(missing, producers))
    for name in pipeline.all_outputs():
        dataset = catalog.get(name)
        if is_versioned(dataset):
            save = dataset.resolve_save_version()
            dataset._version = Version(load=save, save=save)
    return origins


def save_as(version: str, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    """Let a pipeline save, and read back, in a version that an earlier life of the run has.

    Args:
        version: of the run.
        pipeline: about to run.
        catalog: its catalog, after `pin_versions`; the datasets in it are changed in place.
    """
    for name in pipeline.all_outputs():
        dataset = catalog.get(name)
        if is_versioned(dataset):
            dataset.release()
            dataset._version = Version(load=version, save=version)


def parents_of(name: str, pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, str]:
    """Tell what an output was made from.

    Args:
        name: an output of the pipeline.
        pipeline: that makes it.
        catalog: its catalog, after `pin_versions`.

    Returns:
        Name -> version, of what its node reads; what is not stored itself stands for its own
        parents.
    """
    makers = {output: node for node in pipeline.nodes for output in node.outputs}
    parents = {}
    for read in makers[name].inputs:
        dataset = catalog.get(read)
        if is_versioned(dataset):
            parents[read] = dataset._version.load
        elif read in makers:
            parents |= parents_of(read, pipeline, catalog)
    return dict(sorted(parents.items()))


def saved_versions(pipeline: Pipeline, catalog: CatalogProtocol) -> dict[str, str]:
    """Tell the version of everything versioned that a pipeline has saved.

    Args:
        pipeline: that has run.
        catalog: its catalog, after `pin_versions`.

    Returns:
        Output name -> version.
    """
    datasets = {name: catalog.get(name) for name in sorted(pipeline.all_outputs())}
    return {name: data._version.save for name, data in datasets.items() if is_versioned(data)}


def is_versioned(dataset: object) -> bool:
    """Say whether a dataset keeps versions."""
    return isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None


def _find(
    dataset: AbstractVersionedDataset,
    chosen: str | None,
    common: str | None,
    seed: int,
    default_seed: int,
) -> Origin | None:
    """Fix the version of one input; None if there is none."""
    places = [(_path(dataset), seed if _is_seeded(dataset) else None)]
    if _is_seeded(dataset):
        places.append((Path(dataset.default_filepath), default_seed))
        places += _of_other_seeds(_path(dataset)) if chosen else []
    for path, of_seed in places:
        there, pinned = versions.stored(path), versions.pinned(path)
        if chosen and chosen not in there:
            continue
        version = (
            chosen or pinned or (common if of_seed is None else None) or max(there, default="")
        )
        if not version:
            continue
        if version not in there:
            raise MissingInputError(versions.lack(path, version))
        dataset._filepath = type(dataset._filepath)(str(path))
        dataset.release()
        # Kedro keeps the two versions of a dataset in this attribute and offers no other way in.
        dataset._version = Version(load=version, save=dataset._version.save)
        return Origin(version, of_seed, is_pinned=version == pinned and not chosen)
    if chosen:
        raise MissingInputError(versions.lack(places[0][0], chosen))
    return None


def _of_other_seeds(path: Path) -> list[tuple[Path, int]]:
    """List where a file of any seed lies: a version that was chosen may be of each."""
    found = path.parent.parent.glob(f"{SEED_FOLDER}*/{path.name}")
    seeds = [(each, each.parent.name.removeprefix(SEED_FOLDER)) for each in sorted(found)]
    return [(each, int(seed)) for each, seed in seeds if seed.isdecimal()]


def _is_seeded(dataset: AbstractVersionedDataset) -> bool:
    return isinstance(dataset, WholeFileDataset) and dataset.default_filepath is not None


def _path(dataset: AbstractVersionedDataset) -> Path:
    return Path(str(dataset._filepath))


def _common_versions(paths: list[Path]) -> dict[Path, str]:
    """Find, by folder, the newest version that all files in it have."""
    common: dict[Path, set[str]] = {}
    for path in paths:
        there = set(versions.stored(path))
        common[path.parent] = common.get(path.parent, there) & there
    return {folder: max(there) for folder, there in common.items() if there}


def _refuse_own_outputs(chosen: dict[str, str], pipeline: Pipeline) -> None:
    own = sorted(chosen.keys() & pipeline.all_outputs())
    if own:
        stored_inputs = {name for name in pipeline.inputs() if not name.startswith("param")}
        raise ParameterError(
            f"--load-versions names {', '.join(own)}, which this run makes itself: "
            f"it can choose {', '.join(sorted(stored_inputs))}"
        )


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
