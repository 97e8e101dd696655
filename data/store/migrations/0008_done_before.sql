-- What earlier attempts of a job had done when the present one began: its rate must not count that.

ALTER TABLE job ADD COLUMN done_before bigint NOT NULL DEFAULT 0 CHECK (done_before >= 0);
