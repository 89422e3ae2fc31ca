-- A value that must be one of some words is compared with each of them: SQLite builds a table of its own for
-- `IN` with more than two words, for each row that it checks, which was a fifth of the work of adding a job.
-- As SQLite cannot change a CHECK, `jobs` and `feed` are built again.

-- It refers to `jobs` and `feed`, which are not there for a moment.
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
  -- What the job's dataset was when the job was queued, a JSON object.
  dataset TEXT,
  -- Known when the job is queued; NULL: unknown, as for jobs of older versions. Most memory and most space.
  memory_bytes INTEGER,
  disk_bytes INTEGER,
  -- What it has to compute in its steps, besides them, and for one image, in multiply-adds, and which rates
  -- it can be compared with.
  work REAL,
  work_once REAL,
  work_per_image REAL,
  work_kind TEXT,
  -- Epochs that its steps begin; NULL: its steps are not parts of epochs.
  epochs INTEGER,
  -- Images of a step; NULL: steps are stages of different lengths.
  step_images INTEGER,
  -- How long the whole job would take, by what was known when it was claimed last.
  estimate_ms INTEGER,
  -- Milliseconds that attempts before the present one ran, those before a retry included.
  running_ms INTEGER NOT NULL DEFAULT 0,
  -- What the last attempt ran on, a JSON object.
  host TEXT,
  -- The present attempt's steps per second, smoothed: weighted steps, the seconds that they took by the same
  -- weights, the last step that was counted, and the time of its line.
  pace_steps REAL,
  pace_seconds REAL,
  pace_step INTEGER,
  pace_at_ms INTEGER,

  CONSTRAINT state_is_known CHECK (
    state = 'blocked' OR state = 'queued' OR state = 'running' OR state = 'pausing' OR state = 'paused'
    OR state = 'cancelling' OR state = 'succeeded' OR state = 'failed' OR state = 'cancelled'),
  CONSTRAINT priority_is_in_range CHECK (priority BETWEEN 0 AND 100),
  CONSTRAINT cancel_mode_is_known CHECK (cancel_mode IN ('graceful', 'now')),
  CONSTRAINT cancelling_has_a_mode CHECK (state <> 'cancelling' OR cancel_mode IS NOT NULL),
  CONSTRAINT finished_has_its_time CHECK (
    (state = 'succeeded' OR state = 'failed' OR state = 'cancelled') = (finished_at_ms IS NOT NULL)),
  CONSTRAINT active_was_claimed CHECK (
    state <> 'running' AND state <> 'pausing' AND state <> 'cancelling'
    OR (attempt > 0 AND boot_id IS NOT NULL AND started_at_ms IS NOT NULL)),
  CONSTRAINT unsuccessful_has_a_reason CHECK (state NOT IN ('failed', 'cancelled') OR reason IS NOT NULL),
  CONSTRAINT labels_are_json CHECK (json_valid(labels)),
  CONSTRAINT spec_is_json CHECK (json_valid(spec)),
  CONSTRAINT counters_are_not_negative CHECK (
    attempt >= 0 AND crashes >= 0 AND ingest_offset >= 0 AND event_sequence >= 0),
  CONSTRAINT on_dependency_failure_is_known CHECK (on_dependency_failure IN ('cancel', 'run')),
  CONSTRAINT max_duration_is_positive CHECK (max_duration_ms > 0),
  CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
  CONSTRAINT changed_by_is_known CHECK (
    changed_by = 'user' OR changed_by = 'worker' OR changed_by = 'daemon'),
  CONSTRAINT needed_jobs_are_json CHECK (json_valid(needed_jobs)),
  CONSTRAINT health_is_known CHECK (
    health = 'unknown' OR health = 'good' OR health = 'warning' OR health = 'collapsed'
    OR health = 'diverging'),
  CONSTRAINT summary_is_json CHECK (summary IS NULL OR json_valid(summary)),
  CONSTRAINT dataset_is_json CHECK (dataset IS NULL OR json_valid(dataset)),
  CONSTRAINT host_is_json CHECK (host IS NULL OR json_valid(host))
) STRICT;

