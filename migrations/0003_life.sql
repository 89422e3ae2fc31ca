-- Pause, retry, limits and dependencies of any kind; a record of every step of every job's life.

-- What becomes of the job when one that it needs ends without success.
ALTER TABLE jobs ADD COLUMN on_dependency_failure TEXT NOT NULL DEFAULT 'cancel'
  CONSTRAINT on_dependency_failure_is_known CHECK (on_dependency_failure IN ('cancel', 'run'));
-- Milliseconds that it may run, all attempts together.
ALTER TABLE jobs ADD COLUMN max_duration_ms INTEGER
  CONSTRAINT max_duration_is_positive CHECK (max_duration_ms > 0);
ALTER TABLE jobs ADD COLUMN max_attempts INTEGER NOT NULL DEFAULT 1
  CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0);
-- Attempts that have ended with an error of their own.
ALTER TABLE jobs ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
-- Milliseconds that attempts before the present one ran.
ALTER TABLE jobs ADD COLUMN ran_ms INTEGER NOT NULL DEFAULT 0;
-- When the present attempt, or the last one, was claimed.
ALTER TABLE jobs ADD COLUMN claimed_at_ms INTEGER;
-- A queued job is not claimed before this time.
ALTER TABLE jobs ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;
-- When and by whom the job was brought into its state.
ALTER TABLE jobs ADD COLUMN changed_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN changed_by TEXT NOT NULL DEFAULT 'daemon'
  CONSTRAINT changed_by_is_known CHECK (changed_by IN ('user', 'worker', 'daemon'));

UPDATE jobs SET changed_at_ms = coalesce(finished_at_ms, started_at_ms, created_at_ms),
  claimed_at_ms = started_at_ms;

-- The table of JobModel's `Transition`.
DROP TRIGGER jobs_transition_is_legal;
CREATE TRIGGER jobs_transition_is_legal BEFORE UPDATE OF state ON jobs
WHEN NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
  'blocked>queued', 'blocked>cancelled',
  'queued>running', 'queued>paused', 'queued>cancelled',
  'running>queued', 'running>pausing', 'running>paused', 'running>cancelling',
  'running>succeeded', 'running>failed', 'running>cancelled',
  'pausing>running', 'pausing>paused', 'pausing>cancelling',
  'pausing>succeeded', 'pausing>failed', 'pausing>cancelled',
  'paused>queued', 'paused>cancelled',
  'cancelling>cancelled', 'cancelling>succeeded', 'cancelling>failed',
  'failed>queued', 'failed>blocked', 'cancelled>queued', 'cancelled>blocked')
BEGIN
  SELECT RAISE(ABORT, 'transition_is_legal');
END;

-- Every step of every job, written by the triggers below, so that none can be forgotten.
CREATE TABLE transitions (
  -- Rises over all jobs; never used twice, so that a reader can go on behind the last one it has seen.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  at_ms INTEGER NOT NULL,
  -- NULL: the job was queued.
  from_state TEXT,
  to_state TEXT NOT NULL,
  reason TEXT,
  message TEXT,
  actor TEXT NOT NULL,
  attempt INTEGER NOT NULL
) STRICT;

CREATE INDEX transitions_by_job ON transitions (job, id);

INSERT INTO transitions (job, at_ms, to_state, reason, message, actor, attempt)
SELECT sequence, changed_at_ms, state, reason, message, 'daemon', attempt FROM jobs ORDER BY sequence;

CREATE TRIGGER jobs_arrival_is_recorded AFTER INSERT ON jobs
BEGIN
  INSERT INTO transitions (job, at_ms, to_state, reason, message, actor, attempt)
  VALUES (NEW.sequence, NEW.changed_at_ms, NEW.state, NEW.reason, NEW.message, NEW.changed_by, NEW.attempt);
END;

CREATE TRIGGER jobs_transition_is_recorded AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO transitions (job, at_ms, from_state, to_state, reason, message, actor, attempt)
  VALUES (NEW.sequence, NEW.changed_at_ms, OLD.state, NEW.state, NEW.reason, NEW.message, NEW.changed_by,
    NEW.attempt);
END;

-- Jobs whose rows are gone and whose files may not be yet.
CREATE TABLE deletions (
  id TEXT PRIMARY KEY,
  deleted_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
