"""Where things lie: two folders and a tracking store, each movable by one environment variable.

One that is empty is as good as none.
"""

import os
from pathlib import Path

from kdgat.errors import ParameterError

_PACKAGE = Path(__file__).resolve().parent
_ABOVE = _PACKAGE.parents[1]
CHECKOUT = _ABOVE if (_ABOVE / "conf" / "base").is_dir() else None
"""The repository that this code runs from; None for a package installed by pip."""
PROJECT = CHECKOUT or Path.cwd()
"""Where data and your own declarations lie by default: the repository, else where you stand."""
CONF = (CHECKOUT or _PACKAGE) / "conf"
"""The configuration: the repository's, else the one shipped in the package."""
BUILT_IN_DATASET = "synthetic"
SEED_FOLDER = "seed_"
"""What the number of a seed follows, in the name of the folder of its models."""


def check_environment(name: str | None) -> None:
    """Refuse an environment of the configuration (`--env`) that does not exist.

    Args:
        name: a folder of the configuration; None is the default one.

    Raises:
        ParameterError: there is no such folder.
    """
    there = sorted(path.parent.name for path in CONF.glob("*/parameters.yml"))
    if name is not None and name not in there and not (CONF / name).is_dir():
        raise ParameterError(f"there is no environment '{name}' in {CONF}: {', '.join(there)}")


def data_root() -> str:
    """Return the folder of everything kdgat writes: $KDGAT_DATA_ROOT, else `data`."""
    return str(Path(os.environ.get("KDGAT_DATA_ROOT") or PROJECT / "data").resolve())


def raw_folder(dataset: str) -> str:
    """Return a dataset's folder: below $KDGAT_RAW_ROOT, else below `01_raw` of the data root.

    The built-in dataset is written by kdgat and so always lies below the data root.
    """
    own_root = Path(data_root()) / "01_raw"
    if dataset == BUILT_IN_DATASET:
        return str(own_root / dataset)
    return str(Path(os.environ.get("KDGAT_RAW_ROOT") or own_root).resolve() / dataset)


def declaration_folders() -> list[str]:
    """Return the folders of dataset declarations: your own in `conf/local`, then the shipped."""
    own, shipped = PROJECT / "conf" / "local", CONF / "base"
    return [str(folder / "datasets") for folder in (own, shipped)]


def declarations(folders: list[str]) -> dict[str, Path]:
    """Find the declarations of datasets in some folders: name -> file, the first one counts."""
    return {path.stem: path for folder in reversed(folders) for path in Path(folder).glob("*.yml")}


def tracking_uri() -> str:
    """Return MLflow's store: $MLFLOW_TRACKING_URI, else one SQLite file in the data root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{data_root()}/mlflow.db"


def artifact_location() -> str | None:
    """Return the folder of MLflow's artifacts; None leaves the choice to a tracking server."""
    return None if os.environ.get("MLFLOW_TRACKING_URI") else f"{data_root()}/mlflow_artifacts"


def run_records() -> str:
    """Return the folder of the runs' records."""
    return f"{data_root()}/09_tracking/runs"


def checkpoints() -> str:
    """Return the folder of what interrupted runs go on from."""
    return f"{data_root()}/checkpoints"


def logs() -> str:
    """Return the folder of detailed logs."""
    return f"{data_root()}/09_tracking/logs"


def journals() -> str:
    """Return the folder of the journals that the tracking store does not have in full yet."""
    return f"{data_root()}/09_tracking/journal"


def tracking_lock() -> str:
    """Return the lock file of the processes that write to the tracking store.

    It lies beside a SQLite store, which several data roots may share; its writers take turns.
    """
    uri = tracking_uri()
    if uri.startswith("sqlite:///"):
        return f"{uri.removeprefix('sqlite:///')}.lock"
    return f"{data_root()}/09_tracking/delivery.lock"
