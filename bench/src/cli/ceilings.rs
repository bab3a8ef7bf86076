//! `probe` and `roofline`: what devices reach at best, and how near results come to it.

use super::args::ProbeArgs;
use super::exit::{self, UserError};
use super::term::{self, FAINT, STRONG, styled};
use super::units;
use crate::App;
use crate::ceilings::{self, Place};
use crate::energy::{Effort, Mode};
use crate::plan;
use crate::probe::Machine;
use crate::worker::{Failure, Workers};
use accelbench_kernels::Profile;
use accelbench_reports::{
    Bandwidth, Ceilings, Direction, EnergyCeilings, HostMemory, Quantity, RunFile, Theoretical, roofline as ridge,
    summary,
};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn probe(app: App, options: &ProbeArgs) -> Result<ExitCode, UserError> {
    let profile = match (options.quick, options.full) {
        (true, _) => Profile::Quick,
        (_, true) => Profile::Full,
        _ => Profile::Standard,
    };
    let machine = Machine::probe(app);
    let devices: Vec<_> = machine.devices().cloned().collect();
    let stopped = term::on_interrupt();
    let mut workers = Workers::new(&machine, Duration::from_secs_f64(options.timeout), &stopped);
    let energy = Mode::from(options.energy);
    let mut failures = 0;
    let mut all = Vec::new();
    for device in plan::chosen_devices(&devices, &options.device).map_err(UserError)? {
        // Before the device has any load. What is wrong with it, the next request says.
        if let Some(effort) = Effort::of(energy) {
            let deadline = workers.timeout + effort.longest();
            match workers.on(&device.id).and_then(|worker| worker.find_meter(energy, deadline, &stopped)) {
                Err(Failure::Interrupted) => return Ok(ExitCode::from(exit::INTERRUPTED)),
                Err(_) => workers.dismiss(),
                Ok(_) => {}
            }
        }
        let Ok(probing) = ceilings::probe(&mut workers, &device.id, profile, |_| true) else {
            return Ok(ExitCode::from(exit::INTERRUPTED));
        };
        let mut found = probing.ceilings;
        let place = Place::of(app, device);
        if energy == Mode::Off {
            found.energy = place.load(Profile::Quick).and_then(|kept| kept.energy);
        }
        let Ok(failed) = ceilings::energy(&mut workers, &device.id, profile, energy, &mut found) else {
            return Ok(ExitCode::from(exit::INTERRUPTED));
        };
        failures += probing.failures + failed;
        // What a crash cut short is not kept, nor does it take the place of what was.
        if probing.failures == 0
            && let Err(error) = place.store(&found)
        {
            term::note(&format!("the ceilings of {} are not kept for runs to come: {error}", device.id));
        }
        if !options.format.json {
            term::print(&text(&found, &device.name))?;
        }
        all.push(found);
    }
    if options.format.json {
        term::print(&format!("{:#}\n", json!(all)))?;
    }
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FAULT) })
}

