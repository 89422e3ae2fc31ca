-- What a job's dataset was when the job was queued, so that its first start can tell whether it still is.

-- A `DatasetFingerprint`: sizes, classes, statistics, digests of pixels and labels.
ALTER TABLE jobs ADD COLUMN dataset TEXT
  CONSTRAINT dataset_is_json CHECK (dataset IS NULL OR json_valid(dataset));
