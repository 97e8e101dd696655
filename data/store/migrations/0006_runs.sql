-- Research runs: results by their id, the chunks of jobs that are done, and how many trials were ever made.

CREATE TABLE run (
    result_id  text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('backtest', 'sweep', 'walkforward')),
    title      text NOT NULL,
    spec       jsonb NOT NULL,    -- all that the result depends on
    metrics    jsonb NOT NULL,
    owner      text NOT NULL,
    job_id     text,              -- null: it was small, and ran where it was asked for
    created_at timestamptz NOT NULL
);
CREATE INDEX run_by_time ON run (created_at DESC, result_id DESC);

-- A chunk that is done is never done again. `body` says where its rows lie and what they sum up to.
CREATE TABLE job_chunk (
    job_id   text NOT NULL REFERENCES job (job_id),
    chunk_id text NOT NULL,
    node     text NOT NULL,
    work_s   double precision NOT NULL CHECK (work_s >= 0),
    body     jsonb NOT NULL,
    done_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, chunk_id)
);

-- Every parameter set that was ever evaluated counts against the best of its family. One row per chunk: written twice,
-- it counts once.
CREATE TABLE trial_count (
    chunk_key text PRIMARY KEY,
    family    text NOT NULL,
    universe  text NOT NULL,
    first_ts  timestamptz NOT NULL,
    last_ts   timestamptz NOT NULL,
    trials    bigint NOT NULL CHECK (trials > 0),
    mean      double precision NOT NULL,  -- of the Sharpe ratios per bar
    m2        double precision NOT NULL CHECK (m2 >= 0),  -- sum of their squared distances from the mean
    counted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX trial_count_by_family ON trial_count (family, universe);
