"""The models on disk: find, compare, trace, and choose which may go."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from kdgat import locations, versions
from kdgat.datasets.tensors import read_description
from kdgat.errors import DataError, MissingInputError, ParameterError
from kdgat.tracking import journal, records

SUFFIX = ".safetensors"
SEED_FOLDER = "seed_"
FIGURES = ("best_val_loss", "best_val_reward")


@dataclass(frozen=True)
class StoredModel:
    """One version of a model.

    Attributes:
        path: its file, `06_models/<dataset>/seed_<n>/<file>/<version>/<file>`.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name in the catalog, such as `student_agent`."""
        return self.path.stem

    @property
    def version(self) -> str:
        """Version of everything its run saved."""
        return self.path.parent.name

    @property
    def folder(self) -> Path:
        """Folder of all its versions."""
        return self.path.parents[1]

    @property
    def seed(self) -> int:
        """Seed of its run."""
        return int(self.path.parents[2].name.removeprefix(SEED_FOLDER))

    @property
    def dataset(self) -> str:
        """Dataset it was trained on."""
        return self.path.parents[3].name

    @property
    def bytes(self) -> int:
        """Size of its file."""
        return self.path.stat().st_size

    @property
    def is_pinned(self) -> bool:
        """Whether later pipelines take it instead of the newest."""
        return versions.pinned(self.folder) == self.version

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the model says of itself."""
        return read_description(self.path)["metadata"]

    @property
    def mode(self) -> str:
        """Training mode."""
        return self.metadata["training_mode"]

    @property
    def provenance(self) -> dict[str, Any]:
        """Run, dataset, parameters and parents; empty for a model that no run has saved."""
        return self.metadata.get("provenance", {})

    @property
    def parents(self) -> dict[str, str]:
        """What it was made from, name -> version."""
        return {
            name: parent["version"] for name, parent in self.provenance.get("parents", {}).items()
        }

    @property
    def figures(self) -> dict[str, float]:
        """What it reached on validation."""
        figures = {name: self.metadata[name] for name in FIGURES if name in self.metadata}
        if "operating_point" in self.metadata:
            figures["val_f1"] = self.metadata["operating_point"]["f1"]
        return figures

    @property
    def status(self) -> str:
        """How its run ended."""
        return records.read(self.version)["status"] if records.exists(self.version) else "unknown"

    @property
    def run_id(self) -> str | None:
        """MLflow run that made it."""
        if records.exists(self.version):
            return records.read(self.version).get("run_id")
        return self.provenance.get("run_id")

    @property
    def made(self) -> datetime:
        """When its run began."""
        return datetime.strptime(self.version[:23], "%Y-%m-%dT%H.%M.%S.%f").replace(tzinfo=UTC)


def find(
    *, name: str | None = None, dataset: str | None = None, seed: int | None = None
) -> list[StoredModel]:
    """List models, by dataset, seed and name, and each from the oldest version to the newest.

    Args:
        name: only this one.
        dataset: only of this dataset.
        seed: only of this seed.
    """
    root = Path(locations.data_root()) / "06_models"
    of_seed = "*" if seed is None else str(seed)
    file = f"{name or '*'}{SUFFIX}"
    paths = root.glob(f"{dataset or '*'}/{SEED_FOLDER}{of_seed}/{file}/*/{file}")
    return [StoredModel(path) for path in sorted(paths) if path.parents[1].name == path.name]


def resolve(reference: str, *, dataset: str | None, seed: int | None) -> StoredModel:
    """Find the model that a reference names.

    Args:
        reference: `name` (the pinned version, else the newest), `name@version`, where the end of
            a version will do, or a path.
        dataset: where to look; None for everywhere.
        seed: where to look; None for everywhere.

    Raises:
        MissingInputError: there is none.
        ParameterError: several fit.
    """
    if Path(reference).is_file():
        return StoredModel(Path(reference).resolve())
    name, _, wanted = reference.partition("@")
    models = find(name=name, dataset=dataset, seed=seed)
    if not models:
        there = sorted({model.name for model in find()}) or ["none"]
        raise MissingInputError(f"no stored model '{name}'; there are: {', '.join(there)}")
    if wanted:
        fitting = [model for model in models if model.version.endswith(wanted)]
        if not fitting:
            raise MissingInputError(versions.lack(models[-1].folder, wanted))
    else:
        newest = {model.folder: model for model in models}
        fitting = [_current(model) for model in newest.values()]
    if len(fitting) > 1:
        found = "; ".join(f"{m.dataset} seed {m.seed} {m.version}" for m in fitting[:5])
        raise ParameterError(
            f"'{reference}' fits {len(fitting)} models ({found}): "
            "say which with --dataset, --seed or name@version"
        )
    return fitting[0]


