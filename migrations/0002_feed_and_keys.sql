-- What streams tell, in one order over all jobs, and the answers that a repeated request gets again.

-- One row a change. Triggers write it, so no statement can forget to; a number is never used twice. Only the
-- newest 100,000 rows stay: whoever asks for what came behind an older one has to look at everything anew.
CREATE TABLE feed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The job's sequence and id; the job may be gone by now.
  job INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  change TEXT NOT NULL,
  -- The sequence of the line in `events`.
  line INTEGER,
  CONSTRAINT change_is_known CHECK (change IN ('line', 'job', 'deleted')),
  CONSTRAINT line_has_its_place CHECK ((change = 'line') = (line IS NOT NULL))
) STRICT;

CREATE TRIGGER feed_is_short AFTER INSERT ON feed BEGIN
  DELETE FROM feed WHERE id = NEW.id - 100000;
END;

CREATE TRIGGER feed_tells_lines AFTER INSERT ON events BEGIN
  INSERT INTO feed (job, job_id, change, line)
  SELECT sequence, id, 'line', NEW.sequence FROM jobs WHERE sequence = NEW.job;
END;

CREATE TRIGGER feed_tells_new_jobs AFTER INSERT ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

CREATE TRIGGER feed_tells_changes AFTER UPDATE OF state, name, notes, labels, priority ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

CREATE TRIGGER feed_tells_removals AFTER DELETE ON jobs BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (OLD.sequence, OLD.id, 'deleted');
END;

-- Requests that created something under a key of the client's, and what they were answered.
CREATE TABLE idempotency_keys (
  -- Who asked: the name of an access token, or nothing.
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  -- Of method, target and body.
  request_sha256 TEXT NOT NULL,
  status INTEGER NOT NULL,
  -- A JSON object of header fields.
  headers TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (owner, key),
  CONSTRAINT headers_are_json CHECK (json_valid(headers))
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms);
