//! Windows: times under load, from one change of the meter's figure to another, with the load running on around them.

use super::World;
use super::effort::PROBE_CHANGES;
use super::protocol::{Ended, Protocol};
use super::record::{Edge, Record, scatter};
use super::uncertainty;

/// A figure that has not changed for so many of its ticks stands still.
const STANDSTILL: f64 = 10.0;
/// And for at least so long.
const STANDSTILL_S: f64 = 1.0;
/// Completions that a window holds at least, so that the shares of runs at its edges weigh little.
const COMPLETIONS: f64 = 4.0;
/// Windows start at other places between ticks and batches: the golden ratio's multiples never come close to repeating.
const SHIFT: f64 = 0.618_033_988_749_895;

/// A window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// When it started.
    pub start_s: f64,
    /// How long it lasted.
    pub seconds: f64,
    /// Runs within it.
    pub runs: f64,
    /// Energy within it.
    pub joules: f64,
    /// The counter's energy divided by the integral of power, where there are both.
    pub counter_to_integral: Option<f64>,
    /// What ticks, resolution and sampling add to the uncertainty of all windows together: relative, k = 2.
    pub reading: f64,
}

/// Takes windows until there are enough that nothing spoilt, and says what spoilt the others.
pub(super) fn take_all<W: World>(
    protocol: &mut Protocol<'_, W>,
    tick_s: Option<f64>,
    power_w: f64,
) -> Result<(Vec<Window>, Vec<String>), Ended> {
    let length_s = length_s(protocol, tick_s, power_w)?;
    let wanted = protocol.effort.windows;
    let mut windows = Vec::with_capacity(wanted);
    let mut discarded = Vec::new();
    while windows.len() < wanted {
        let shift = (SHIFT * (windows.len() + 1) as f64).fract() * tick_s.unwrap_or_default();
        match take(protocol, shift, length_s, tick_s)? {
            Ok(window) => windows.push(window),
            Err(why) if discarded.len() < wanted => discarded.push(why),
            Err(why) => return Err(Ended::failed(format!("{} windows were spoilt: {why}", wanted + 1))),
        }
    }
    Ok((windows, discarded))
}

/// As long as the effort says, and as the meter's ticks, its resolution and the load's completions need.
fn length_s<W: World>(protocol: &Protocol<'_, W>, tick_s: Option<f64>, power_w: f64) -> Result<f64, Ended> {
    let effort = &protocol.effort;
    let record = &protocol.record;
    let batch_s = record.batch_s().unwrap_or_default();
    let mut length_s = (effort.ticks * tick_s.unwrap_or_default()).max(COMPLETIONS * batch_s);
    if record.by_counter {
        let resolution_j = protocol.info.resolution_j.unwrap_or_default();
        length_s = length_s
            .max(effort.counter_s)
            .max(uncertainty::ticks(record.usual_slack_s().unwrap_or_default(), effort.edges))
            .max(uncertainty::resolution(resolution_j, power_w * effort.edges));
    } else {
        length_s = length_s.max(effort.polled_s);
    }
    if length_s > effort.window_max_s {
        return Err(Ended::failed(format!(
            "the meter and the load need a window of {length_s:.0} s, and it may last {:.0} s",
            effort.window_max_s
        )));
    }
    Ok(length_s)
}

/// One window, or what spoilt it.
fn take<W: World>(
    protocol: &mut Protocol<'_, W>,
    shift_s: f64,
    length_s: f64,
    tick_s: Option<f64>,
) -> Result<Result<Window, String>, Ended> {
    if !protocol.rules.loaded {
        protocol.idle(0.05 * length_s)?;
        protocol.load()?;
    }
    // Both edges have to be seen within this, or the figure stands still.
    // A figure can't be seen to change more often than it is read.
    let tick_or_gap_s = tick_s.or(protocol.record.gap_s()).unwrap_or_default().max(protocol.info.interval_s);
    let patience_s = STANDSTILL_S.max(STANDSTILL * tick_or_gap_s);
    let from_s = protocol.world.now() + shift_s;
    // A change is dated by the readings around it, and those before tell how well that usually goes.
    let near_s = (PROBE_CHANGES as f64 + 2.0) * tick_or_gap_s;
    let Some(start) = edge(protocol, from_s, near_s, patience_s)? else { return Ok(Err(stood_still(patience_s))) };
    let Some(end) = edge(protocol, start.at_s + length_s, near_s, patience_s)? else {
        return Ok(Err(stood_still(patience_s)));
    };
    while protocol.record.last_completed_s() <= end.at_s {
        protocol.load()?;
    }
    Ok(evaluate(protocol, &start, &end, tick_s, patience_s))
}