INSERT INTO rebuilt_jobs (
  sequence, id, kind, name, notes, labels, priority, state, reason, message, cancel_mode, spec, attempt,
  boot_id, crashes, created_at_ms, started_at_ms, finished_at_ms, steps, latest, result, ingest_offset,
  event_sequence, revision, on_dependency_failure, max_duration_ms, max_attempts, failures, ran_ms,
  claimed_at_ms, not_before_ms, changed_at_ms, changed_by, needed_jobs, health, health_message,
  health_step, summary, dataset, memory_bytes, disk_bytes, work, work_once, work_per_image, work_kind,
  epochs, step_images, estimate_ms, running_ms, host, pace_steps, pace_seconds, pace_step, pace_at_ms)
SELECT
  sequence, id, kind, name, notes, labels, priority, state, reason, message, cancel_mode, spec, attempt,
  boot_id, crashes, created_at_ms, started_at_ms, finished_at_ms, steps, latest, result, ingest_offset,
  event_sequence, revision, on_dependency_failure, max_duration_ms, max_attempts, failures, ran_ms,
  claimed_at_ms, not_before_ms, changed_at_ms, changed_by, needed_jobs, health, health_message,
  health_step, summary, dataset, memory_bytes, disk_bytes, work, work_once, work_per_image, work_kind,
  epochs, step_images, estimate_ms, running_ms, host, pace_steps, pace_seconds, pace_step, pace_at_ms
FROM jobs ORDER BY sequence;

-- The numbers of deleted jobs are not used again.
DELETE FROM sqlite_sequence WHERE name = 'rebuilt_jobs';
INSERT INTO sqlite_sequence (name, seq) SELECT 'rebuilt_jobs', seq FROM sqlite_sequence WHERE name = 'jobs';

DROP TABLE jobs;
ALTER TABLE rebuilt_jobs RENAME TO jobs;

CREATE TABLE rebuilt_feed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The job's sequence and id; the job may be gone by now.
  job INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  change TEXT NOT NULL,
  -- The sequences in `events` of the first and the last line.
  line INTEGER,
  last_line INTEGER,
  CONSTRAINT change_is_known CHECK (change = 'line' OR change = 'job' OR change = 'deleted'),
  CONSTRAINT line_has_its_place CHECK ((change = 'line') = (line IS NOT NULL))
) STRICT;

INSERT INTO rebuilt_feed (id, job, job_id, change, line, last_line)
SELECT id, job, job_id, change, line, last_line FROM feed ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'rebuilt_feed';
INSERT INTO sqlite_sequence (name, seq) SELECT 'rebuilt_feed', seq FROM sqlite_sequence WHERE name = 'feed';

DROP TABLE feed;
ALTER TABLE rebuilt_feed RENAME TO feed;

CREATE TRIGGER feed_is_short AFTER INSERT ON feed BEGIN
  DELETE FROM feed WHERE id <= NEW.id - 100000;
END;

CREATE INDEX jobs_by_state ON jobs (state, priority DESC, sequence);
CREATE INDEX jobs_by_state_and_age ON jobs (state);
CREATE INDEX jobs_by_kind_and_age ON jobs (kind);
CREATE INDEX jobs_by_state_kind_and_age ON jobs (state, kind);
CREATE INDEX jobs_by_health_and_age ON jobs (health);

-- The table of JobModel's `Transition`.
CREATE TRIGGER jobs_transition_is_legal BEFORE UPDATE OF state ON jobs
WHEN NEW.state <> OLD.state AND instr(
  ' blocked>queued blocked>cancelled queued>running queued>paused queued>cancelled running>queued '
  || 'running>pausing running>paused running>cancelling running>succeeded running>failed '
  || 'running>cancelled pausing>running pausing>paused pausing>cancelling pausing>succeeded '
  || 'pausing>failed pausing>cancelled paused>queued paused>cancelled cancelling>cancelled '
  || 'cancelling>succeeded cancelling>failed failed>queued failed>blocked cancelled>queued '
  || 'cancelled>blocked ',
  ' ' || OLD.state || '>' || NEW.state || ' ') = 0
