-- The tables that this host has had for years. Rolecall adds nothing to them.

CREATE TABLE users (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    disabled BOOLEAN NOT NULL DEFAULT false
);

CREATE TABLE teams (
    id     TEXT PRIMARY KEY,
    parent TEXT REFERENCES teams (id)
);

CREATE TABLE team_members (
    team  TEXT NOT NULL REFERENCES teams (id),
    "user" TEXT NOT NULL REFERENCES users (id),
    until TIMESTAMPTZ, -- the end of a contract
    PRIMARY KEY (team, "user")
);

CREATE TABLE projects (
    id           TEXT PRIMARY KEY,
    team         TEXT NOT NULL REFERENCES teams (id),
    lead         TEXT REFERENCES users (id),
    confidential BOOLEAN NOT NULL DEFAULT false
);

-- So that a change is enforced at once rather than at the next poll.
CREATE FUNCTION policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY policy_changed;
    RETURN NULL;
END $$;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON users FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON teams FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON team_members FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION policy_changed();
