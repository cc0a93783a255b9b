"""Where the captures of a dataset lie, in the plain layout or as its declaration says."""

import re
from pathlib import Path

from kdgat.can.declarations import Declaration
from kdgat.can.readers import capture_stem
from kdgat.errors import DataError

PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def find_captures(
    folder: Path, declaration: Declaration | None = None, declared: tuple[str, ...] = ()
) -> dict[str, Path]:
    """List the captures of a dataset: `<scenario>/<capture>` and its file, sorted by name.

    In the plain layout scenarios are the folders named `train_*` or `test_*`; a declaration may
    put files of other folders into scenarios.

    Args:
        folder: Folder of the dataset.
        declaration: Of the dataset, if there is one.
        declared: Names of all declared datasets, for the message if the folder is missing.

    Raises:
        DataError: The folder is missing, has no training or no test capture, or holds a
            capture twice, such as plain and compressed.
    """
    if not folder.is_dir():
        raise DataError(_missing(folder, declaration, declared))
    captures: dict[str, Path] = {}
    for scenario, path in _scenario_files(folder, declaration):
        stem = capture_stem(path)
        if stem is None or not path.is_file():
            continue
        if not PLAIN_NAME.fullmatch(scenario):
            raise DataError(
                f"{path.parent} is no name of a scenario: after train_ or test_ letters, digits, "
                "'_', '-' and '.' are allowed, as metrics are named after it."
            )
        if scenario.endswith("_calibrated"):
            raise DataError(
                f"{path}: the scenario {scenario} would bear the name of another's calibrated "
                "figures: let it end otherwise."
            )
        name = f"{scenario}/{stem}"
        if name in captures:
            raise DataError(
                f"{folder} holds {name} twice, {captures[name].name} and {path.name}, such as "
                "plain and compressed: remove one."
            )
        captures[name] = path
    for kind in ("train_", "test_"):
        if not any(name.startswith(kind) for name in captures):
            raise DataError(
                f"{folder} holds no {kind}* scenario with a capture; expected "
                f"{_layout(declaration)}."
            )
    return dict(sorted(captures.items()))


def _scenario_files(folder: Path, declaration: Declaration | None) -> list[tuple[str, Path]]:
    """Pair files with their scenarios; a file goes to the first that names it, or is ignored."""
    if declaration is None or not declaration.scenarios:
        plain = sorted([*folder.glob("train_*/*"), *folder.glob("test_*/*")])
        named = [(path.parent.name, path) for path in plain]
    else:
        named = [
            (scenario, path)
            for scenario, patterns in declaration.scenarios.items()
            for pattern in patterns
            for path in sorted(folder.glob(pattern))
        ]
    ignored = declaration.ignored if declaration else []
    taken = {path for pattern in ignored for path in folder.glob(pattern)}
    files = []
    for scenario, path in named:
        if path not in taken:
            files.append((scenario, path))
            taken.add(path)
    return files


def _layout(declaration: Declaration | None) -> str:
    if declaration is not None:
        return declaration.layout
    return "files train_<scenario>/<capture> and test_<scenario>/<capture> such as .csv or .csv.gz"


def _missing(folder: Path, declaration: Declaration | None, declared: tuple[str, ...]) -> str:
    beside = "none"
    if folder.parent.is_dir():
        names = sorted(x.name for x in folder.parent.iterdir() if x.is_dir())
        beside = ", ".join(names) or "none"
    message = f"No dataset at {folder}; datasets beside it: {beside}"
    if declaration is not None:
        return (
            f"{message}. Get {declaration.title} from {declaration.source} and lay it out there: "
            f"{declaration.layout}."
        )
    known = f"; declared: {', '.join(declared)}" if declared else ""
    return f"{message}{known}. Lay captures out there: {_layout(None)}."
