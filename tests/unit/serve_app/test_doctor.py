"""Every finding that is not ok says how to repair it, and looking changes nothing."""

import socket
from pathlib import Path

import pytest

from agents.fingerprint import numeric_fingerprint
from data.home import Home
from data.settings import Settings
from serve_app import doctor
from serve_app.doctor import Check, examine


def by_name(checks: list[Check]) -> dict[str, Check]:
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_a_sound_machine_passes_what_does_not_depend_on_its_size(environ: None) -> None:
    checks = by_name(examine(Settings.load()))
    for name in ("python", "package ray", "package ta-lib", "home", "kernels", "sample data"):
        assert checks[name].ok, checks[name]
    assert numeric_fingerprint() in checks["kernels"].detail
    assert "sp500_daily 619" in checks["sample data"].detail


def test_every_finding_has_a_repair_exactly_when_it_is_not_ok(environ: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GS_HOME", "/dev/null/home")
    monkeypatch.setenv("GS_RAY__OBJECT_STORE_MB", "100000000")
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("GS_API__PORT", str(server.getsockname()[1]))
        checks = examine(Settings.load())
    assert {check.name: check.ok for check in checks if check.name in ("home", "port")} == {
        "home": False,
        "port": False,
    }
    if Path("/dev/shm").is_dir():
        assert "lower GS_RAY__OBJECT_STORE_MB" in str(by_name(checks)["shared memory"].repair)
    for check in checks:
        assert (check.repair is None) == check.ok, check
        assert check.detail


def test_a_package_that_is_not_installed_is_found_missing() -> None:
    assert doctor._package("no-such-package-of-ours") == Check(
        "package no-such-package-of-ours", False, "not installed", "run: make setup"
    )
    assert doctor._package("numpy").ok


def test_a_check_whose_look_fails_is_a_finding_with_the_reason() -> None:
    def look() -> str:
        raise ImportError("libta.so is gone")

    found = doctor._guarded("kernels", look, "run: make setup")
    assert found == Check("kernels", False, "ImportError: libta.so is gone", "run: make setup")


def test_looking_leaves_only_empty_folders(environ: None, home: Home) -> None:
    examine(Settings.load())
    assert [path for path in home.path.rglob("*") if path.is_file()] == []
