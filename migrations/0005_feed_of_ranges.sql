-- Lines that come together are one row of the feed, so that a worker may tell a hundred thousand a second.
-- The row has the number of its last line; those before have the numbers before it.

ALTER TABLE feed ADD COLUMN last_line INTEGER;
UPDATE feed SET last_line = line;

-- Whoever writes lines tells the feed of them.
DROP TRIGGER feed_tells_lines;

DROP TRIGGER feed_is_short;
CREATE TRIGGER feed_is_short AFTER INSERT ON feed BEGIN
  DELETE FROM feed WHERE id <= NEW.id - 100000;
END;

DROP TRIGGER transitions_are_told;
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
