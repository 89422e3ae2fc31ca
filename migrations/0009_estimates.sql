-- What jobs will take, how fast machines do such work, the pace of a run, and what it ran on.

-- Known when the job is queued; NULL: unknown, as for jobs of older versions. Most memory and most space.
ALTER TABLE jobs ADD COLUMN memory_bytes INTEGER;
ALTER TABLE jobs ADD COLUMN disk_bytes INTEGER;
-- What it has to compute in its steps, besides them, and for one image, in multiply-adds, and which rates it
-- can be compared with.
ALTER TABLE jobs ADD COLUMN work REAL;
ALTER TABLE jobs ADD COLUMN work_once REAL;
ALTER TABLE jobs ADD COLUMN work_per_image REAL;
ALTER TABLE jobs ADD COLUMN work_kind TEXT;
-- Epochs that its steps begin; NULL: its steps are not parts of epochs.
ALTER TABLE jobs ADD COLUMN epochs INTEGER;
-- Images of a step; NULL: steps are stages of different lengths.
ALTER TABLE jobs ADD COLUMN step_images INTEGER;

-- How long the whole job would take, by what was known when it was claimed last.
ALTER TABLE jobs ADD COLUMN estimate_ms INTEGER;
-- Milliseconds that attempts before the present one ran, those before a retry included.
ALTER TABLE jobs ADD COLUMN running_ms INTEGER NOT NULL DEFAULT 0;
-- What the last attempt ran on, a JSON object.
ALTER TABLE jobs ADD COLUMN host TEXT CONSTRAINT host_is_json CHECK (host IS NULL OR json_valid(host));

-- The present attempt's steps per second, smoothed: weighted steps, the seconds that they took by the same
-- weights, the last step that was counted, and the time of its line.
ALTER TABLE jobs ADD COLUMN pace_steps REAL;
ALTER TABLE jobs ADD COLUMN pace_seconds REAL;
ALTER TABLE jobs ADD COLUMN pace_step INTEGER;
ALTER TABLE jobs ADD COLUMN pace_at_ms INTEGER;

UPDATE jobs SET running_ms = ran_ms,
  epochs = CASE WHEN json_extract(spec, '$.max_steps') IS NULL
      AND coalesce(json_extract(spec, '$.protocol'), '') <> 'logistic'
    THEN json_extract(spec, '$.epochs') END,
  step_images = CASE kind WHEN 'train' THEN json_extract(spec, '$.batch_size') END;

-- Work that machines have done and the seconds that it took, by kind and size; a row for each half octave.
CREATE TABLE rates (
  machine TEXT NOT NULL,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  work REAL NOT NULL,
  seconds REAL NOT NULL,
  PRIMARY KEY (machine, kind, size),
  CONSTRAINT something_was_measured CHECK (work > 0 AND seconds > 0)
) STRICT, WITHOUT ROWID;
