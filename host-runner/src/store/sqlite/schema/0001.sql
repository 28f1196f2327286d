-- Times are milliseconds since the epoch. All tables are rowid tables: measured at twice the speed of WITHOUT ROWID ones for these rows.

CREATE TABLE connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    component TEXT NOT NULL,
    -- The whole connection as JSON, without id and name.
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Set where the connection was removed and its data kept.
    removed_at INTEGER
);
CREATE UNIQUE INDEX connections_by_name ON connections (name) WHERE removed_at IS NULL;

CREATE TABLE secrets (
    connection_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (connection_id, name)
);

-- A data stream of a connection: short ids keep the big tables small.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (connection_id, name)
);

-- A sync may take several runs; its id is "seen in this sync" for the records.
CREATE TABLE syncs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id INTEGER NOT NULL,
    mode TEXT NOT NULL,
    scope TEXT NOT NULL,
    -- open, complete, incomplete, withheld, incremental (the end of an incremental sync), abandoned
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    checkpoint BLOB,
    ledger TEXT NOT NULL,
    -- The judgement at the end, as JSON.
    evidence TEXT
);
CREATE INDEX syncs_by_stream ON syncs (stream_id, state);

-- Where the next incremental sync of a stream begins.
CREATE TABLE checkpoints (
    stream_id INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    sync_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    committed_at INTEGER NOT NULL
);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connection_id INTEGER NOT NULL,
    stream TEXT NOT NULL,
    mode TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    sync_id INTEGER,
    resumed INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    committed_at INTEGER,
    steps INTEGER NOT NULL DEFAULT 0,
    ledger TEXT NOT NULL,
    calls TEXT,
    fault TEXT,
    warnings TEXT,
    peak_memory INTEGER,
    details TEXT
);
CREATE INDEX runs_by_connection ON runs (connection_id, state);

-- All that documents depend on besides the record. One row per combination, so that records hold a number.
CREATE TABLE makings (
    id INTEGER PRIMARY KEY,
    made_with TEXT NOT NULL UNIQUE
);

-- Source records. Bodies stand apart, so that marking a record as seen rewrites a few bytes only.
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- 0 open, 1 closed, 2 out of scope
    state INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    -- The last sync that saw it.
    sync_id INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    -- last_seen before the sync that saw it last.
    checked_before INTEGER NOT NULL,
    -- The source's own time.
    seen_at INTEGER,
    -- Null: its documents must be made anew.
    making_id INTEGER,
    closed_at INTEGER,
    evidence TEXT,
    -- Values that the map could not carry.
    problems TEXT,
    UNIQUE (stream_id, key)
);

-- Zstandard, by record id.
CREATE TABLE bodies (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);

CREATE TABLE assets (
    id INTEGER PRIMARY KEY,
    -- 0 active, 1 inactive, 2 out of scope
    state INTEGER NOT NULL,
    -- The connection that onboarded it.
    created_by INTEGER,
    onboarding_source TEXT,
    host_name TEXT,
    title TEXT,
    first_seen INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    -- JSON lists of [name, value].
    facets TEXT NOT NULL,
    identity TEXT NOT NULL,
    placeholders TEXT NOT NULL,
    body TEXT NOT NULL
);

-- Which record gives a document for which asset. The key is the document's, unique in the connection. Without an asset: parked.
-- Where the key is the record's own, as it mostly is, the link is found through the record: one index of random keys less to write.
CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    own INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    asset_id INTEGER,
    -- 0 live, 1 the record closed, 2 it is out of scope: kept, so that a record that comes back finds its asset.
    state INTEGER NOT NULL,
    finding_source TEXT,
    UNIQUE (record_id, key)
);
CREATE INDEX links_by_foreign_key ON links (key, connection_id) WHERE own = 0;
CREATE INDEX links_parked ON links (key, connection_id) WHERE asset_id IS NULL;
CREATE INDEX links_by_asset ON links (asset_id);

CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    -- The key of the asset's document, where the source knows it.
    asset_key TEXT,
    -- Null: parked.
    asset_id INTEGER,
    -- 0 open, 1 closed, 2 out of scope
    state INTEGER NOT NULL,
    -- 0 unknown to 5 critical
    severity INTEGER NOT NULL,
    finding_source TEXT,
    host_name TEXT,
    title TEXT,
    first_seen INTEGER NOT NULL,
    -- When it was last seen open, once it is not; while it is open the record knows.
    last_seen INTEGER,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    reopened_at INTEGER,
    evidence TEXT,
    facets TEXT NOT NULL,
    identity TEXT NOT NULL,
    placeholders TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (stream_id, key)
);
CREATE INDEX findings_by_record ON findings (record_id);
CREATE INDEX findings_by_asset ON findings (asset_id);
CREATE INDEX findings_parked ON findings (asset_key, connection_id) WHERE asset_id IS NULL;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    -- "k" and the key, or "h" and the SHA-256 of what could not be read.
    ident TEXT NOT NULL,
    key TEXT,
    -- Zstandard.
    raw BLOB NOT NULL,
    problems TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    times INTEGER NOT NULL,
    UNIQUE (stream_id, ident)
);

CREATE TABLE custom_fields (
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);
