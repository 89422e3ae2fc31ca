-- What each job has left besides figures and checkpoints: a job shows it without a look into its folder.

-- As its workers have reported it, by name: a JSON array of objects with name, media_type, bytes, sha256 and
-- created_at.
ALTER TABLE jobs ADD COLUMN artifacts TEXT NOT NULL DEFAULT '[]'
  CONSTRAINT artifacts_are_json CHECK (json_valid(artifacts));

-- The last report of each name counts.
UPDATE jobs SET artifacts = reported.list
FROM (
  SELECT job, json_group_array(json(artifact)) AS list
  FROM (
    SELECT job, max(sequence), json_object(
        'bytes', line ->> '$.bytes', 'created_at', line ->> '$.created_at',
        'media_type', line ->> '$.media_type', 'name', line ->> '$.name',
        'sha256', line ->> '$.sha256') AS artifact
    FROM events
    WHERE event = 'artifact' AND json_valid(line) AND line ->> '$.name' IS NOT NULL
    GROUP BY job, line ->> '$.name'
    ORDER BY job, line ->> '$.name')
  GROUP BY job) AS reported
WHERE jobs.sequence = reported.job;
