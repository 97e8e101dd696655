"""Writes the catalogue of indicators: `make docs`. The pictures show the last bars of AAPL in the bundled sample."""

from pathlib import Path

from agents.indicators.docs import pages, pictures
from data.market.source import SAMPLE, open_bars

HERE = Path(__file__).parent


def main() -> None:
    """Write every page and picture."""
    panel = open_bars(SAMPLE).panel
    bars, other = panel.of("AAPL"), panel.of("MSFT")
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    for path, text in (pages() | pictures({**columns, "other": other.close})).items():
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_text(text)


if __name__ == "__main__":
    main()
