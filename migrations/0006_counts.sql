-- How many jobs are in each state: who asks need not count a hundred thousand rows.

CREATE TABLE job_counts (
  state TEXT PRIMARY KEY,
  jobs INTEGER NOT NULL,
  CONSTRAINT jobs_are_not_negative CHECK (jobs >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO job_counts (state, jobs)
SELECT state, (SELECT count(*) FROM jobs WHERE jobs.state = states.state)
FROM (SELECT value AS state FROM json_each('["blocked","queued","running","pausing","paused","cancelling",
  "succeeded","failed","cancelled"]')) AS states;

CREATE TRIGGER job_counts_of_new_jobs AFTER INSERT ON jobs
BEGIN
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER job_counts_that_change AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
  UPDATE job_counts SET jobs = jobs + 1 WHERE state = NEW.state;
END;

CREATE TRIGGER job_counts_without_removed_jobs AFTER DELETE ON jobs
BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = OLD.state;
END;