def _current(newest: StoredModel) -> StoredModel:
    pinned = versions.pinned(newest.folder)
    if pinned is None:
        return newest
    return StoredModel(newest.folder / pinned / newest.path.name)


def parent_model(name: str, version: str) -> StoredModel | None:
    """Find a parent by name and version; None if it is no model, or is gone."""
    found = [model for model in find(name=name) if model.version == version]
    return found[0] if found else None


def ancestors(models: Iterable[StoredModel]) -> set[tuple[str, str]]:
    """Name everything that models descend from, themselves included, as (name, version)."""
    by_key = {(model.name, model.version): model for model in find()}
    found: set[tuple[str, str]] = set()
    waiting = [(model.name, model.version) for model in models]
    while waiting:
        key = waiting.pop()
        if key in found:
            continue
        found.add(key)
        if key in by_key:
            waiting += by_key[key].parents.items()
    return found


def to_prune(
    models: list[StoredModel],
    *,
    older_than: timedelta | None,
    keep: int | None,
    failed: bool,
    now: datetime,
) -> tuple[list[StoredModel], list[tuple[StoredModel, str]]]:
    """Choose the models that may go.

    A model is chosen if it fits every criterion that is given.

    Args:
        models: to choose from.
        older_than: only those made longer ago.
        keep: only those that are not among the newest `keep` of their name, dataset and seed.
        failed: only those whose run FAILED or was KILLED.
        now: the time.

    Returns:
        Models that may go; models that were chosen and must stay, with the reason.

    Raises:
        ParameterError: there is no criterion.
    """
    if older_than is None and keep is None and not failed:
        raise ParameterError("say what to prune: --older-than, --keep or --failed")
    newest = _newest(models, keep) if keep is not None else set()
    chosen = [
        model
        for model in models
        if (older_than is None or now - model.made > older_than)
        and model not in newest
        and (not failed or model.status in ("FAILED", "KILLED"))
    ]
    in_use = _read_by_living_runs()
    reasons = {}
    for model in chosen:
        if model.is_pinned:
            reasons[model] = "pinned"
        elif (model.name, model.version) in in_use or model.status == "RUNNING":
            reasons[model] = "in use by a run"
    going = [model for model in chosen if model not in reasons]
    needed = ancestors(model for model in find() if model not in set(going))
    for model in going:
        if (model.name, model.version) in needed:
            reasons[model] = "a living model descends from it"
    return [model for model in chosen if model not in reasons], list(reasons.items())


def _newest(models: list[StoredModel], keep: int) -> set[StoredModel]:
    by_folder: dict[Path, list[StoredModel]] = {}
    for model in models:
        by_folder.setdefault(model.folder, []).append(model)
    return {model for group in by_folder.values() for model in group[max(0, len(group) - keep) :]}


def _read_by_living_runs() -> set[tuple[str, str]]:
    """Name what runs in progress read, as (name, version)."""
    living = [
        path.stem
        for path in Path(locations.journals()).glob(f"*{journal.SUFFIX}")
        if not journal.standing(path)[1]
    ]
    return {
        (name, origin["version"])
        for version in living
        if records.exists(version)
        for name, origin in records.read(version)["inputs"].items()
    }


def parse_age(text: str) -> timedelta:
    """Read an age such as `30d`, `12h` or `2w`.

    Raises:
        ParameterError: it is none.
    """
    units = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
    if len(text) < 2 or text[-1] not in units or not text[:-1].isdigit():
        raise ParameterError(f"age '{text}' is not a number of hours, days or weeks such as 30d")
    return int(text[:-1]) * units[text[-1]]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Compare two nested dictionaries leaf by leaf: (dotted path, before, after), None = absent."""
    flat_before, flat_after = _flatten(before), _flatten(after)
    names = sorted(flat_before.keys() | flat_after.keys())
    pairs = ((name, flat_before.get(name), flat_after.get(name)) for name in names)
    return [(name, old, new) for name, old, new in pairs if old != new]


def _flatten(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, leaf in value.items():
        if isinstance(leaf, dict):
            flat |= _flatten(leaf, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = leaf
    return flat


def readable(models: Iterable[StoredModel]) -> tuple[list[StoredModel], list[str]]:
    """Part models into those that can be read and, for the rest, a sentence each."""
    good, sentences = [], []
    for model in models:
        try:
            model.metadata  # noqa: B018
        except DataError as error:
            sentences.append(str(error))
        else:
            good.append(model)
    return good, sentences
