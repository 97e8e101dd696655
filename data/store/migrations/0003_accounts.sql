-- Accounts, their logins and their API keys. Passwords, refresh tokens and the secrets of keys are hashes.

CREATE TABLE account (
    user_id       uuid PRIMARY KEY,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('viewer', 'trader', 'admin')),
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true,
    epoch         integer NOT NULL DEFAULT 1,  -- access tokens of another epoch are refused
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX account_name ON account (lower(name));

-- A login is a family of refresh tokens. Only tokens of its generation are good; those of the one before, for a few
-- seconds after `rotated_at`. An ended login is deleted, and its tokens with it.
CREATE TABLE login (
    family     uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    offline    boolean NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    rotated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_of_user ON login (user_id);
CREATE INDEX login_expires ON login (expires_at);

CREATE TABLE refresh_token (
    token_hash bytea PRIMARY KEY,
    family     uuid NOT NULL REFERENCES login ON DELETE CASCADE,
    generation integer NOT NULL,
    issued_at  timestamptz NOT NULL
);
CREATE INDEX refresh_token_of_login ON refresh_token (family, issued_at);

CREATE TABLE api_key (
    key_id       text PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    name         text NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_key_of_user ON api_key (user_id, created_at);
