/**
 * The schema, one entry per version; an entry that has been released is never changed. Times are
 * milliseconds since the epoch, sizes are bytes, JSON columns hold text that is parsed on reading.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE tasks (
    task_id       TEXT PRIMARY KEY,
    token         TEXT NOT NULL,
    activity_arn  TEXT NOT NULL,
    input         TEXT NOT NULL,
    input_sha256  TEXT NOT NULL,
    run_id        TEXT NOT NULL UNIQUE,
    state         TEXT NOT NULL CHECK (state IN ('received','running','reporting','reported','lost')),
    received_at   INTEGER NOT NULL,
    last_heartbeat_at INTEGER,
    ended_at      INTEGER,
    lost_reason   TEXT,
    fence_ms      INTEGER
  ) STRICT;
  CREATE INDEX tasks_by_time ON tasks (received_at, state);
  CREATE INDEX tasks_open ON tasks (state) WHERE state IN ('received','running','reporting');

  CREATE TABLE outbox (
    task_id       TEXT PRIMARY KEY REFERENCES tasks (task_id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('success','failure')),
    payload       TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL,
    last_error    TEXT
  ) STRICT;

  CREATE TABLE runs (
    run_id        TEXT PRIMARY KEY,
    task_id       TEXT,
    script_name   TEXT NOT NULL,
    script        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued','waiting','running','succeeded','failed','cancelled','lost')),
    level         TEXT NOT NULL,
    level_reason  TEXT NOT NULL,
    profile       TEXT,
    on_failure    TEXT NOT NULL DEFAULT 'fail' CHECK (on_failure IN ('fail','return')),
    owner_pid     INTEGER NOT NULL,
    owner_started TEXT NOT NULL,
    queued_at     INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    error_name    TEXT,
    error_message TEXT,
    result        TEXT,
    audit_head    TEXT,
    paused        TEXT,
    -- How it was asked for, without secrets: JSON.
    request       TEXT,
    -- What the list is searched by, folded to lower case: name of the script, profile, name of the error.
    search        TEXT NOT NULL DEFAULT ''
  ) STRICT;
  -- The numbers of a day are answered from here alone.
  CREATE INDEX runs_by_time ON runs (queued_at DESC, state, started_at, ended_at, error_name, profile);
  CREATE INDEX runs_open ON runs (run_id) WHERE state IN ('queued', 'waiting', 'running');
  -- The list with every filter is answered from here alone: the rows themselves hold scripts and results.
  CREATE INDEX runs_list ON runs (run_id, state, level, script_name, profile, queued_at, error_name, search);

  CREATE TABLE steps (
    run_id        TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    step_number   INTEGER NOT NULL,
    name          TEXT NOT NULL,
    action        TEXT NOT NULL,
    path          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('intent','done')),
    success       INTEGER,
    started_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    result        TEXT,
    PRIMARY KEY (run_id, step_number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE artifacts (
    artifact_id   INTEGER PRIMARY KEY,
    run_id        TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL,
    path          TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    sha256        TEXT NOT NULL,
    upload        INTEGER NOT NULL,
    keep          INTEGER NOT NULL,
    masked        INTEGER NOT NULL DEFAULT 0,
    step_number   INTEGER,
    created_at    INTEGER NOT NULL,
    UNIQUE (run_id, key)
  ) STRICT;

  CREATE TABLE uploads (
    upload_id     INTEGER PRIMARY KEY,
    run_id        TEXT NOT NULL,
    path          TEXT NOT NULL,
    bucket        TEXT NOT NULL,
    key           TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    metadata      TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    sha256        TEXT NOT NULL,
    priority      INTEGER NOT NULL DEFAULT 0,
    remove_after  INTEGER NOT NULL DEFAULT 0,
    state         TEXT NOT NULL CHECK (state IN ('pending','done','failed')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_at       INTEGER NOT NULL,
    last_error    TEXT,
    multipart_id  TEXT,
    created_at    INTEGER NOT NULL,
    done_at       INTEGER,
    UNIQUE (bucket, key)
  ) STRICT;
  CREATE INDEX uploads_due ON uploads (next_at) WHERE state = 'pending';
  CREATE INDEX uploads_small ON uploads (priority DESC, next_at, upload_id)
    WHERE state = 'pending' AND size_bytes <= 1048576;
  CREATE INDEX uploads_large ON uploads (priority DESC, next_at, upload_id)
    WHERE state = 'pending' AND size_bytes > 1048576;
  CREATE INDEX uploads_done ON uploads (done_at, size_bytes) WHERE state = 'done';
  CREATE INDEX uploads_failed ON uploads (run_id) WHERE state = 'failed';
  CREATE INDEX uploads_by_run ON uploads (run_id, state);

  CREATE TABLE script_versions (
    version_id    INTEGER PRIMARY KEY AUTOINCREMENT,
    reference     TEXT NOT NULL,
    text          TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    saved_at      INTEGER NOT NULL,
    by_kind       TEXT,
    by_id         TEXT
  ) STRICT;
  CREATE INDEX script_versions_by_reference ON script_versions (reference, version_id);

  CREATE TABLE profiles (
    profile_id    TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    tags          TEXT NOT NULL DEFAULT '[]',
    description   TEXT NOT NULL DEFAULT '',
    dir           TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER,
    signed_in_at  INTEGER,
    sign_in_check TEXT,
    sign_in_outcome TEXT
  ) STRICT;

  CREATE TABLE profile_locks (
    profile_id    TEXT PRIMARY KEY REFERENCES profiles (profile_id) ON DELETE CASCADE,
    run_id        TEXT NOT NULL,
    owner_pid     INTEGER NOT NULL,
    owner_started TEXT NOT NULL,
    acquired_at   INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE processes (
    pid           INTEGER NOT NULL,
    started       TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('browser','ffmpeg')),
    owner_pid     INTEGER NOT NULL,
    owner_started TEXT NOT NULL,
    run_id        TEXT,
    user_data_dir TEXT,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (pid, started)
  ) STRICT;

  CREATE TABLE aws_values (
    key           TEXT PRIMARY KEY,
    value         TEXT NOT NULL,
    source        TEXT NOT NULL,
    fetched_at    INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE api_keys (
    key_id        TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    tier          TEXT NOT NULL CHECK (tier IN ('basic','standard','premium')),
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    revoked_at    INTEGER,
    last_used_at  INTEGER,
    day           TEXT,
    day_requests  INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE sessions (
    session_id    TEXT PRIMARY KEY,
    key_id        TEXT NOT NULL,
    key_name      TEXT NOT NULL,
    profile       TEXT,
    headed        INTEGER NOT NULL,
    level         TEXT,
    idle_timeout_ms INTEGER NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open','ended')),
    end_reason    TEXT,
    end_detail    TEXT,
    owner_pid     INTEGER NOT NULL,
    owner_started TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    ended_at      INTEGER
  ) STRICT;

  CREATE TABLE session_messages (
    message_id    TEXT PRIMARY KEY,
    session_id    TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
    script_name   TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued','running','succeeded','failed','cancelled')),
    run_id        TEXT,
    error_name    TEXT,
    error_message TEXT,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER
  ) STRICT;
  CREATE INDEX session_messages_by_session ON session_messages (session_id, message_id);

  CREATE TABLE agent_state (
    key           TEXT PRIMARY KEY,
    value         TEXT NOT NULL,
    updated_at    INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE events (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    type          TEXT NOT NULL,
    priority      INTEGER NOT NULL,
    source        TEXT NOT NULL,
    correlation_id TEXT,
    time          INTEGER NOT NULL,
    payload       TEXT NOT NULL
  ) STRICT;

  CREATE TABLE event_consumers (
    key_id        TEXT NOT NULL,
    consumer      TEXT NOT NULL,
    event_id      INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (key_id, consumer)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    seq           INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    actor_kind    TEXT NOT NULL,
    actor_id      TEXT NOT NULL,
    origin        TEXT NOT NULL,
    action        TEXT NOT NULL,
    target        TEXT NOT NULL,
    result        TEXT NOT NULL,
    details       TEXT NOT NULL,
    prev_hash     TEXT NOT NULL,
    hash          TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  -- Also against INSERT OR REPLACE, which fires no DELETE trigger.
  CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
      OR EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq - 1 AND hash <> NEW.prev_hash)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only: a row must go on where the last one ended'); END;
  `,
  `
  -- The parts of a multipart upload that S3 has, so that the next attempt sends only the others.
  CREATE TABLE upload_parts (
    upload_id     INTEGER NOT NULL REFERENCES uploads (upload_id) ON DELETE CASCADE,
    part_number   INTEGER NOT NULL,
    file_sha256   TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    etag          TEXT,
    PRIMARY KEY (upload_id, part_number)
  ) STRICT, WITHOUT ROWID;
  `,
];
