-- The arrival of a job is told without writing its row a second time: the row begins with the number of its
-- first line, which is about its arrival.

DROP TRIGGER feed_tells_new_jobs;
DROP TRIGGER jobs_arrival_is_recorded;
DROP TRIGGER labels_of_new_jobs;
DROP TRIGGER transitions_are_told;

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
  VALUES (NEW.sequence, NEW.id, 'job', NULL, NULL), (NEW.sequence, NEW.id, 'line', 1, 1);
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
  SELECT sequence, id, 'line', event_sequence, event_sequence FROM jobs WHERE sequence = NEW.job;
END;
