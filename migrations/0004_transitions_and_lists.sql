-- Every step of a job's life is also a line of the job, in one order with what its worker tells, so that
-- whoever follows the job hears of it; a job says which others it waits for; lists are fast however many jobs
-- there are.

-- Steps that were made before stay in `transitions` alone: behind an `end` nobody would read their lines.
CREATE TRIGGER transitions_are_told AFTER INSERT ON transitions
BEGIN
  INSERT INTO events (job, sequence, event, line)
  SELECT NEW.job, event_sequence + 1, 'transition', json_object(
    'event', 'transition', 'time', strftime('%Y-%m-%dT%H:%M:%fZ', NEW.at_ms / 1000.0, 'unixepoch'),
    'id', NEW.id, 'from', NEW.from_state, 'to', NEW.to_state, 'reason', NEW.reason, 'message', NEW.message,
    'actor', NEW.actor, 'attempt', NEW.attempt)
  FROM jobs WHERE sequence = NEW.job;
  UPDATE jobs SET event_sequence = event_sequence + 1 WHERE sequence = NEW.job;
END;

-- The ids of the jobs that it needs, oldest first, as a JSON array. Those that were deleted since stay.
ALTER TABLE jobs ADD COLUMN needed_jobs TEXT NOT NULL DEFAULT '[]'
  CONSTRAINT needed_jobs_are_json CHECK (json_valid(needed_jobs));

UPDATE jobs SET needed_jobs = (
  SELECT json_group_array(id) FROM (
    SELECT need.id AS id FROM job_dependencies JOIN jobs AS need ON need.sequence = job_dependencies.needs
    WHERE job_dependencies.job = jobs.sequence ORDER BY need.sequence));

-- Lists of one state or kind, newest first, without reading the others.
CREATE INDEX jobs_by_state_and_age ON jobs (state);
CREATE INDEX jobs_by_kind_and_age ON jobs (kind);
CREATE INDEX jobs_by_state_kind_and_age ON jobs (state, kind);

-- The labels of `jobs` once more, to be looked for by.
CREATE TABLE job_labels (
  job INTEGER NOT NULL REFERENCES jobs (sequence) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (job, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_labels_by_key ON job_labels (key, job);
CREATE INDEX job_labels_by_value ON job_labels (key, value, job);

INSERT INTO job_labels (job, key, value) SELECT sequence, key, value FROM jobs, json_each(jobs.labels);

CREATE TRIGGER labels_of_new_jobs AFTER INSERT ON jobs
BEGIN
  INSERT INTO job_labels (job, key, value) SELECT NEW.sequence, key, value FROM json_each(NEW.labels);
END;

CREATE TRIGGER labels_that_change AFTER UPDATE OF labels ON jobs WHEN NEW.labels <> OLD.labels
BEGIN
  DELETE FROM job_labels WHERE job = NEW.sequence;
  INSERT INTO job_labels (job, key, value) SELECT NEW.sequence, key, value FROM json_each(NEW.labels);
END;
