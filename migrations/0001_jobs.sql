-- The queue, and what its jobs have told. Times are Unix milliseconds.

CREATE TABLE jobs (
  -- Order of arrival: the queue is first in, first out inside a priority, and lists show the newest first.
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL CONSTRAINT id_is_unique UNIQUE,
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

  CONSTRAINT kind_is_known CHECK (kind IN ('train', 'evaluate')),
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
    attempt >= 0 AND crashes >= 0 AND ingest_offset >= 0 AND event_sequence >= 0)
) STRICT;

CREATE INDEX jobs_by_state ON jobs (state, priority DESC, sequence);

-- The table of JobModel's `Transition`.
CREATE TRIGGER jobs_transition_is_legal BEFORE UPDATE OF state ON jobs
WHEN NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN (
  'blocked>queued', 'blocked>cancelled',
  'queued>running', 'queued>cancelled',
  'running>queued', 'running>pausing', 'running>cancelling',
  'running>succeeded', 'running>failed', 'running>cancelled',
  'pausing>paused', 'pausing>cancelling', 'pausing>succeeded', 'pausing>failed', 'pausing>cancelled',
  'paused>queued', 'paused>cancelled',
  'cancelling>cancelled', 'cancelling>succeeded', 'cancelling>failed')
BEGIN
  SELECT RAISE(ABORT, 'transition_is_legal');
END;

CREATE TRIGGER jobs_begin_waiting BEFORE INSERT ON jobs WHEN NEW.state NOT IN ('blocked', 'queued')
BEGIN
  SELECT RAISE(ABORT, 'jobs_begin_waiting');
END;

-- A job needs another one's success.
CREATE TABLE job_dependencies (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  needs INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  PRIMARY KEY (job, needs),
  CONSTRAINT needs_an_older_job CHECK (needs < job)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_dependencies_by_need ON job_dependencies (needs);

-- The lines of a job's event file as they are, without metrics that a resume has replaced. The keys of a
-- metric are read from the line when they are asked for: 0.6 µs a row and key, against doubling every row by
-- columns.
CREATE TABLE events (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  -- From 1 in each job; never used twice.
  sequence INTEGER NOT NULL,
  event TEXT NOT NULL,
  step INTEGER,
  line TEXT NOT NULL,
  PRIMARY KEY (job, sequence),
  CONSTRAINT metric_has_a_step CHECK (event <> 'metric' OR step IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (job, name),
  CONSTRAINT step_is_not_negative CHECK (step >= 0),
  CONSTRAINT sha256_is_hexadecimal CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*')
) STRICT, WITHOUT ROWID;
