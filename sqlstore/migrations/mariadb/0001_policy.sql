-- MariaDB commits after each of these, so each may be run again where a migration was cut off.
CREATE TABLE IF NOT EXISTS {schema}{prefix}schema (
    version INTEGER PRIMARY KEY
) ENGINE = InnoDB;

-- One row a tenant: where its policy stands. Whoever commits updates this row first, and so commits one after another.
CREATE TABLE IF NOT EXISTS {schema}{prefix}policy (
    id        BIGINT AUTO_INCREMENT PRIMARY KEY,
    tenant    VARBINARY(1024) NOT NULL UNIQUE,
    history   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- names the line of revisions
    revision  BIGINT NOT NULL,
    stamp     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- random, of the entry of that revision
    oldest    BIGINT NOT NULL, -- the history after this revision is kept
    forgotten VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL -- the latest of the times of the changes that are not, or nothing
) ENGINE = InnoDB;

-- What the policy says now. The hash is SHA-256 of the key, which is compared byte by byte and may be long.
CREATE TABLE IF NOT EXISTS {schema}{prefix}statement (
    policy BIGINT NOT NULL,
    hash   BINARY(32) NOT NULL,
    kind   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `key`  LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    body   LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- JSON
    PRIMARY KEY (policy, hash)
) ENGINE = InnoDB;

-- The history, which is the audit log: who, why and when.
CREATE TABLE IF NOT EXISTS {schema}{prefix}entry (
    policy    BIGINT NOT NULL,
    revision  BIGINT NOT NULL,
    stamp     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor     LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    on_behalf LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reason    LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    time      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- UTC, to the nanosecond, of one width
    deltas    BIGINT NOT NULL, -- their number
    PRIMARY KEY (policy, revision)
) ENGINE = InnoDB;

-- What each change did to each statement: before is null where it was added, after where it was removed.
CREATE TABLE IF NOT EXISTS {schema}{prefix}delta (
    policy   BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    ordinal  BIGINT NOT NULL,
    hash     BINARY(32) NOT NULL,
    `before` LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    after    LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY (policy, revision, ordinal),
    INDEX {prefix}delta_hash (policy, hash, revision)
) ENGINE = InnoDB;

INSERT INTO {schema}{prefix}schema (version) VALUES (1);
