//! What an external analyser has recorded: a file of times and figures, brought onto this program's clock.

use super::command::Unit;
use super::figure::{self, accuracy};
use super::{MeterError, MeterInfo, MeterKind, Reading, Scope, Serves, wall_s};
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

/// A file that an analyser writes: one line with the columns' names, then one a sample.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingSource {
    /// The meter's name.
    pub id: String,
    /// The file.
    pub file: PathBuf,
    /// The column with the time: seconds since 1970, or ISO 8601 with a time zone.
    pub time_column: String,
    /// The column with the figure.
    pub value_column: String,
    /// The figure's unit.
    pub unit: Unit,
    /// What separates columns.
    #[serde(default = "comma")]
    pub separator: char,
    /// What separates a number's fraction: `.` or `,`.
    #[serde(default = "point")]
    pub decimal: char,
    /// Seconds that are added to the file's times to get this machine's: its clock minus the analyser's.
    #[serde(default)]
    pub offset_s: f64,
    /// What the figure includes.
    pub scope: Scope,
    /// Which devices it serves.
    pub serves: Serves,
    /// The analyser's relative error (k = 2), where its maker states one.
    pub accuracy: Option<f64>,
}

fn comma() -> char {
    ','
}

fn point() -> char {
    '.'
}

/// Samples of the past.
#[derive(Clone, Debug)]
pub struct Recording {
    info: MeterInfo,
    /// Wall-clock times in seconds since 1970, growing, and the figures in watts or joules.
    samples: Vec<(f64, f64)>,
    energy: bool,
}

impl Recording {
    /// Reads the file as it is now: an analyser's must have been written to the end of what is asked of it.
    ///
    /// # Errors
    /// The file is not there, or a line of it makes no sense: which one and why.
    pub fn open(source: &RecordingSource) -> Result<Self, MeterError> {
        let what = source.file.display().to_string();
        let text = fs::read_to_string(&source.file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => MeterError::Absent { what: what.clone() },
            _ => MeterError::Refused { what: what.clone(), problem: error.to_string() },
        })?;
        let samples = parse(source, &text).map_err(|problem| MeterError::Garbage { what: what.clone(), problem })?;
        let energy = source.unit.is_energy();
        let steps = samples.len().saturating_sub(1).max(1) as f64;
        let span_s = samples.last().zip(samples.first()).map_or(0.0, |(last, first)| last.0 - first.0);
        let (accuracy, accuracy_source) =
            accuracy(source.accuracy.map(|error| (error, "stated where it was declared")));
        let info = MeterInfo {
            id: source.id.clone(),
            source: what,
            kind: MeterKind::External,
            scope: source.scope,
            serves: source.serves.clone(),
            resolution_j: None,
            wraps_at_j: None,
            stated_tick_s: Some(span_s / steps),
            interval_s: span_s / steps,
            accuracy,
            accuracy_source,
            privilege: None,
        };
        Ok(Self { info, samples, energy })
    }

    /// What recorded it.
    pub fn info(&self) -> &MeterInfo {
        &self.info
    }

    /// The samples from `t0` to `t1`, both on [`now`](super::now)'s clock, and the two beside them, so that what is
    /// between samples can be interpolated at both ends.
    ///
    /// # Errors
    /// The recording does not reach from `t0` to `t1`.
    pub fn samples(&self, t0: f64, t1: f64) -> Result<Vec<Reading>, MeterError> {
        let before = self.samples.partition_point(|&(time, _)| time <= wall_s(t0)).checked_sub(1);
        let after = self.samples.partition_point(|&(time, _)| time < wall_s(t1));
        let span = before.and_then(|before| self.samples.get(before..=after)).filter(|_| t0 <= t1);
        let span = span.ok_or_else(|| MeterError::Absent {
            what: format!("{}: samples over the whole window", self.info.source),
        })?;
        let reading = |&(time, value): &(f64, f64)| Reading {
            at_s: time - wall_s(0.0),
            joules: self.energy.then_some(value),
            watts: (!self.energy).then_some(value),
            ..Reading::default()
        };
        Ok(span.iter().map(reading).collect())
    }
}

fn parse(source: &RecordingSource, text: &str) -> Result<Vec<(f64, f64)>, String> {
    if source.separator == source.decimal || !matches!(source.decimal, '.' | ',') {
        return Err("decimal is `.` or `,`, and not the separator".to_owned());
    }
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().ok_or("it is empty")?;
    let names = cells(header, source.separator);
    let column = |wanted: &str| {
        names.iter().position(|name| name == wanted).ok_or_else(|| format!("it has no column `{wanted}`: {names:?}"))
    };
    let (time_column, value_column) = (column(&source.time_column)?, column(&source.value_column)?);
    let mut samples: Vec<(f64, f64)> = Vec::new();
    for (index, line) in lines {
        let at = |problem: String| format!("line {}: {problem}", index + 1);
        let cells = cells(line, source.separator);
        if cells.len() != names.len() {
            return Err(at(format!("{} columns in place of {}", cells.len(), names.len())));
        }
        let time = time(&cells[time_column], source.decimal).map_err(at)? + source.offset_s;
        let number = number(&cells[value_column], source.decimal).map_err(at)? * source.unit.size();
        let value = if source.unit.is_energy() {
            figure::joules(&source.value_column, number)
        } else {
            figure::watts(&source.value_column, number)
        };
        if samples.last().is_some_and(|&(last, _)| last >= time) {
            return Err(at("its time is not after the one before".to_owned()));
        }
        samples.push((time, value.map_err(|error| at(error.to_string()))?));
    }
    if samples.is_empty() {
        return Err("it holds no sample".to_owned());
    }
    Ok(samples)
}

