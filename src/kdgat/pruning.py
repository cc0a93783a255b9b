"""Which stored models may go, and which must stay."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kdgat import locations
from kdgat.errors import ParameterError
from kdgat.stored_models import StoredModel, ancestors, find
from kdgat.tracking import journal, records
from kdgat.tracking.owners import Owner


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
        for version, record in records.readable()
        if version in living or _is_at_work(record)
        for name, origin in record["inputs"].items()
    }


def _is_at_work(record: dict[str, Any]) -> bool:
    """Say whether a run that has perhaps no journal yet is alive."""
    if record.get("status") != "RUNNING" or "owner" not in record:
        return False
    return Owner.from_dict(record["owner"]).is_alive() is not False


def parse_age(text: str) -> timedelta:
    """Read an age such as `30d`, `12h` or `2w`.

    Raises:
        ParameterError: it is none.
    """
    units = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
    if len(text) < 2 or text[-1] not in units or not text[:-1].isdigit():
        raise ParameterError(f"age '{text}' is not a number of hours, days or weeks such as 30d")
    return int(text[:-1]) * units[text[-1]]
