-- Datasets that were imported, by name.
CREATE TABLE datasets (
  -- Lists show the oldest first.
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The id of the import job, and the name of the folder below `datasets/` in the data folder.
  id TEXT NOT NULL CONSTRAINT id_is_unique UNIQUE,
  name TEXT NOT NULL CONSTRAINT name_is_unique UNIQUE,
  state TEXT NOT NULL DEFAULT 'importing',
  -- Why it has failed, for people.
  message TEXT,
  -- The import job; NULL: it was deleted.
  job TEXT,
  -- What it is imported from.
  source TEXT NOT NULL,
  -- What the import has found, a JSON object.
  description TEXT,
  -- SHA-256 of all images and labels, in hexadecimal.
  digest TEXT,
  -- Bytes of its files.
  bytes INTEGER,
  created_at_ms INTEGER NOT NULL,
  -- Counts the changes of this row.
  revision INTEGER NOT NULL DEFAULT 1,
  CONSTRAINT state_is_known CHECK (state = 'importing' OR state = 'ready' OR state = 'failed'),
  CONSTRAINT ready_is_described CHECK (
    state <> 'ready' OR (description IS NOT NULL AND digest IS NOT NULL AND bytes IS NOT NULL)),
  CONSTRAINT description_is_json CHECK (description IS NULL OR json_valid(description))
) STRICT;

-- A dataset is what its import job has made of it: both change in one transaction, whoever ends the job.
CREATE TRIGGER datasets_follow_their_imports AFTER UPDATE OF state ON jobs
WHEN NEW.kind = 'import' AND NEW.state <> OLD.state
BEGIN
  UPDATE datasets SET
    state = CASE
      WHEN NEW.state = 'succeeded' AND NEW.result ->> '$.digest' IS NOT NULL
        AND NEW.result ->> '$.bytes' IS NOT NULL THEN 'ready'
      WHEN NEW.state = 'succeeded' OR NEW.state = 'failed' OR NEW.state = 'cancelled' THEN 'failed'
      ELSE 'importing' END,
    message = CASE
      WHEN NEW.state = 'failed' THEN NEW.message
      WHEN NEW.state = 'cancelled' THEN coalesce(NEW.message, 'its import was cancelled') END,
    description = CASE WHEN NEW.state = 'succeeded' THEN NEW.result END,
    digest = CASE WHEN NEW.state = 'succeeded' THEN NEW.result ->> '$.digest' END,
    bytes = CASE WHEN NEW.state = 'succeeded' THEN NEW.result ->> '$.bytes' END,
    revision = revision + 1
  WHERE id = NEW.id;
END;

CREATE TRIGGER datasets_outlive_their_imports AFTER DELETE ON jobs WHEN OLD.kind = 'import'
BEGIN
  UPDATE datasets SET job = NULL, revision = revision + 1 WHERE id = OLD.id;
END;
