-- How well a training goes, its metrics as columns, and kinds of jobs that later versions may add to: `jobs`
-- is built again, as SQLite cannot change a CHECK.

-- It refers to `jobs`, which is not there for a moment.
DROP TRIGGER transitions_are_told;

CREATE TABLE rebuilt_jobs (
  -- Order of arrival: the queue is first in, first out inside a priority, and lists show the newest first.
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL CONSTRAINT id_is_unique UNIQUE,
  -- One that the program knows; which those are changes with the program.
  kind TEXT NOT NULL,
  name TEXT,
  notes TEXT,
  labels TEXT NOT NULL,
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  -- For programs; the message is for people.
  reason TEXT,
  message TEXT,
  -- How a job that is cancelling was asked to end.
  cancel_mode TEXT,
  -- The resolved specification.
  spec TEXT NOT NULL,
  -- Counts the claims. A write on behalf of an older attempt changes nothing.
  attempt INTEGER NOT NULL DEFAULT 0,
  -- The daemon's life in which the job was claimed or adopted last.
  boot_id TEXT,
  -- Deaths of its worker without a new checkpoint in between.
  crashes INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  finished_at_ms INTEGER,
  -- Optimiser steps of the whole run, once known.
  steps INTEGER,
  -- The last metric line as it was recorded.
  latest TEXT,
  -- What an evaluation found.
  result TEXT,
  -- Bytes of the event file that are in `events`.
  ingest_offset INTEGER NOT NULL DEFAULT 0,
  -- The highest sequence that `events` has had for this job.
  event_sequence INTEGER NOT NULL DEFAULT 0,
  -- Counts the changes of this row.
  revision INTEGER NOT NULL DEFAULT 1,
  -- What happens to the job when one that it needs ends without success.
  on_dependency_failure TEXT NOT NULL DEFAULT 'cancel',
  -- Milliseconds that it may run, all attempts together.
  max_duration_ms INTEGER,
  max_attempts INTEGER NOT NULL DEFAULT 1,
  -- Attempts that have ended with an error of their own.
  failures INTEGER NOT NULL DEFAULT 0,
  -- Milliseconds that attempts before the present one ran.
  ran_ms INTEGER NOT NULL DEFAULT 0,
  -- When the present attempt, or the last one, was claimed.
  claimed_at_ms INTEGER,
  -- A queued job is not claimed before this time.
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  -- When and by whom the job was brought into its state.
  changed_at_ms INTEGER NOT NULL DEFAULT 0,
  changed_by TEXT NOT NULL DEFAULT 'daemon',
  -- The ids of the jobs that it needs, oldest first, as a JSON array. Those that were deleted since stay.
  needed_jobs TEXT NOT NULL DEFAULT '[]',
  -- How its worker judges the training, why, and at which step.
  health TEXT NOT NULL DEFAULT 'unknown',
  health_message TEXT,
  health_step INTEGER,
  -- Of each metric: last value, mean of the last tenth, extremes, step of the best; a JSON object.
  summary TEXT,

  CONSTRAINT state_is_known CHECK (state IN (
    'blocked', 'queued', 'running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')),
  CONSTRAINT priority_is_in_range CHECK (priority BETWEEN 0 AND 100),
  CONSTRAINT cancel_mode_is_known CHECK (cancel_mode IN ('graceful', 'now')),
  CONSTRAINT cancelling_has_a_mode CHECK (state <> 'cancelling' OR cancel_mode IS NOT NULL),
  CONSTRAINT finished_has_its_time CHECK (
    (state IN ('succeeded', 'failed', 'cancelled')) = (finished_at_ms IS NOT NULL)),
  CONSTRAINT active_was_claimed CHECK (
    state NOT IN ('running', 'pausing', 'cancelling')
    OR (attempt > 0 AND boot_id IS NOT NULL AND started_at_ms IS NOT NULL)),
  CONSTRAINT unsuccessful_has_a_reason CHECK (state NOT IN ('failed', 'cancelled') OR reason IS NOT NULL),
  CONSTRAINT labels_are_json CHECK (json_valid(labels)),
  CONSTRAINT spec_is_json CHECK (json_valid(spec)),
  CONSTRAINT counters_are_not_negative CHECK (
    attempt >= 0 AND crashes >= 0 AND ingest_offset >= 0 AND event_sequence >= 0),
  CONSTRAINT on_dependency_failure_is_known CHECK (on_dependency_failure IN ('cancel', 'run')),
  CONSTRAINT max_duration_is_positive CHECK (max_duration_ms > 0),
  CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
  CONSTRAINT changed_by_is_known CHECK (changed_by IN ('user', 'worker', 'daemon')),
  CONSTRAINT needed_jobs_are_json CHECK (json_valid(needed_jobs)),
  CONSTRAINT health_is_known CHECK (health IN ('unknown', 'good', 'warning', 'collapsed', 'diverging')),
  CONSTRAINT summary_is_json CHECK (summary IS NULL OR json_valid(summary))
) STRICT;

INSERT INTO rebuilt_jobs (sequence, id, kind, name, notes, labels, priority, state, reason, message,
  cancel_mode, spec, attempt, boot_id, crashes, created_at_ms, started_at_ms, finished_at_ms, steps, latest,
  result, ingest_offset, event_sequence, revision, on_dependency_failure, max_duration_ms, max_attempts,
  failures, ran_ms, claimed_at_ms, not_before_ms, changed_at_ms, changed_by, needed_jobs)
