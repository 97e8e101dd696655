"""Makes `outsiders.json`: what arch, scipy and statsmodels say about seeded series that are stored with it.

    python tests/golden/statistics/make.py        in an environment with arch, scipy, statsmodels

arch's test for superior predictive ability compares means as they are (its `studentize` only sizes its bounds), which
is White's reality check where every mean is taken off. For Hansen's studentised test it is given candidates that were
divided by arch's own deviation of their mean.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from arch.bootstrap import SPA, StationaryBootstrap, optimal_block_length  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-not-found,import-untyped,unused-ignore]
from statsmodels.stats.multitest import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
    multipletests,
)

BARS, SEED, BLOCK, DRAWS = 300, 20240607, 6, 400
METHODS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "benjamini_hochberg": "fdr_bh",
    "benjamini_yekutieli": "fdr_by",
}


def main() -> None:
    """Write the file beside this one."""
    rng = np.random.default_rng(SEED)
    series = _series(rng)
    p_values = np.round(np.concatenate([rng.random(12), rng.random(8) ** 4 * 0.05, [0.01, 0.01, 1.0]]), 6)
    document = {
        "made with": {name: version(name) for name in ("arch", "scipy", "statsmodels", "numpy")},
        "series": {name: values.tolist() for name, values in series.items()},
        "moments": {
            name: {"skew": float(stats.skew(v)), "kurtosis": float(stats.kurtosis(v, fisher=False))}
            for name, v in series.items()
        },
        "block_length": {name: float(optimal_block_length(v)["stationary"].iloc[0]) for name, v in series.items()},
        "draw": {"seed": SEED, "block": BLOCK, "places": _draw()},
        "draws": {"seed": SEED, "block": BLOCK, "draws": DRAWS, "values": {n: _draws(v) for n, v in series.items()}},
        "snooping": {name: _snooping(panel) for name, panel in _panels(rng).items()},
        "corrections": {
            "p_values": p_values.tolist(),
            **{ours: multipletests(p_values, method=theirs)[1].tolist() for ours, theirs in METHODS.items()},
        },
    }
    Path(__file__).with_name("outsiders.json").write_text(json.dumps(document) + "\n")


def _series(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Returns with and without memory, with normal and fat tails."""
    noise = rng.normal(0.0004, 0.01, BARS)
    fat = rng.standard_t(4, BARS) * 0.008
    slow, short = np.zeros(BARS), np.zeros(BARS)
    for t in range(1, BARS):
        slow[t] = 0.9 * slow[t - 1] + rng.normal(0.0002, 0.005)
        short[t] = -0.3 * short[t - 1] + rng.normal(0.001, 0.01)
    return {n: np.round(v, 6) for n, v in {"noise": noise, "fat": fat, "slow": slow, "short": short}.items()}


def _panels(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    noise = rng.normal(0.0, 0.01, (BARS, 5))
    skilled = noise + np.array([0.0, 0.0, 0.0025, 0.0, 0.0])
    # means in standard errors: good, doubtful, hopeless by log log n but not by log n, hopeless by both
    means = np.array([1.5, 0.0, -1.0, -1.0, -2.6, -2.6, -2.6, -2.6, -8.0, -8.0]) / np.sqrt(BARS)
    scales = 0.01 * np.array([1.0, 1.0, 3.0, 5.0, 0.2, 1.0, 1.0, 3.0, 1.0, 3.0])
    hopeless = scales * (rng.normal(size=(BARS, 10)) + means)
    return {n: np.round(v, 6) for n, v in {"noise": noise, "skilled": skilled, "hopeless": hopeless}.items()}


def _draw() -> list[int]:
    bootstrap = StationaryBootstrap(BLOCK, np.arange(BARS), seed=np.random.default_rng(SEED))
    (drawn,), _ = next(iter(bootstrap.bootstrap(1)))
    return [int(place) for place in drawn]


def _draws(returns: NDArray[np.float64]) -> dict[str, list[float]]:
    bootstrap = StationaryBootstrap(BLOCK, returns, seed=np.random.default_rng(SEED))
    rows = bootstrap.apply(_metrics, reps=DRAWS)
    ends = np.quantile(rows, [0.025, 0.975], axis=0, method="inverted_cdf")
    return dict(zip(("sharpe", "growth", "max_drawdown"), ends.T.tolist(), strict=True))


def _metrics(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    equity = np.concatenate([[1.0], np.cumprod(1.0 + returns)])
    drawdown = (equity / np.maximum.accumulate(equity) - 1.0).min()
    return np.array([returns.mean() / returns.std(ddof=1), equity[-1], drawdown])


def _snooping(excess: NDArray[np.float64]) -> dict[str, object]:
    plain = _p_values(excess)
    sized = SPA(np.zeros(BARS), -excess, block_size=BLOCK, reps=1, seed=1)
    sized.compute()
    studentised = _p_values(excess / np.sqrt(sized._loss_diff_var))
    return {"excess": excess.tolist(), "reality_check": plain["upper"], **studentised}


def _p_values(excess: NDArray[np.float64]) -> dict[str, float]:
    test = SPA(np.zeros(BARS), -excess, block_size=BLOCK, reps=DRAWS, seed=np.random.default_rng(SEED))
    test.compute()
    return {name: float(p) for name, p in test.pvalues.items()}


if __name__ == "__main__":
    main()
