-- The live path as the API shows it: where the feed is, how agents are, bars that clients uploaded; and what makes
-- reading fast: the index by which one session, or a run of them, is read, and the symbols there are.

CREATE TABLE feed (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),  -- there is one feed
    version     bigint NOT NULL DEFAULT 1,  -- one more with every change from outside: a player that read an older one may not move on
    source      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('still', 'replay')),
    state       text NOT NULL CHECK (state IN ('still', 'running', 'paused', 'ended')),
    universe    text NOT NULL,
    frame       text NOT NULL,
    data_hash   text NOT NULL,
    clock       timestamptz NOT NULL,
    first       timestamptz NOT NULL,
    last        timestamptz NOT NULL CHECK (last >= first),
    session_s   double precision CHECK (session_s > 0),
    quarantined bigint NOT NULL CHECK (quarantined >= 0),
    context     jsonb NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE agent_state (
    name    text PRIMARY KEY,
    body    jsonb NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE bar_upload (
    data_hash   text PRIMARY KEY CHECK (data_hash ~ '^[0-9a-f]{64}$'),  -- of the uploaded bytes
    owner       text NOT NULL,
    frame       text NOT NULL,
    symbols     text[] NOT NULL,
    rows        bigint NOT NULL CHECK (rows > 0),
    first_ts    timestamptz NOT NULL,
    last_ts     timestamptz NOT NULL,
    quarantined jsonb NOT NULL,
    uploaded_at timestamptz NOT NULL
);

CREATE INDEX signal_by_session ON signal (frame, universe, as_of DESC, symbol)
    INCLUDE (action, score, complete, revision, occurred_at, signal_id);

-- Symbols that have any signal: finding them in the signals themselves means a search of every year for each of them.
CREATE TABLE signal_symbol (
    frame    text NOT NULL,
    universe text NOT NULL,
    symbol   text NOT NULL,
    PRIMARY KEY (frame, universe, symbol)
);
INSERT INTO signal_symbol SELECT DISTINCT frame, universe, symbol FROM signal;
