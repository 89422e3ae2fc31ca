-- Sweeps and their trials. What a sweep is to do next is a function of these rows: a daemon that starts goes
-- on with what they say.

CREATE TABLE sweeps (
  -- Lists show the newest first.
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL CONSTRAINT id_is_unique UNIQUE,
  name TEXT,
  notes TEXT,
  labels TEXT NOT NULL,
  -- Of its jobs.
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,
  -- For programs; the message is for people.
  reason TEXT,
  message TEXT,
  -- What people have asked of it last.
  request TEXT NOT NULL DEFAULT 'run',
  -- Every field of what was asked for, a JSON object.
  spec TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- When the first of its jobs began.
  started_at_ms INTEGER,
  finished_at_ms INTEGER,
  -- Counts the changes of this row, of its trials and of the states of its jobs.
  revision INTEGER NOT NULL DEFAULT 1,
  -- Counts what the sweep has to be looked at for, and how much of that has been.
  wanted INTEGER NOT NULL DEFAULT 1,
  looked INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT labels_are_json CHECK (json_valid(labels)),
  CONSTRAINT spec_is_json CHECK (json_valid(spec)),
  CONSTRAINT priority_is_in_range CHECK (priority BETWEEN 0 AND 100),
  CONSTRAINT state_is_known CHECK (
    state = 'running' OR state = 'pausing' OR state = 'paused' OR state = 'cancelling' OR state = 'cancelled'
    OR state = 'succeeded' OR state = 'failed'),
  CONSTRAINT request_is_known CHECK (request = 'run' OR request = 'pause' OR request = 'cancel'),
  CONSTRAINT finished_has_its_time CHECK (
    (state = 'succeeded' OR state = 'failed' OR state = 'cancelled') = (finished_at_ms IS NOT NULL))
) STRICT;

CREATE INDEX sweeps_to_look_at ON sweeps (sequence) WHERE finished_at_ms IS NULL AND wanted > looked;
CREATE INDEX sweeps_under_way ON sweeps (sequence) WHERE finished_at_ms IS NULL;

CREATE TABLE trials (
  sweep INTEGER NOT NULL REFERENCES sweeps (sequence) ON DELETE CASCADE,
  -- From 0, in the order in which they were asked for.
  number INTEGER NOT NULL,
  -- Values by JSON pointer, a JSON object.
  parameters TEXT NOT NULL,
  -- The rung of successive halving that it trains to, from 0, and the epochs of that rung; without halving 0
  -- and NULL.
  rung INTEGER NOT NULL DEFAULT 0,
  epochs INTEGER,
  -- NULL: its jobs are under way.
  outcome TEXT,
  -- What it has reported last; NULL: nothing, or not a number.
  value REAL,
  -- What each of its trainings has reported last, a JSON array.
  seed_values TEXT NOT NULL DEFAULT '[]',
  -- What it has reported at each rung, a JSON array.
  rung_values TEXT NOT NULL DEFAULT '[]',
  -- How often its jobs have ended for a reason that may pass.
  interruptions INTEGER NOT NULL DEFAULT 0,
  -- For people.
  message TEXT,
  PRIMARY KEY (sweep, number),
  CONSTRAINT parameters_are_json CHECK (json_valid(parameters)),
  CONSTRAINT values_are_json CHECK (json_valid(seed_values) AND json_valid(rung_values)),
  CONSTRAINT counters_are_not_negative CHECK (number >= 0 AND rung >= 0 AND interruptions >= 0),
  CONSTRAINT outcome_is_known CHECK (
    outcome = 'resting' OR outcome = 'succeeded' OR outcome = 'diverged' OR outcome = 'stopped'
    OR outcome = 'interrupted' OR outcome = 'failed' OR outcome = 'cancelled'),
  CONSTRAINT succeeded_has_a_value CHECK (outcome <> 'succeeded' OR value IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- The sweep and trial that a job belongs to, the rung that it trains to, and which of the trial's trainings
-- it is or evaluates, from 0.
ALTER TABLE jobs ADD COLUMN sweep TEXT;
ALTER TABLE jobs ADD COLUMN trial INTEGER;
ALTER TABLE jobs ADD COLUMN trial_rung INTEGER;
ALTER TABLE jobs ADD COLUMN trial_seed INTEGER;

CREATE INDEX jobs_by_sweep ON jobs (sweep) WHERE sweep IS NOT NULL;
CREATE INDEX jobs_by_trial ON jobs (sweep, trial) WHERE sweep IS NOT NULL;

-- Changes of sweeps and trials are told in the same feed: `feed` is built again, as SQLite cannot change a
-- CHECK. The triggers that write it are not there for a moment.
DROP TRIGGER feed_tells_changes;
DROP TRIGGER feed_tells_removals;
DROP TRIGGER jobs_arrival_is_recorded;
DROP TRIGGER transitions_are_told;

CREATE TABLE rebuilt_feed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The sequence and id of the job, or of the sweep; it may be gone by now.
  job INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  change TEXT NOT NULL,
  -- The sequences in `events` of the first and the last line, or the number of the trial.
  line INTEGER,
  last_line INTEGER,
  CONSTRAINT change_is_known CHECK (
    change = 'line' OR change = 'job' OR change = 'deleted' OR change = 'sweep' OR change = 'trial'
    OR change = 'sweep_deleted'),
  CONSTRAINT line_has_its_place CHECK ((change = 'line' OR change = 'trial') = (line IS NOT NULL))
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

-- What happens to a job of a sweep happens to its trial. A sweep that rests or ends is looked at with each
-- step of its jobs.
CREATE TRIGGER sweeps_follow_their_jobs AFTER UPDATE OF state ON jobs
WHEN NEW.sweep IS NOT NULL AND NEW.state <> OLD.state
BEGIN
  UPDATE sweeps SET revision = revision + 1, wanted = wanted + (request <> 'run'),
    started_at_ms = coalesce(started_at_ms, NEW.started_at_ms)
  WHERE id = NEW.sweep;
  INSERT INTO feed (job, job_id, change, line)
  SELECT sequence, id, 'trial', NEW.trial FROM sweeps WHERE id = NEW.sweep;
END;

CREATE TRIGGER trials_begin AFTER INSERT ON trials
BEGIN
  UPDATE sweeps SET revision = revision + 1 WHERE sequence = NEW.sweep;
  INSERT INTO feed (job, job_id, change, line)
  SELECT sequence, id, 'trial', NEW.number FROM sweeps WHERE sequence = NEW.sweep;
END;

-- Each change of a trial is one that its sweep has to be looked at for.
CREATE TRIGGER trials_change AFTER UPDATE ON trials
BEGIN
  UPDATE sweeps SET revision = revision + 1, wanted = wanted + 1 WHERE sequence = NEW.sweep;
  INSERT INTO feed (job, job_id, change, line)
  SELECT sequence, id, 'trial', NEW.number FROM sweeps WHERE sequence = NEW.sweep;
END;

CREATE TRIGGER feed_tells_new_sweeps AFTER INSERT ON sweeps BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'sweep');
END;

CREATE TRIGGER feed_tells_changes_of_sweeps
AFTER UPDATE OF state, name, notes, labels, priority, spec ON sweeps
BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'sweep');
END;

CREATE TRIGGER feed_tells_removals_of_sweeps AFTER DELETE ON sweeps BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (OLD.sequence, OLD.id, 'sweep_deleted');
END;