SELECT sequence, id, kind, name, notes, labels, priority, state, reason, message,
  cancel_mode, spec, attempt, boot_id, crashes, created_at_ms, started_at_ms, finished_at_ms, steps, latest,
  result, ingest_offset, event_sequence, revision, on_dependency_failure, max_duration_ms, max_attempts,
  failures, ran_ms, claimed_at_ms, not_before_ms, changed_at_ms, changed_by, needed_jobs
FROM jobs ORDER BY sequence;

-- The numbers of deleted jobs are not used again.
DELETE FROM sqlite_sequence WHERE name = 'rebuilt_jobs';
INSERT INTO sqlite_sequence (name, seq) SELECT 'rebuilt_jobs', seq FROM sqlite_sequence WHERE name = 'jobs';

DROP TABLE jobs;
ALTER TABLE rebuilt_jobs RENAME TO jobs;

CREATE INDEX jobs_by_state ON jobs (state, priority DESC, sequence);
CREATE INDEX jobs_by_state_and_age ON jobs (state);
CREATE INDEX jobs_by_kind_and_age ON jobs (kind);
CREATE INDEX jobs_by_state_kind_and_age ON jobs (state, kind);
CREATE INDEX jobs_by_health_and_age ON jobs (health);

-- The table of JobModel's `Transition`.
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

CREATE TRIGGER jobs_begin_waiting BEFORE INSERT ON jobs WHEN NEW.state NOT IN ('blocked', 'queued')
BEGIN
  SELECT RAISE(ABORT, 'jobs_begin_waiting');
END;

CREATE TRIGGER feed_tells_new_jobs AFTER INSERT ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

CREATE TRIGGER feed_tells_changes AFTER UPDATE OF state, name, notes, labels, priority, health ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

CREATE TRIGGER feed_tells_removals AFTER DELETE ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (OLD.sequence, OLD.id, 'deleted');
END;

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

CREATE TRIGGER labels_of_new_jobs AFTER INSERT ON jobs
BEGIN
  INSERT INTO job_labels (job, key, value) SELECT NEW.sequence, key, value FROM json_each(NEW.labels);
END;

CREATE TRIGGER labels_that_change AFTER UPDATE OF labels ON jobs WHEN NEW.labels <> OLD.labels
BEGIN
  DELETE FROM job_labels WHERE job = NEW.sequence;
  INSERT INTO job_labels (job, key, value) SELECT NEW.sequence, key, value FROM json_each(NEW.labels);
END;

CREATE TRIGGER job_counts_of_new_jobs AFTER INSERT ON jobs
BEGIN
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER job_counts_that_change AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER job_counts_without_removed_jobs AFTER DELETE ON jobs
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
END;

CREATE TRIGGER transitions_are_told AFTER INSERT ON transitions
BEGIN
  INSERT INTO events (job, sequence, event, line)
  SELECT NEW.job, event_sequence + 1, 'transition', json_object(
    'event', 'transition', 'time', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.at_ms / 1000.0, 'unixepoch'),
    'id', NEW.id, 'from', NEW.from_state, 'to', NEW.to_state, 'reason', NEW.reason, 'message', NEW.message,
    'actor', NEW.actor, 'attempt', NEW.attempt)
  FROM jobs WHERE sequence = NEW.job;
  UPDATE jobs SET event_sequence = event_sequence + 1 WHERE sequence = NEW.job;
  INSERT INTO feed (job, job_id, change, line, last_line)
  SELECT sequence, id, 'line', event_sequence, event_sequence FROM jobs WHERE sequence = NEW.job;
END;

-- The numbers of metric lines once more, as columns: a chunk is 256 lines of a job in their order. The lines
-- after the last chunk are read from `events`; those of older databases are packed when their curves are
-- first asked for.
CREATE TABLE metric_values (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  -- The metric; '': the steps of the lines.
  key TEXT NOT NULL,
  -- From 0 in each job.
  chunk INTEGER NOT NULL,
  -- 8 bytes a line, little-endian: a double (NaN: not finite, or with another payload: not in the line), or
  -- a step.
  numbers BLOB NOT NULL,
  PRIMARY KEY (job, key, chunk)
) STRICT;

-- What chunks come to. A node of level n covers 16^n chunks, and is written when they are all there.
CREATE TABLE metric_nodes (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  key TEXT NOT NULL,
  level INTEGER NOT NULL,
  -- From 0 in each level; node m has the nodes 16 m to 16 m + 15 of the level below.
  node INTEGER NOT NULL,
  -- The sequence in `events` of its last line.
  last_sequence INTEGER NOT NULL,
  -- Lowest and highest step of the lines that have the key.
  first_step INTEGER NOT NULL,
  last_step INTEGER NOT NULL,
  -- Values that are finite, and those that are not, which the others leave out.
  finite INTEGER NOT NULL,
  not_finite INTEGER NOT NULL,
  mean REAL,
  min REAL,
  min_step INTEGER,
  max REAL,
  max_step INTEGER,
  -- The last value; NULL: it is not finite.
  last REAL,
  PRIMARY KEY (job, key, level, node),
  CONSTRAINT something_is_counted CHECK (finite >= 0 AND not_finite >= 0 AND finite + not_finite > 0)
) STRICT, WITHOUT ROWID;