pub(super) fn roofline(path: &Path, json: bool) -> Result<ExitCode, UserError> {
    let file = RunFile::read(path).map_err(UserError::new)?;
    let latest = latest(&file);
    if latest.is_empty() {
        return Err(UserError(format!(
            "{}: no ceilings were measured in this run; run it anew, or see `accelbench probe`",
            path.display()
        )));
    }
    let best = summary::best_fractions(&file);
    let of = |ceilings: &Ceilings| best.iter().filter(|best| best.device == ceilings.device).collect::<Vec<_>>();
    if json {
        let devices: Vec<Value> = latest
            .iter()
            .map(|ceilings| json!({ "ceilings": ceilings, "ridges": ridges(ceilings), "best": of(ceilings) }))
            .collect();
        term::print(&format!("{:#}\n", Value::from(devices)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = String::new();
    for ceilings in latest {
        let name = file.header.devices.iter().find(|device| device.id == ceilings.device);
        out += &text(ceilings, name.map_or("", |device| &device.name));
        let rows = of(ceilings).into_iter().map(|best| {
            let share = best.fraction.map_or(String::new(), units::percent);
            vec![
                best.op.clone(),
                best.dtype.clone(),
                share,
                units::rate(best.flop_per_s, &best.dtype),
                best.case.clone(),
            ]
        });
        section(&mut out, "results", rows);
        out.push('\n');
    }
    term::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// The last ceilings of each device.
fn latest(file: &RunFile) -> Vec<&Ceilings> {
    let mut latest: Vec<&Ceilings> = Vec::new();
    for ceilings in &file.ceilings {
        match latest.iter_mut().find(|known| known.device == ceilings.device) {
            Some(known) => *known = ceilings,
            None => latest.push(ceilings),
        }
    }
    latest
}

/// The intensity at which each peak can just be fed from memory: peak, and FLOP per byte.
fn ridges(ceilings: &Ceilings) -> Vec<Value> {
    let Some(memory) = memory(ceilings) else { return Vec::new() };
    let ridge = |peak: &accelbench_reports::Peak| json!({ "dtype": peak.dtype, "unit": peak.unit.name(), "flop_per_byte": peak.flop_per_s / memory });
    ceilings.peaks.iter().map(ridge).collect()
}

fn memory(ceilings: &Ceilings) -> Option<f64> {
    ridge::bandwidth(ceilings, accelbench_reports::CacheMode::Cold, 0.0)
}

/// A device's ceilings as tables.
fn text(ceilings: &Ceilings, name: &str) -> String {
    let mut out = String::new();
    let heading = styled(STRONG, &ceilings.device);
    let when = styled(FAINT, &format!("probed {}, {} profile", ceilings.probed, ceilings.profile));
    let _ = writeln!(out, "{heading}  {name}  {when}");
    let memory = memory(ceilings);
    let peaks = ceilings.peaks.iter().map(|peak| {
        let ridge = memory.map_or(String::new(), |rate| format!("ridge at {:.1} FLOP/B", peak.flop_per_s / rate));
        vec![
            peak.unit.name().to_owned(),
            peak.dtype.clone(),
            units::rate(peak.flop_per_s, &peak.dtype),
            ridge,
            peak.plan.clone(),
        ]
    });
    section(&mut out, "peak", peaks);
    section(&mut out, "memory", ceilings.memory.iter().map(bandwidth));
    section(&mut out, "caches", ceilings.sweep.iter().map(bandwidth));
    let transfers = ceilings.transfers.iter().map(|transfer| {
        let way = match transfer.direction {
            Direction::ToDevice => "to the device",
            Direction::FromDevice => "from the device",
            Direction::Both => "both at once",
        };
        let memory = match transfer.memory {
            HostMemory::Pageable => "pageable",
            HostMemory::Pinned => "pinned",
        };
        let size = units::bytes(transfer.bytes);
        vec![way.to_owned(), memory.to_owned(), units::bytes_per_s(transfer.bytes_per_s), size, transfer.clock.clone()]
    });
    section(&mut out, "transfers", transfers);
    let latency = &ceilings.latency;
    let times = [
        ("smallest upload", latency.smallest_upload_ns),
        ("smallest download", latency.smallest_download_ns),
        ("launch, there and back", latency.launch_round_trip_ns),
    ];
    let times = times.into_iter().filter_map(|(what, ns)| Some(vec![what.to_owned(), units::time(ns?)]));
    let rate = latency.sustained_launches_per_s.map(|rate| vec!["launches".to_owned(), units::per_s(rate)]);
    section(&mut out, "latency", times.chain(rate));
    section(&mut out, "energy", ceilings.energy.iter().flat_map(energy));
    section(&mut out, "theoretical", ceilings.theoretical.iter().map(theoretical));
    let missing = ceilings.missing.iter();
    section(&mut out, "missing", missing.map(|missing| vec![missing.what.clone(), one_line(&missing.reason)]));
    out
}

fn one_line(reason: &str) -> String {
    reason.lines().next().unwrap_or_default().to_owned()
}

fn bandwidth(point: &Bandwidth) -> Vec<String> {
    let rate = units::bytes_per_s(point.bytes_per_s);
    vec![point.kernel.clone(), point.dtype.clone(), rate, units::bytes(point.working_set_bytes), point.plan.clone()]
}

/// The energy of probes, and what was fitted to it.
fn energy(energy: &EnergyCeilings) -> Vec<Vec<String>> {
    if energy.points.is_empty() {
        let reason = one_line(energy.reason.as_deref().unwrap_or_default());
        return vec![vec![format!("{}: {reason}", energy.status.name())]];
    }
    let points = energy.points.iter().filter_map(|point| {
        let figures = point.energy.figures.as_ref()?;
        let each = match point.pj_per_byte {
            Some(picojoules) => units::pj(picojoules, "B"),
            None => units::pj(figures.pj_per_flop, "FLOP"),
        };
        let intensity = format!("at {:.3} FLOP/B", point.work.flop / point.work.bytes);
        let (error, power) = (units::percent(figures.combined), format!("{:.1} W", figures.mean_power_w));
        Some(vec![point.kernel.clone(), point.dtype.clone(), each, format!("±{error}"), power, intensity])
    });
    let roofline = energy.roofline.iter().flat_map(|fit| {
        let row = |what: &str, value: String, error: String| {
            vec![what.to_owned(), "roofline".to_owned(), value, format!("±{error}")]
        };
        let constant = fit.constant_w.zip(fit.constant_w_error);
        let watts = |watts: f64| format!("{watts:.1} W");
        let mut rows = vec![
            row("a FLOP", units::pj(fit.pj_per_flop, "FLOP"), units::pj(fit.pj_per_flop_error, "FLOP")),
            row("a byte", units::pj(fit.pj_per_byte, "B"), units::pj(fit.pj_per_byte_error, "B")),
        ];
        rows.extend(constant.map(|(value, error)| row("all the time", watts(value), watts(error))));
        rows.push(vec!["fit error".to_owned(), "roofline".to_owned(), format!("{:.2}%", 100.0 * fit.fit_error)]);
        rows
    });
    points.chain(roofline).collect()
}

fn theoretical(figure: &Theoretical) -> Vec<String> {
    let dtype = figure.dtype.clone().unwrap_or_default();
    let value = match figure.quantity {
        Quantity::Compute => units::rate(figure.value, &dtype),
        Quantity::Bandwidth => units::bytes_per_s(figure.value),
    };
    let what = figure.unit.map_or("memory", accelbench_reports::Unit::name).to_owned();
    let clock = format!("at {:.0} MHz ({})", figure.clock_mhz, figure.clock_source);
    vec![what, dtype, value, clock, figure.source.clone()]
}

/// Rows of a table under a title, each column as wide as its widest cell; nothing where there is no row.
fn section(out: &mut String, title: &str, rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> = rows.collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect::<Vec<_>>();
        let line = format!("  {:13} {}", if index == 0 { title } else { "" }, cells.join("  "));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}
