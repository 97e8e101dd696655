-- Size of the uploaded bytes, for the limit on what one owner keeps. 0: taken in before sizes were written down.
ALTER TABLE bar_upload ADD COLUMN bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0);
CREATE INDEX bar_upload_by_owner ON bar_upload (owner);
