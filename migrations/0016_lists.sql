-- What lists of jobs are filtered and sorted by, in one index that has all of it: any list of ten thousand
-- jobs is made without reading their rows.

-- The dataset that a job reads or imports, and the method of a training, or of the one whose checkpoint a job
-- takes.
ALTER TABLE jobs ADD COLUMN dataset_name TEXT;
ALTER TABLE jobs ADD COLUMN method TEXT;
-- The last loss and effective rank, as `summary` has them; NULL: none, or not finite.
ALTER TABLE jobs ADD COLUMN loss REAL;
ALTER TABLE jobs ADD COLUMN rankme REAL;

UPDATE jobs SET
  dataset_name = CAST(
    coalesce(spec ->> '$.dataset.name', CASE kind WHEN 'import' THEN spec ->> '$.name' END) AS TEXT),
  method = CAST(coalesce(spec ->> '$.method', (
    SELECT training.spec ->> '$.method' FROM jobs AS training
    WHERE training.id = jobs.spec ->> '$.checkpoint.job')) AS TEXT),
  loss = CAST(summary ->> '$.loss.last' AS REAL), rankme = CAST(summary ->> '$.rankme.last' AS REAL);

-- The accuracy that an evaluation has found, and of a training the best one of its evaluations.
ALTER TABLE jobs ADD COLUMN top1 REAL;

UPDATE jobs SET top1 = CAST(result ->> '$.top1' AS REAL)
WHERE kind = 'evaluate' AND json_type(result, '$.top1') IN ('real', 'integer');
UPDATE jobs SET top1 = (
  SELECT max(evaluation.top1)
  FROM job_dependencies AS need JOIN jobs AS evaluation ON evaluation.sequence = need.job
  WHERE need.needs = jobs.sequence AND evaluation.kind = 'evaluate'
    AND evaluation.spec ->> '$.checkpoint.job' = jobs.id)
WHERE kind = 'train';

CREATE TRIGGER evaluations_have_an_accuracy AFTER UPDATE OF result ON jobs
WHEN NEW.kind = 'evaluate' AND NEW.result IS NOT OLD.result
BEGIN
  UPDATE jobs SET top1 = CASE
    WHEN json_type(NEW.result, '$.top1') = 'real' OR json_type(NEW.result, '$.top1') = 'integer'
    THEN CAST(NEW.result ->> '$.top1' AS REAL) END
  WHERE sequence = NEW.sequence;
  UPDATE jobs SET top1 = (
    SELECT max(evaluation.top1)
    FROM job_dependencies AS need JOIN jobs AS evaluation ON evaluation.sequence = need.job
    WHERE need.needs = jobs.sequence AND evaluation.kind = 'evaluate'
      AND evaluation.spec ->> '$.checkpoint.job' = jobs.id)
  WHERE id = NEW.spec ->> '$.checkpoint.job' AND kind = 'train';
END;

CREATE TRIGGER trainings_lose_an_accuracy BEFORE DELETE ON jobs
WHEN OLD.kind = 'evaluate' AND OLD.top1 IS NOT NULL
BEGIN
  UPDATE jobs SET top1 = (
    SELECT max(evaluation.top1)
    FROM job_dependencies AS need JOIN jobs AS evaluation ON evaluation.sequence = need.job
    WHERE need.needs = jobs.sequence AND need.job <> OLD.sequence AND evaluation.kind = 'evaluate'
      AND evaluation.spec ->> '$.checkpoint.job' = jobs.id)
  WHERE id = OLD.spec ->> '$.checkpoint.job' AND kind = 'train';
END;

-- Followers of a training are told of its accuracy as well.
DROP TRIGGER feed_tells_changes;
CREATE TRIGGER feed_tells_changes
AFTER UPDATE OF state, name, notes, labels, priority, health, top1 ON jobs
BEGIN
  INSERT INTO feed (job, job_id, change) VALUES (NEW.sequence, NEW.id, 'job');
END;

-- The queue in its order, as before, and after that whatever a list needs of a job to place it, and the queue
-- to tell when the job will begin.
DROP INDEX jobs_by_state;
CREATE INDEX jobs_by_state ON jobs (
  state, priority DESC, sequence, kind, health, dataset_name, method, sweep, name, started_at_ms,
  finished_at_ms, claimed_at_ms, running_ms, loss, rankme, top1, not_before_ms, work, work_once, work_kind,
  work_share, work_per_image);

-- What lists are searched by: name, notes and labels (KEY=VALUE) of each job that has any, with a separator
-- between them that nobody types; ASCII letters are in lower case.
CREATE TABLE job_words (
  job INTEGER PRIMARY KEY REFERENCES jobs (sequence) ON DELETE CASCADE,
  words TEXT NOT NULL
) STRICT;

INSERT INTO job_words (job, words)
SELECT sequence, lower(
  coalesce(name, '') || char(31) || coalesce(notes, '') || char(31)
  || coalesce((SELECT group_concat(key || '=' || value, char(31)) FROM json_each(jobs.labels)), ''))
FROM jobs WHERE name IS NOT NULL OR notes IS NOT NULL OR labels <> '{}';

CREATE TRIGGER words_of_new_jobs AFTER INSERT ON jobs
WHEN NEW.name IS NOT NULL OR NEW.notes IS NOT NULL OR NEW.labels <> '{}'
BEGIN
  INSERT INTO job_words (job, words)
  VALUES (NEW.sequence, lower(
    coalesce(NEW.name, '') || char(31) || coalesce(NEW.notes, '') || char(31)
    || coalesce((SELECT group_concat(key || '=' || value, char(31)) FROM json_each(NEW.labels)), '')));
END;

CREATE TRIGGER words_that_change AFTER UPDATE OF name, notes, labels ON jobs
WHEN NEW.name IS NOT OLD.name OR NEW.notes IS NOT OLD.notes OR NEW.labels <> OLD.labels
BEGIN
  DELETE FROM job_words WHERE job = NEW.sequence;
  INSERT INTO job_words (job, words)
  VALUES (NEW.sequence, lower(
    coalesce(NEW.name, '') || char(31) || coalesce(NEW.notes, '') || char(31)
    || coalesce((SELECT group_concat(key || '=' || value, char(31)) FROM json_each(NEW.labels)), '')));
END;
