-- The index of a history. Everything here is read off the kept files and can be made again.
-- A change of this text, or of how series are judged, takes another VERSION in index.rs.

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  run_id TEXT NOT NULL,
  -- 0 where a fuller file of the same run is kept: this one has no results here.
  current INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  started TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  version TEXT NOT NULL,
  git_commit TEXT,
  git_dirty INTEGER,
  profile TEXT NOT NULL,
  hostname TEXT,
  results INTEGER NOT NULL,
  ok INTEGER NOT NULL,
  faults INTEGER NOT NULL
);
CREATE INDEX runs_by_name ON runs (run_id);
CREATE INDEX runs_by_time ON runs (started_ns);

CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  backend TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Which physical chip, and the machine around it, as JSON.
  identity TEXT NOT NULL,
  UNIQUE (backend, name, identity)
);

-- What a run called its devices: `opencl:0` may be another one tomorrow.
CREATE TABLE run_devices (
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  device INTEGER NOT NULL REFERENCES devices (id),
  PRIMARY KEY (run, label)
) WITHOUT ROWID;

CREATE TABLE cases (
  id INTEGER PRIMARY KEY,
  -- op/dtype/shape/variant
  name TEXT NOT NULL UNIQUE
);

-- Rows of equal environments, but for the clock, which a row that failed does not tell.
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  case_id INTEGER NOT NULL REFERENCES cases (id),
  device INTEGER NOT NULL REFERENCES devices (id),
  driver TEXT NOT NULL,
  cache TEXT NOT NULL,
  fill TEXT NOT NULL,
  -- Rises with every change of its rows.
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (case_id, device, driver, cache, fill)
);

CREATE TABLE results (
  series INTEGER NOT NULL REFERENCES series (id),
  started_ns INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  clock TEXT,
  median_ns REAL,
  ci_low_ns REAL,
  ci_high_ns REAL,
  flop_per_s REAL,
  pj_per_flop REAL,
  fraction REAL,
  PRIMARY KEY (series, started_ns, run)
) WITHOUT ROWID;
CREATE INDEX results_by_run ON results (run);

-- What was found in a series when it had this revision, as JSON.
CREATE TABLE analyses (
  series INTEGER NOT NULL REFERENCES series (id),
  metric TEXT NOT NULL,
  revision INTEGER NOT NULL,
  found TEXT NOT NULL,
  PRIMARY KEY (series, metric)
) WITHOUT ROWID;
