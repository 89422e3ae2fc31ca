-- Models that were uploaded, by name.
CREATE TABLE models (
  -- Lists show the oldest first.
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Names the file below `models/` in the data folder.
  id TEXT NOT NULL CONSTRAINT id_is_unique UNIQUE,
  name TEXT NOT NULL CONSTRAINT name_is_unique UNIQUE,
  -- The network and its images, a JSON object.
  description TEXT NOT NULL,
  -- Numbers that training changes.
  parameters INTEGER NOT NULL,
  -- SHA-256 of the file, in hexadecimal.
  digest TEXT NOT NULL,
  -- Bytes of the file.
  bytes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  CONSTRAINT description_is_json CHECK (json_valid(description))
) STRICT;

-- Share of `work` that was to be done when the job was queued: less than 1 where it goes on with another
-- training; NULL: all of it.
ALTER TABLE jobs ADD COLUMN work_share REAL;
