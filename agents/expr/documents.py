"""YAML that people write: one mapping, small, without aliases, and every error names the file and what to do."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from data.contracts.errors import InvalidInput

MAX_BYTES = 64 * 1024


def mapping(written: str, origin: str) -> dict[str, Any]:
    """YAML text as a mapping of texts to values. Raises InvalidInput naming the line."""
    if len(written) > MAX_BYTES:
        raise InvalidInput(f"{origin}: {MAX_BYTES // 1024} KiB are allowed, this has {len(written) // 1024} KiB")
    if "&" in written and any(isinstance(token, yaml.AliasToken) for token in _tokens(written, origin)):
        raise InvalidInput(f"{origin}: YAML aliases (*name) are not allowed; write it out")
    try:
        content = yaml.load(written, Loader=_Loader)  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(f"{origin}: this is not YAML: {_one_line(error)}") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise InvalidInput(f"{origin}: expected keys and values such as enter: close > sma(200)")
    return content


def only(content: Mapping[str, Any], known: tuple[str, ...], origin: str, where: str) -> None:
    """Raise InvalidInput for a key that is not known, with the closest one that is; `where` goes before it."""
    for key in content:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            raise InvalidInput(f"{origin}: there is no key {where}{key}; {hint}")


def words(content: Mapping[str, Any], key: str, origin: str) -> str:
    """A text of one line, empty when it is not there. Raises InvalidInput for what is no text."""
    value = content.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{origin}: {key} must be a text, not {value!r}")
    return " ".join(value.split())


def _tokens(written: str, origin: str) -> list[Any]:
    try:
        return list(yaml.scan(written, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"{origin}: this is not YAML: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Refuses a key that stands there twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        twice = [key for key, times in keys.items() if times > 1]
        if twice:
            raise ValueError(f"the key {twice[0]!r} stands there twice")
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made
