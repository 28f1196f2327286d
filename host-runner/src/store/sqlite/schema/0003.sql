-- What a run says of the connection's component: 0 it came to its end, 1 the component ended it (a trap, a limit, a broken contract), null nothing.
ALTER TABLE runs ADD COLUMN conduct INTEGER;
CREATE INDEX runs_by_conduct ON runs (connection_id, id) WHERE conduct IS NOT NULL;

-- Someone looked: runs up to this one do not count any more.
ALTER TABLE connections ADD COLUMN looked_at_run INTEGER NOT NULL DEFAULT 0;

-- Connections that are not run until someone looks.
CREATE TABLE set_aside (
    connection_id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- The run that was the last straw.
    run_id INTEGER NOT NULL,
    in_a_row INTEGER NOT NULL,
    reason TEXT NOT NULL
);
