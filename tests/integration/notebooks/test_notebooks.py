"""The notebooks show what this code computes: each is run from nothing and its outputs are those that are kept."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from notebooks.remake import executed, notebooks

pytestmark = pytest.mark.timeout(480)
NAMES = [path.name for path in notebooks()]


def shown(notebook: Any) -> list[list[dict[str, Any]]]:
    """What stands under each cell of code: texts, tables and pictures."""
    kept = ("output_type", "name", "text", "data", "ename", "evalue")
    return [
        [{key: output[key] for key in kept if key in output} for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("path", notebooks(), ids=NAMES)
def test_a_notebook_shows_what_it_computes(path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = shown(nbformat.read(path, as_version=4))
    found = shown(executed(path, tmp_path_factory.mktemp("nb")))
    for number, (before, now) in enumerate(zip(kept, found, strict=True), start=1):
        assert before == now, f"cell {number} of {path.name}; run: python -m notebooks.remake"
    assert not [output for cell in found for output in cell if output.get("name") == "stderr"]


@pytest.mark.parametrize("path", notebooks(), ids=NAMES)
def test_a_kept_notebook_has_nothing_of_where_or_when_it_was_run(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in notebook.cells)
    assert str(Path.home()) not in path.read_text(encoding="utf-8")
    assert path.stat().st_size < 200_000


def test_there_are_notebooks() -> None:
    assert NAMES == ["01_first_scan.ipynb", "02_from_sweep_to_walk_forward.ipynb"]
