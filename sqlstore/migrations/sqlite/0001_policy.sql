CREATE TABLE {prefix}schema (
    version INTEGER PRIMARY KEY
);

-- One row a tenant: where its policy stands. Whoever commits updates this row first, and so commits one after another.
CREATE TABLE {prefix}policy (
    id        INTEGER PRIMARY KEY,
    tenant    TEXT NOT NULL UNIQUE,
    history   TEXT NOT NULL,    -- names the line of revisions
    revision  INTEGER NOT NULL,
    stamp     TEXT NOT NULL,    -- random, of the entry of that revision
    oldest    INTEGER NOT NULL, -- the history after this revision is kept
    forgotten TEXT NOT NULL     -- the latest of the times of the changes that are not, or nothing
);

-- What the policy says now. The hash is SHA-256 of the key, which is compared byte by byte and may be long.
CREATE TABLE {prefix}statement (
    policy INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL,
    body   TEXT NOT NULL, -- JSON
    PRIMARY KEY (policy, hash)
) WITHOUT ROWID;

-- The history, which is the audit log: who, why and when.
CREATE TABLE {prefix}entry (
    policy    INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    stamp     TEXT NOT NULL,
    actor     TEXT NOT NULL,
    on_behalf TEXT NOT NULL,
    reason    TEXT NOT NULL,
    time      TEXT NOT NULL, -- UTC, to the nanosecond, of one width
    deltas    INTEGER NOT NULL, -- their number
    PRIMARY KEY (policy, revision)
);

-- What each change did to each statement: before is null where it was added, after where it was removed.
CREATE TABLE {prefix}delta (
    policy   INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    before   TEXT,
    after    TEXT,
    PRIMARY KEY (policy, revision, ordinal)
) WITHOUT ROWID;

CREATE INDEX {prefix}delta_hash ON {prefix}delta (policy, hash, revision);

INSERT INTO {prefix}schema (version) VALUES (1);
