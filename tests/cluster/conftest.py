"""A real local system for the tests: `goldensignals up` in a home of its own, and a Ray cluster of this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from cluster.connect import disconnect, prepare_environment, start_local
from data.contracts.panel import Panel
from data.home import RAY_TOKEN, Home
from data.market.sample import BARS, path_of
from data.market.source import SAMPLE, open_bars
from tests.cluster.installation import Ended, Installation

_HOME = pytest.StashKey[Home]()


def pytest_configure(config: pytest.Config) -> None:
    """Ray reads its settings when it is first imported, and the test modules import it."""
    folder = TemporaryDirectory(prefix="gs-test-")
    config.add_cleanup(folder.cleanup)
    home = Home(Path(folder.name) / "home")
    home.prepare()
    home.secret(RAY_TOKEN)
    config.add_cleanup(lambda: shutil.rmtree(home.scratch))
    config.stash[_HOME] = home
    prepare_environment(home.secrets / RAY_TOKEN, local=True)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """Outside pytest's own folder: that one is closed to the system user PostgreSQL runs as when we are root."""
    with TemporaryDirectory(prefix="gs-test-") as folder:
        yield Path(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gs-test-") as place:
        yield Path(place)


@pytest.fixture(scope="session")
def system(session_folder: Path) -> Iterator[Installation]:
    """The sample, served by one actor per agent: with only one, a test knows who holds a chunk."""
    installation = Installation(session_folder / "system", AGENTS__ACTORS="1")
    try:
        installation.ok("up", "--detach")
        yield installation
    finally:
        installation.close()


@pytest.fixture(scope="session")
def scan(system: Installation) -> Ended:
    """A scan of the whole sample on the running system."""
    return system.ok("scan", "--json")


@pytest.fixture(scope="session")
def local_ray(request: pytest.FixtureRequest) -> Iterator[None]:
    """This process in a Ray cluster of its own."""
    start_local(request.config.stash[_HOME].scratch / "ray", object_store_mb=256, cpus=2)
    yield
    disconnect()


@pytest.fixture(scope="session")
def sample_panel() -> Panel:
    """The bundled bars with their context, as a scan gets them."""
    panel = open_bars(SAMPLE).panel
    return panel.until(int(panel.ts.max()))


@pytest.fixture(scope="session")
def many_bars(session_folder: Path) -> Path:
    """The sample twice, under other names too: a scan that lasts long enough to be disturbed."""
    sample = pl.read_parquet(path_of(BARS))
    copies = [sample.with_columns(pl.col("symbol") + suffix) for suffix in ("", "-2")]
    file = session_folder / "many.parquet"
    pl.concat(copies).sort("symbol", "date").write_parquet(file)
    return file


@pytest.fixture(scope="session")
def few_bars(session_folder: Path) -> Path:
    """Five symbols of the sample: a system whose own work takes no time."""
    file = session_folder / "few.parquet"
    pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(["AAPL", "GE", "KO", "MSFT", "XOM"])).write_parquet(
        file
    )
    return file
