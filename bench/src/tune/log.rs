//! The log of a tuning: a line for each thing that was measured, so that a stopped one can go on where it was.

use super::search::Fault;
use super::table::Gain;
use accelbench_reports::{PlanSource, Suite};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The `schema` field of every log.
pub const SCHEMA: &str = "accelbench.tune/1";

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Tune(Header),
    /// A plan was measured.
    Trial(Trial),
    /// A case is done.
    Settled(Settled),
    /// The end of a session; what follows is another one that took it up.
    End(End),
}

/// What is tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// The command line.
    pub argv: Vec<String>,
    /// The program.
    pub suite: Suite,
    /// Of the inputs.
    pub seed: u64,
    /// Kernel families that may win; empty for all.
    pub variants: Vec<String>,
    /// The cases that are tuned, each for its bucket, in order: `op/dtype/shape/any@device`.
    pub cases: Vec<String>,
    /// The devices by id: name and driver.
    pub devices: BTreeMap<String, [String; 2]>,
}

/// What was measured of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The case.
    pub case: String,
    /// What it was measured for.
    pub stage: Stage,
    /// The plan.
    pub plan: String,
    /// The incumbent that it ran beside; none where it ran alone.
    pub against: Option<String>,
    /// ln(plan / incumbent) of the time of each pair of turns.
    pub pairs: Vec<f64>,
    /// Why it is out.
    pub fault: Option<Fault>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// What a plan is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The incumbent alone.
    Proof,
    /// A challenger's trial.
    Trial,
    /// A challenger against the incumbent in a process of its own.
    Duel,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The case.
    pub case: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, where it was not tuned to the end.
    pub reason: Option<String>,
    /// The plan that was used before.
    pub incumbent: Option<String>,
    /// Where that was known from.
    pub source: Option<PlanSource>,
    /// The plan that is used from now on.
    pub plan: Option<String>,
    /// By how much it is faster.
    pub gain: Option<Gain>,
    /// Plans that could be chosen from.
    pub candidates: usize,
    /// Those of them that were tried.
    pub tried: usize,
    /// Those of them that are wrong, fail, crash, hang or don't fit, with the reasons.
    pub faults: BTreeMap<String, Fault>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// What becomes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A challenger won.
    Better,
    /// The incumbent stays.
    Kept,
    /// There is nothing to choose from.
    Single,
    /// The time did not suffice.
    Skipped,
    /// The incumbent is wrong, fails, crashes or hangs.
    Failed,
}

impl Verdict {
    /// The name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Kept => "kept",
            Self::Single => "one plan",
            Self::Skipped => "left out",
            Self::Failed => "FAILED",
        }
    }
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Whether every case is settled.
    pub complete: bool,
    /// Seconds of this session.
    pub wall_s: f64,
}

/// A log that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Its first line.
    pub header: Header,
    /// The trials of cases that are not settled, by case, in order.
    pub trials: BTreeMap<String, Vec<Trial>>,
    /// The cases that are settled, in order. One that was left out is not.
    pub settled: Vec<Settled>,
    /// Bytes up to the end of the last whole line.
    pub whole: u64,
}

impl Log {
    /// Reads a log. A last line that was cut off does not count.
    ///
    /// # Errors
    /// One line with the file's name and what is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|reason| format!("{}: {reason}", path.display()))
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut log: Option<Self> = None;
        for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line = serde_json::from_slice(line)
                .map_err(|error| format!("line {} is no line of a tuning's log: {error}", number + 1))?;
            match (line, &mut log) {
                (Line::Tune(header), None) if header.schema == SCHEMA => {
                    log = Some(Self { header, trials: BTreeMap::new(), settled: Vec::new(), whole: whole as u64 });
                }
                (Line::Trial(trial), Some(log)) => log.trials.entry(trial.case.clone()).or_default().push(trial),
                (Line::Settled(settled), Some(log)) => {
                    // One that was left out is tried again, with what was measured of it.
                    if settled.verdict != Verdict::Skipped {
                        log.trials.remove(&settled.case);
                        log.settled.push(settled);
                    }
                }
                (Line::End(_), Some(_)) => {}
                _ => return Err(format!("line {} does not belong there", number + 1)),
            }
        }
        log.ok_or_else(|| "it is no log of `accelbench tune`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Line {
        Line::Tune(Header {
            schema: SCHEMA.to_owned(),
            started: "2026-01-01T00:00:00Z".to_owned(),
            argv: vec!["accelbench".to_owned()],
            suite: crate::host::suite(),
            seed: 1,
            variants: Vec::new(),
            cases: vec!["one".to_owned(), "two".to_owned()],
            devices: BTreeMap::new(),
        })
    }

    fn trial(case: &str) -> Line {
        Line::Trial(Trial {
            case: case.to_owned(),
            stage: Stage::Trial,
            plan: "a".to_owned(),
            against: Some("b".to_owned()),
            pairs: vec![0.1, -0.25],
            fault: None,
            seconds: 0.5,
        })
    }

    fn settled(case: &str, verdict: Verdict) -> Line {
        Line::Settled(Settled {
            case: case.to_owned(),
            verdict,
            reason: None,
            incumbent: None,
            source: None,
            plan: None,
            gain: None,
            candidates: 2,
            tried: 1,
            faults: BTreeMap::new(),
            seconds: 1.0,
        })
    }

    fn text(lines: &[Line]) -> String {
        lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
    }

    #[test]
    fn trials_of_what_is_settled_are_done_with() {
        let skipped = settled("two", Verdict::Skipped);
        let end = Line::End(End { complete: false, wall_s: 1.0 });
        let lines = [header(), trial("one"), trial("two"), settled("one", Verdict::Kept), skipped, end, trial("two")];
        let log = Log::parse(text(&lines).as_bytes()).unwrap();
        assert_eq!((log.settled.len(), log.trials.len(), log.trials["two"].len()), (1, 1, 2));
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_count() {
        let whole = text(&[header(), trial("one")]);
        for cut in 1..text(&[trial("two")]).len() {
            let log = Log::parse(format!("{whole}{}", &text(&[trial("two")])[..cut]).as_bytes()).unwrap();
            assert_eq!((log.trials.len(), log.whole), (1, whole.len() as u64));
        }
    }

    #[test]
    fn what_is_no_log_is_named() {
        for (text, words) in [
            (String::new(), "no log"),
            ("{}\n".to_owned(), "line 1"),
            (text(&[trial("one")]), "line 1 does not belong"),
            (text(&[header(), header()]), "line 2 does not belong"),
            (text(&[header()]).replace(SCHEMA, "accelbench.tune/9"), "line 1"),
        ] {
            let error = Log::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
