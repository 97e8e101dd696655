"""What a result stands for: its id, and a strategy as plain data that can be read back.

The same id means the same bits. It is made of everything a result depends on: the question (`spec`), this code, and how
this machine calculates. What depends on other results (how many trials there were) is no part of it.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from typing import Any

from agents.backtest.catalogue import load_mapping
from agents.backtest.strategy import Bound, Param, Strategy
from agents.fingerprint import code_version, numeric_fingerprint

_LARGEST = sys.float_info.max  # stands for no limit: files and JSON know no infinity


def definition(strategy: Strategy) -> dict[str, Any]:
    """A strategy as the mapping that its YAML file would hold."""
    rules = {key: expression.text for key, expression in strategy.expressions.items()}
    told = {"description": strategy.description, "source": strategy.source}
    params = {param.name: _param(param) for param in strategy.params}
    return {"name": strategy.name, **told, "params": params, **rules}


def defined(content: Mapping[str, Any]) -> Strategy:
    """The strategy of such a mapping."""
    return load_mapping(dict(content), origin=str(content.get("name", "strategy")))


def bound(spec: Mapping[str, Any]) -> Bound:
    """Strategy and values of a spec."""
    return defined(spec["strategy"]).bind(**spec["params"])


def result_id(spec: Mapping[str, Any]) -> str:
    """32 hex digits. spec: plain JSON; the order of its keys does not matter."""
    return spec_id({"spec": spec, "code": code_version(), "numbers": numeric_fingerprint()})


def spec_id(spec: Mapping[str, Any]) -> str:
    """Names the question alone: asked again with newer code, it is still the same trial."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _param(param: Param) -> dict[str, Any]:
    told: dict[str, Any] = {"description": param.description}
    if param.default is not None:
        told["default"] = param.default
    if param.kind == "symbol":
        return {"kind": "symbol", **told}
    # floats whatever they were: PostgreSQL gives a whole 1.8e308 back with all its digits, as an integer
    low, high = float(max(param.low, -_LARGEST)), float(min(param.high, _LARGEST))
    return {"low": low, "high": high, "whole": param.whole, **told}
