"""What only the repository as a whole can promise: free names, documented settings, exact pins, no private places."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel

from data.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OURS = ("data", "agents", "cluster", "serve_app", "goldensignals")
SOMEBODYS_HOME = re.compile(r"(?<![\w.~])/(?:home|Users)/(?!\.\.\.|<|\$|\{)[A-Za-z][\w.-]*|(?<![\w.~])/root/[\w.]")
INDEX_URL = re.compile(r"https?://([^\s/\"'<>]+)/(?:[^\s\"'<>]*/)?(?:simple|pypi|npm)\b")
FUNDING = {"tidelift.com"}  # packages name it in a lock file as where to support them; its paths look like an index
PUBLIC = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org", "download.pytorch.org"}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that git knows, by name; names alone of what is not text."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {}
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            found[name] = (ROOT / name).read_bytes().decode("utf-8", errors="ignore")
    assert "pyproject.toml" in found
    return found


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    rows = [line.partition("#")[0].strip() for line in lines]
    return dict(row.split("==") for row in rows if row)


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(text) for text in [*project["dependencies"], *(text for extra in extras for text in extra)]]


def variables(group: type[BaseModel] = Settings, prefix: str = "GS_") -> set[str]:
    found = set()
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= variables(kind, f"{prefix}{name.upper()}__")
        else:
            found.add(prefix + name.upper())
    return found


@pytest.mark.parametrize("name", OURS)
def test_no_installed_package_has_a_module_of_our_name(name: str) -> None:
    owners = {canonicalize_name(owner) for owner in packages_distributions().get(name, [])}
    assert owners <= {"goldensignals"}
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def test_the_page_of_settings_has_one_row_for_every_setting() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.findall(r"^\|\s*`(GS_\w+)`", page, flags=re.MULTILINE)
    assert sorted(rows) == sorted(variables())


def test_every_package_we_name_is_pinned_to_one_version_that_fits() -> None:
    exact = pins()
    for requirement in requirements():
        name = canonicalize_name(requirement.name)
        assert name in exact, f"{name} is not in constraints.txt: run make lock"
        assert requirement.specifier.contains(exact[name]), f"{requirement} does not allow {exact[name]}"


def test_every_constraint_is_exact() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name), name
        assert re.fullmatch(r"\d[\w.]*", version), f"{name} {version}"


def test_no_file_names_somebodys_home_or_this_machine(texts: dict[str, str]) -> None:
    here = {str(place) for place in (ROOT, Path.home()) if len(place.parts) > 2}
    for name, text in texts.items():
        if name == Path(__file__).relative_to(ROOT).as_posix():
            continue
        assert SOMEBODYS_HOME.search(text) is None, name
        assert not [place for place in here if place in text], name


def test_no_file_names_the_host_of_a_private_registry(texts: dict[str, str]) -> None:
    private = configured_hosts() - PUBLIC
    for name, text in texts.items():
        assert set(INDEX_URL.findall(text)) <= PUBLIC | FUNDING, name
        assert not [host for host in private if host in text], name


def configured_hosts() -> set[str]:
    """Hosts that package clients of this machine are told to use."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    variables = [value for name, value in os.environ.items() if re.search("index_url|registry|proxy", name, re.I)]
    urls = re.findall(r"https?://[^\s'\",]+", " ".join([told.stdout, *variables]))
    return {host for url in urls if (host := urlsplit(url).hostname) and host not in ("localhost", "127.0.0.1")}