BEGIN
  SELECT RAISE(ABORT, 'transition_is_legal');
END;

CREATE TRIGGER jobs_begin_waiting BEFORE INSERT ON jobs WHEN NEW.state NOT IN ('blocked', 'queued')
BEGIN
  SELECT RAISE(ABORT, 'jobs_begin_waiting');
END;

CREATE TRIGGER feed_tells_changes AFTER UPDATE OF state, name, notes, labels, priority, health ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

CREATE TRIGGER feed_tells_removals AFTER DELETE ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (OLD.sequence, OLD.id, 'deleted');
END;

CREATE TRIGGER jobs_transition_is_recorded AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
  INSERT INTO transitions (job, at_ms, from_state, to_state, reason, message, actor, attempt)
  VALUES (NEW.sequence, NEW.changed_at_ms, OLD.state, NEW.state, NEW.reason, NEW.message, NEW.changed_by,
    NEW.attempt);
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

CREATE TRIGGER jobs_begin_with_a_line BEFORE INSERT ON jobs WHEN NEW.event_sequence <> 1
BEGIN
  SELECT RAISE(ABORT, 'jobs_begin_with_a_line');
END;

CREATE TRIGGER jobs_arrival_is_recorded AFTER INSERT ON jobs
BEGIN
  INSERT INTO transitions (job, at_ms, to_state, reason, message, actor, attempt)
  VALUES (NEW.sequence, NEW.changed_at_ms, NEW.state, NEW.reason, NEW.message, NEW.changed_by, NEW.attempt);
  INSERT INTO events (job, sequence, event, line)
  VALUES (NEW.sequence, 1, 'transition', json_object(
    'event', 'transition',
    'time', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.changed_at_ms / 1000.0, 'unixepoch'),
    'id', last_insert_rowid(), 'from', NULL, 'to', NEW.state, 'reason', NEW.reason, 'message', NEW.message,
    'actor', NEW.changed_by, 'attempt', NEW.attempt));
  INSERT INTO feed (job, job_id, change, line, last_line)
  VALUES (NEW.sequence, NEW.id, 'job', NULL, NULL);
  INSERT INTO feed (job, job_id, change, line, last_line)
  VALUES (NEW.sequence, NEW.id, 'line', 1, 1);
END;

CREATE TRIGGER labels_of_new_jobs AFTER INSERT ON jobs WHEN NEW.labels <> '{}'
BEGIN
  INSERT INTO job_labels (job, key, value) SELECT NEW.sequence, key, value FROM json_each(NEW.labels);
END;

CREATE TRIGGER transitions_are_told AFTER INSERT ON transitions WHEN NEW.from_state IS NOT NULL
BEGIN
  INSERT INTO events (job, sequence, event, line)
  SELECT NEW.job, event_sequence + 1, 'transition', json_object(
    'event', 'transition', 'time', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.at_ms / 1000.0, 'unixepoch'),
    'id', NEW.id, 'from', NEW.from_state, 'to', NEW.to_state, 'reason', NEW.reason, 'message', NEW.message,
    'actor', NEW.actor, 'attempt', NEW.attempt)
  FROM jobs WHERE sequence = NEW.job;
  UPDATE jobs SET event_sequence = event_sequence + 1 WHERE sequence = NEW.job;
  INSERT INTO feed (job, job_id, change, line, last_line)
  VALUES (NEW.job, (SELECT id FROM jobs WHERE sequence = NEW.job), 'line',
    (SELECT event_sequence FROM jobs WHERE sequence = NEW.job),
    (SELECT event_sequence FROM jobs WHERE sequence = NEW.job));
END;
