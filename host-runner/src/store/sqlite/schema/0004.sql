-- What a record was last tried with in vain: the map rejected it, and does so again until something changes.
ALTER TABLE records ADD COLUMN tried_id INTEGER;
-- 1: the kept body is not as this build, or this choice about users, would keep it. It is written anew when the record is read next.
ALTER TABLE records ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