fn stood_still(seconds: f64) -> String {
    format!("the meter's figure stood still for {seconds:.1} s under load")
}

/// Runs the load until an edge from `from_s` on was seen; none where it does not come in time. From `near_s` before on the
/// meter is read closely. What is polled is, always: its readings are the figure.
fn edge<W: World>(
    protocol: &mut Protocol<'_, W>,
    from_s: f64,
    near_s: f64,
    patience_s: f64,
) -> Result<Option<Edge>, Ended> {
    let counts = protocol.record.by_counter;
    loop {
        protocol.world.read_closely(!counts || protocol.world.now() >= from_s - near_s);
        if let Some(edge) = protocol.record.edge(from_s) {
            return Ok(Some(edge));
        }
        if protocol.world.now() > from_s + patience_s {
            return Ok(None);
        }
        protocol.load()?;
    }
}

fn evaluate<W: World>(
    protocol: &Protocol<'_, W>,
    start: &Edge,
    end: &Edge,
    tick_s: Option<f64>,
    patience_s: f64,
) -> Result<Window, String> {
    let record = &protocol.record;
    let (from_s, to_s) = (start.at_s, end.at_s);
    let seconds = to_s - from_s;
    if let Some(why) = record.broken(start, end) {
        return Err(why);
    }
    let integral = complete(record, from_s, to_s, patience_s).then(|| record.integral(from_s, to_s)).flatten();
    let (joules, counter_to_integral, reading) = if record.by_counter {
        if let Some((_, seconds)) = record.steps(start, end).into_iter().find(|&(_, seconds)| seconds > patience_s) {
            return Err(stood_still(seconds));
        }
        let joules = record.counted(start, end).ok_or("the counter was not told at both edges")?;
        let slack_s = start.slack_s.max(end.slack_s);
        let resolution_j = protocol.info.resolution_j.unwrap_or_default();
        let reading = uncertainty::combined(&[
            uncertainty::ticks(slack_s, seconds),
            uncertainty::resolution(resolution_j, joules),
        ]);
        (joules, integral.filter(|&integral| integral > 0.0).map(|integral| joules / integral), reading)
    } else {
        let joules = integral.ok_or_else(|| {
            let why = record.misses.last().map_or(String::new(), |(_, why)| format!(": {why}"));
            format!("power was not told throughout{why}")
        })?;
        let figures = protocol.effort.windows as f64 * tick_s.or(record.gap_s()).map_or(1.0, |tick_s| seconds / tick_s);
        (joules, None, uncertainty::sampling(scatter(record.between(from_s, to_s)), figures))
    };
    let runs = record.runs_at(to_s).zip(record.runs_at(from_s)).map(|(after, before)| after - before);
    let runs = runs.filter(|&runs| runs > 0.0).ok_or("no run was complete within it")?;
    if !(joules.is_finite() && joules > 0.0) {
        return Err(format!("its energy is {joules} J"));
    }
    Ok(Window { start_s: from_s, seconds, runs, joules, counter_to_integral, reading })
}

/// Whether power was told throughout.
fn complete(record: &Record, from_s: f64, to_s: f64, patience_s: f64) -> bool {
    let told: Vec<f64> =
        record.between(from_s, to_s).iter().filter(|sample| sample.watts.is_some()).map(|sample| sample.at_s).collect();
    told.len() > 1 && told.windows(2).all(|pair| pair[1] - pair[0] <= patience_s)
}