fn number(text: &str, decimal: char) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no number whose fraction comes after `{decimal}`");
    if !text.chars().all(|c| c.is_ascii_digit() || "+-eE".contains(c) || c == decimal) {
        return Err(wrong());
    }
    text.replace(decimal, ".").parse().map_err(|_| wrong())
}

fn time(text: &str, decimal: char) -> Result<f64, String> {
    if let Ok(seconds) = number(text, decimal) {
        return Ok(seconds);
    }
    let time: jiff::Timestamp = text.parse().map_err(|error| {
        format!(
            "`{text}` is neither seconds since 1970 nor a time with its zone, such as 2026-11-20T12:00:00.5Z: {error}"
        )
    })?;
    Ok(time.as_duration().as_secs_f64())
}

/// A line's cells. A cell in quotes may hold separators, and two quotes for one.
fn cells(line: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            letter if letter == separator && !quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            letter => cell.push(letter),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::now;

    fn source(rest: &str) -> RecordingSource {
        let text = "id = 'a'\nfile = 'power.csv'\ntime_column = 'Time'\nvalue_column = 'P'\nunit = 'W'\n";
        toml::from_str(&format!("{text}scope = 'node'\nserves = 'machine'\n{rest}")).unwrap()
    }

    fn opened(text: &str, rest: &str) -> Result<Recording, MeterError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("power.csv");
        fs::write(&file, text).unwrap();
        Recording::open(&RecordingSource { file, ..source(rest) })
    }

    #[test]
    fn samples_come_onto_this_program_s_clock() {
        let start = wall_s(now());
        let lines: Vec<_> = (0..10).map(|i| format!("{:.6},{}", start + f64::from(i) - 2.0, 100 + i)).collect();
        let recording = opened(&format!("Time,P\n{}\n", lines.join("\n")), "offset_s = 2.0").unwrap();
        let t0 = start - wall_s(0.0) + 2.5;
        let samples = recording.samples(t0, t0 + 2.0).unwrap();
        let told: Vec<_> = samples.iter().map(|reading| reading.watts.unwrap()).collect();
        assert_eq!(told, [102.0, 103.0, 104.0, 105.0]);
        assert!((samples[0].at_s - (t0 - 0.5)).abs() < 1e-5 && samples[0].joules.is_none());
        assert!((recording.info().interval_s - 1.0).abs() < 1e-5);
        assert!(recording.samples(t0, t0 + 100.0).is_err(), "it ends before");
        assert!(recording.samples(t0 - 100.0, t0).is_err(), "it begins after");
        assert!(recording.samples(t0 + 1.0, t0).is_err());
    }

    #[test]
    fn times_and_numbers_are_read_as_they_are_written() {
        let text = "\u{feff}n;Time;\"P\"\n1;2026-11-20T12:00:00,5+01:00;1,5\n2;2026-11-20T11:00:01.25Z;\"2,5\"\n";
        let read = parse(&source("separator = ';'\ndecimal = ','"), text);
        assert_eq!(read, Ok(vec![(1_795_172_400.5, 1.5), (1_795_172_401.25, 2.5)]));
        let mut joules = source("");
        joules.unit = Unit::KiloWh;
        assert_eq!(parse(&joules, "Time,P\n1.5,2\n"), Ok(vec![(1.5, 7.2e6)]));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (text, rest, problem) in [
            ("", "", "it is empty"),
            ("Time,P\n", "", "no sample"),
            ("time,P\n1,2\n", "", "no column `Time`"),
            ("Time,P\n1,2\n2,12,5\n", "", "line 3: 3 columns"),
            ("Time;P\n1;12,5\n", "separator = ';'", "line 2: `12,5` is no number"),
            ("Time,P\n1,OVER\n", "", "line 2: `OVER` is no number"),
            ("Time,P\n1,nan\n", "", "line 2: `nan` is no number"),
            ("Time,P\n1,0\n", "", "line 2: P: 0 W can't be"),
            ("Time,P\n2026-11-20 12:00:00,5\n", "", "with its zone"),
            ("Time,P\n2,5\n2,5\n", "", "line 3: its time is not after"),
            ("Time,P\n1,5\n", "decimal = ','", "decimal is"),
        ] {
            let error = opened(text, rest).unwrap_err().to_string();
            assert!(error.contains(problem), "{text:?}: {error}");
        }
        assert!(matches!(Recording::open(&source("")), Err(MeterError::Absent { .. })));
    }
}
