"""The wheel: kdgat and its configuration outside the repository."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder into which the wheel has been unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([sys.executable, *build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = folder.glob("kdgat-*.whl")
    ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def elsewhere(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "KDGAT_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(site), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_configuration_is_shipped_as_it_is(installed):
    def held(conf: Path) -> dict[str, bytes]:
        folders = ("base", "quick", "smoke", "sweeps")
        shipped = [conf / "logging.yml", *(path for f in folders for path in (conf / f).rglob("*"))]
        return {str(p.relative_to(conf)): p.read_bytes() for p in shipped if p.is_file()}

    assert held(installed / "kdgat" / "conf") == held(ROOT / "conf")
    local = installed / "kdgat" / "conf" / "local"
    assert [path.name for path in local.iterdir()] == [".gitkeep"]


def test_commands_work_outside_the_repository(installed, tmp_path):
    result = elsewhere(tmp_path, installed, "-m", "kdgat", "run", "--params", "sead=2")
    assert result.stderr.strip() == "error: unknown parameter 'sead': did you mean 'seed'?"
    assert result.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_script_outside_the_repository_imports_it(installed, tmp_path):
    script = "import kdgat, kdgat.locations as l; print(kdgat.__file__, l.CONF, l.data_root())"
    result = elsewhere(tmp_path, installed, "-c", script)
    package = installed / "kdgat"
    assert result.stdout.split() == [
        str(package / "__init__.py"),
        str(package / "conf"),
        str(tmp_path / "data"),
    ]
