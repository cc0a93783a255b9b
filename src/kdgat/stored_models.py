"""The models on disk: find, compare and trace them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from kdgat import locations, versions
from kdgat.datasets.tensors import read_description
from kdgat.errors import DataError, MissingInputError, ParameterError
from kdgat.locations import SEED_FOLDER
from kdgat.parameters import flatten
from kdgat.tracking import records

SUFFIX = ".safetensors"
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
        ParameterError: several fit, or a dataset or seed is named beside a path.
    """
    if Path(reference).is_file():
        if dataset is not None or seed is not None:
            raise ParameterError(f"{reference} is a file: it takes neither --dataset nor --seed")
        return StoredModel(Path(reference).absolute())
    name, _, wanted = reference.partition("@")
    models = find(name=name, dataset=dataset, seed=seed)
    if not models:
        raise MissingInputError(_lack(name, dataset, seed))
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


def _lack(name: str, dataset: str | None, seed: int | None) -> str:
    elsewhere = sorted({f"{model.dataset} seed {model.seed}" for model in find(name=name)})
    if elsewhere:
        asked = {"dataset": dataset, "seed": seed}
        wanted = ", ".join(f"{key} {value}" for key, value in asked.items() if value is not None)
        return f"no stored model '{name}' of {wanted}; it is there of: {'; '.join(elsewhere)}"
    there = sorted({model.name for model in find(dataset=dataset, seed=seed)}) or ["none"]
    return f"no stored model '{name}'; there are: {', '.join(there)}"


def require_stored(model: StoredModel) -> None:
    """Refuse a file, named by its path, that lies where no run stores a model.

    Raises:
        ParameterError: it does.
    """
    seed = model.path.parents[2].name if len(model.path.parents) > 3 else ""
    is_stored = re.fullmatch(rf"{SEED_FOLDER}\d+", seed) and model.folder.name == model.path.name
    if not is_stored or model.path.suffix != SUFFIX:
        raise ParameterError(
            f"{model.path} is not where a run stores a model: "
            f"<dataset>/{SEED_FOLDER}<n>/<model>{SUFFIX}/<version>/<model>{SUFFIX}"
        )


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


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Compare two nested dictionaries leaf by leaf: (dotted path, before, after), None = absent."""
    flat_before, flat_after = flatten(before), flatten(after)
    names = sorted(flat_before.keys() | flat_after.keys())
    pairs = ((name, flat_before.get(name), flat_after.get(name)) for name in names)
    return [(name, old, new) for name, old, new in pairs if old != new]


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
