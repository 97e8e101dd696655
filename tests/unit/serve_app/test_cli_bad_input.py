"""Whatever is typed wrongly ends in one sentence that says what to do, before any server is started."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from data.home import Home
from tests.unit.serve_app.command_line import Answer
from tests.unit.serve_app.conftest import Cli

HEAD = "symbol,date,open,high,low,close,volume\n"
FILES = {
    "empty.csv": "",
    "head.csv": HEAD,
    "noclose.csv": "symbol,date,open,high,low,volume\nA,2018-01-02,1,2,0.5,10\n",
    "text.csv": HEAD + "A,2018-01-02,1,2,0.5,dear,10\nA,2018-01-03,1,2,0.5,1.5,10\n",
    "minutes.csv": HEAD.replace("date", "time") + "A,2018-01-02 10:00:00,1,2,1,1,9\nA,2018-01-02 10:01:00,1,2,1,1,9\n",
    "torn.parquet": "PAR1 and then nothing",
    "bars.txt": HEAD,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(answer: Answer, code: int) -> str:
    """The sentence of a refusal, after checking that there is nothing else."""
    said = answer.err
    assert answer.code == code, said
    assert answer.out == ""
    assert "Traceback" not in said
    assert said.strip()
    return said


def no_server_was_started(home: Home) -> bool:
    """Servers keep data, sockets and logs in the home and its scratch; a refusal leaves only folders and a lock."""
    places = [path for folder in (home.path, home.scratch) for path in folder.rglob("*")]
    return [path.name for path in places if not path.is_dir() and path.name != "stack.lock"] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("scan --bars missing.csv", "there is no file missing.csv"),
        ("scan --bars minute.csv", "did you mean minutes.csv"),
        ("scan --bars empty.csv", "empty.csv is an empty file"),
        ("scan --bars head.csv", "head.csv has no rows"),
        ("scan --bars noclose.csv", "noclose.csv has no close column; columns seen: symbol, date"),
        ("scan --bars text.csv", "column 'close' holds text where a number should be: 'dear' in row 1"),
        ("scan --bars torn.parquet", "torn.parquet cannot be read"),
        ("scan --bars nothing", "holds no .parquet or .csv file"),
        ("scan --bars minutes.csv", "open or the close of its bar"),
        ("scan --bars minutes.csv --stamp open", "have no zone; pass"),
        ("scan --bars minutes.csv --stamp middle", "'middle' is not one of"),
        ("scan --bars minutes.csv --stamp open --tz Mars/Olympus", "use an IANA name"),
        ("scan --bars minutes.csv --frame 7q", "there is no frame '7q'; use 1d"),
        ("scan --universe @sp50", "did you mean @sp500"),
        ("scan --universe AAPL,APPL", "there is no symbol 'APPL' in these bars; did you mean"),
        ("scan --universe list.txt", "there is no file list.txt with symbols"),
        ("scan --agents tred", "there is no agent tred; known: mean_reversion"),
        ("scan --agents ,", "leave --agents out to ask all"),
        ("scan --as-of 2030-01-01", "outside these bars; they run from 2013-02-08"),
        ("scan --as-of 1999-01-01", "outside these bars; they run from 2013-02-08"),
        ("scan --as-of 2018-13-45", "'2018-13-45' is no date; write one like 2018-02-05"),
        ("scan --as-of 2018-02-05T10:00", "no time zone; add one"),
        ("scan --out signals.xlsx", "ends in .json, .csv, .parquet, .html"),
        ("scan --out away/signals.csv", "there is no folder away; make it first"),
        ("scan --out nothing", "is a directory"),
        ("scan --top 0", "greater than or equal to 1"),
        ("signal", "Missing argument"),
        ("signal NOPE", "there is no symbol 'NOPE'"),
        ("signal AAPL,MSFT", "goldensignals scan --universe A,B"),
        ("signal @sp500", "goldensignals scan --universe A,B"),
        ("agents show tred", "there is no agent tred"),
        ("agents check tred", "there is no agent tred"),
        ("agents check trend --bars missing.csv", "there is no file missing.csv"),
        ("indicators rsii", "did you mean rsi"),
        ("data check missing.parquet", "there is no file missing.parquet"),
        ("data check head.csv", "head.csv has no rows"),
        ("data list --out list.doc", "ends in .json, .csv, .parquet, .html"),
        ("status --out parts.doc", "ends in .json, .csv, .parquet, .html"),
        ("doctor --out away/checks.csv", "there is no folder away; make it first"),
        ("admin rebuild --out rebuilt.doc", "ends in .json, .csv, .parquet, .html"),
        ("users list --out users.doc", "ends in .json, .csv, .parquet, .html"),
        ("cluster status --out state.doc", "ends in .json, .csv, .parquet, .html"),
        ("scam", "No such command 'scam'"),
        ("scan --agent trend", "No such option"),
    ],
)
def test_wrong_usage_is_refused_with_what_to_do(cli: Cli, folder: Path, home: Home, args: str, said: str) -> None:
    assert said in " ".join(refused(cli(*args.split()), 2).replace("│", " ").split())
    assert no_server_was_started(home)


@pytest.mark.parametrize("option", ["--bars", "--universe"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_shell_variable_does_not_mean_the_whole_sample(cli: Cli, home: Home, option: str, value: str) -> None:
    assert f"{option} is empty; give it a value" in refused(cli("scan", option, value), 2)
    assert no_server_was_started(home)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GS_POSGRES__URL", "x", "there is no setting GS_POSGRES__URL"),
        ("GS_POSTGRES__POOLSIZE", "8", "there is no setting GS_POSTGRES__POOLSIZE"),
        ("GS_POSTGRES__URL", "hunter2", "the URL must begin with postgresql://"),
        ("GS_RAY__ADDRESS", "nonsense", "write host:port"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_starts(
    cli: Cli, home: Home, name: str, value: str, said: str
) -> None:
    answer = cli("scan", **{name: value})
    assert said in refused(answer, 2)
    assert "hunter2" not in answer.err
    assert no_server_was_started(home)


@pytest.mark.parametrize(
    "args", [("scan", "--universe", "AAPL", "--agents", "trend"), ("signal", "AAPL"), ("admin", "rebuild")]
)
def test_a_postgresql_that_does_not_answer_is_unavailable(cli: Cli, home: Home, args: tuple[str, ...]) -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://user:hunter2@127.0.0.1:{taken.getsockname()[1]}/db"
        said = refused(cli(*args, GS_POSTGRES__URL=url), 3)
    assert "PostgreSQL is down" in said
    assert "hunter2" not in said
    assert no_server_was_started(home)


def test_a_ray_address_of_nothing_is_unavailable_at_once(cli: Cli, home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = refused(cli("scan", GS_RAY__ADDRESS=address), 3)
    assert f"the Ray cluster at {address} does not answer" in said
    assert no_server_was_started(home)


@pytest.mark.parametrize("args", [("scan",), ("signal", "AAPL"), ("admin", "rebuild")])
def test_a_home_that_cannot_be_written_fails_with_the_way_out(cli: Cli, args: tuple[str, ...]) -> None:
    said = refused(cli(*args, GS_HOME="/dev/null/home"), 1)
    assert "cannot make /dev/null/home" in said
    assert "point GS_HOME at a folder that can be written" in said


def test_what_only_looks_works_without_a_home(cli: Cli) -> None:
    assert cli("down", GS_HOME="/dev/null/home").code == 0
    assert cli("status", GS_HOME="/dev/null/home").code == 3
    found = cli("doctor", GS_HOME="/dev/null/home")
    assert found.code == 1
    assert "point GS_HOME elsewhere" in " ".join(found.out.split())


def test_up_refuses_missing_bars_before_it_starts_anything(tmp_path: Path, environ: None, home: Home) -> None:
    """In a process of its own, for `up` takes over the signals."""
    command = [sys.executable, "-m", "serve_app.cli", "up", "--source", str(tmp_path / "missing.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = refused(Answer(done.returncode, done.stdout, done.stderr), 2)
    assert "there is no file" in said
    assert not (home.path / "postgres").exists()


@pytest.mark.parametrize("args", ["", "agents", "data", "admin"])
def test_a_command_without_a_verb_shows_the_verbs(cli: Cli, args: str) -> None:
    answer = cli(*args.split())
    assert "Usage: goldensignals" in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_the_version_is_said(cli: Cli) -> None:
    answer = cli("--version")
    assert answer.code == 0
    assert answer.out.startswith("goldensignals ")
