-- Cross-validations are kept as runs too.

ALTER TABLE run DROP CONSTRAINT run_kind_check;
ALTER TABLE run ADD CONSTRAINT run_kind_check
    CHECK (kind IN ('backtest', 'sweep', 'walkforward', 'crossvalidation'));
