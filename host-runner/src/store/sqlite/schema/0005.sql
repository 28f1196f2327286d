-- A tenant's own transform maps. Each save appends a version, and none is changed. Where all of a map is removed, its last row stays without its
-- text, so that a number that a run names is not given again.
CREATE TABLE maps (
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    -- Of the map, whatever its layout: SHA-256, hexadecimal.
    hash TEXT NOT NULL,
    -- As it was saved; null where the map was removed.
    body TEXT,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (name, number)
);

-- The map that a run uses: name, version, number and hash as JSON.
ALTER TABLE runs ADD COLUMN map TEXT;
