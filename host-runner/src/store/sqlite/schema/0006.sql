-- Who an asset is: what its sources say that identifies it, and the rules that compare it.

-- One row. Changed rules make the keys anew, in one transaction with them.
CREATE TABLE identification (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- JSON list of rules in their order; null where they are the default.
    rules TEXT,
    -- By which normal forms the keys were made: a build that has others makes them anew. 0: not yet made.
    forms INTEGER NOT NULL
);
INSERT INTO identification (id, rules, forms) VALUES (1, NULL, 0);

-- Under what an asset is found: a row per rule and combination of values, as a number. Narrow, and so faster without a row id.
CREATE TABLE asset_keys (
    key INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    PRIMARY KEY (key, asset_id)
) WITHOUT ROWID;

-- What records wait for: their documents are made anew when an asset gains or loses such a key.
CREATE TABLE waiting (
    key INTEGER NOT NULL,
    record_id INTEGER NOT NULL,
    PRIMARY KEY (key, record_id)
) WITHOUT ROWID;
CREATE INDEX waiting_by_record ON waiting (record_id);

-- What the platform knew before any connection, or besides them: such an asset is fed by no record, and stays.
CREATE TABLE imported (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    -- The source's own id for it, or what stands for one.
    key TEXT NOT NULL,
    asset_id INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    UNIQUE (source, key)
);
CREATE INDEX imported_by_asset ON imported (asset_id);

-- Documents that a rule found several assets for.
CREATE TABLE ambiguous (
    id INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    -- 0 asset, 1 finding
    kind INTEGER NOT NULL,
    -- The document's.
    key TEXT NOT NULL,
    rule TEXT NOT NULL,
    -- JSON list: the document's keys for the rule.
    keys TEXT NOT NULL,
    -- 1: only assets that the connection knows under no other key.
    others INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (record_id, kind, key)
);

-- Documents that look like another asset of the same connection: the agent was installed again.
CREATE TABLE duplicates (
    id INTEGER PRIMARY KEY,
    record_id INTEGER NOT NULL,
    -- The documents' keys, the lesser of the two as the other.
    key TEXT NOT NULL,
    other_record_id INTEGER NOT NULL,
    other_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (record_id, key, other_record_id, other_key)
);
CREATE INDEX duplicates_by_other ON duplicates (other_record_id);

-- Values that identify an asset are kept with who says so: until now there was one.
UPDATE assets SET identity = (
    SELECT json_group_array(json_array(j.value ->> 0, j.value ->> 1,
               'c' || coalesce(assets.created_by, (SELECT min(l.connection_id) FROM links AS l WHERE l.asset_id = assets.id), 0)))
    FROM json_each(assets.identity) AS j);

-- What waits says from now on for what; it says so when it is made anew.
UPDATE records SET making_id = NULL WHERE parked;
