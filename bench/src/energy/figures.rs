//! The row's energy, from what the windows gave.

use super::protocol::{Base, Ended, Measured};
use super::uncertainty;
use accelbench_backends::meters::{MeterInfo, MeterKind, Scope};
use accelbench_reports::{Energy, EnergyEstimate, EnergyFigures, EnergyMeter, EnergyStatus, EnergyWindow, Work};

/// The energy of a case of this work: figures, or why there are none.
pub fn energy(info: &MeterInfo, base: &Base, work: Work, measured: Result<Measured, Ended>) -> Energy {
    let meter = |tick_s, read_cost_s| {
        Some(EnergyMeter {
            id: info.id.clone(),
            source: info.source.clone(),
            kind: kind(info.kind).to_owned(),
            scope: scope(info.scope),
            tick_s,
            read_cost_s,
            accuracy: info.accuracy,
            accuracy_source: info.accuracy_source.clone(),
        })
    };
    match measured {
        Ok(measured) => Energy {
            status: EnergyStatus::Measured,
            reason: None,
            tried: Vec::new(),
            meter: meter(measured.tick_s, measured.read_cost_s),
            figures: Some(figures(base, work, measured)),
            estimate: None,
        },
        Err(ended) => Energy { meter: meter(base.tick_s, None), ..Energy::without(ended.status, ended.reason) },
    }
}

/// An upper bound where no meter is: rated power × the time of one run.
pub fn estimate(rated_power_w: f64, seconds_per_run: f64, unavailable: Energy) -> Energy {
    Energy {
        status: EnergyStatus::EstimatedCeiling,
        estimate: Some(EnergyEstimate { rated_power_w, joules_per_run: rated_power_w * seconds_per_run }),
        ..unavailable
    }
}

fn figures(base: &Base, work: Work, measured: Measured) -> EnergyFigures {
    let sum = |of: fn(&super::window::Window) -> f64| measured.windows.iter().map(of).sum::<f64>();
    let (joules, seconds, runs) =
        (sum(|window| window.joules), sum(|window| window.seconds), sum(|window| window.runs));
    let joules_per_run = joules / runs;
    let dynamic = measured.warm_idle_w.map(|idle_w| (joules - idle_w * seconds) / runs);
    EnergyFigures {
        joules_per_run,
        // A device that takes no more under load than without is told by its total alone.
        dynamic_joules_per_run: dynamic.filter(|&joules| joules > 0.0),
        pj_per_flop: joules_per_run / work.flop * 1e12,
        flop_per_s_per_w: work.flop / joules_per_run,
        mean_power_w: joules / seconds,
        seconds_per_run: seconds / runs,
        energy_delay_js: joules_per_run * seconds / runs,
        repeatability: measured.repeatability,
        absolute: measured.absolute,
        combined: uncertainty::combined(&[measured.repeatability, measured.absolute]),
        windows: measured
            .windows
            .iter()
            .map(|window| EnergyWindow {
                seconds: window.seconds,
                runs: window.runs,
                joules: window.joules,
                counter_to_integral: window.counter_to_integral,
            })
            .collect(),
        discarded: measured.discarded,
        cold_idle_w: base.cold_idle_w,
        warm_idle_w: measured.warm_idle_w,
        throttle: measured.throttle,
        mean_clock_mhz: measured.mean_clock_mhz,
        temperature_c: measured.temperature_c,
        power_limit_w: measured.power_limit_w,
    }
}

/// The name of a kind in files.
pub const fn kind(kind: MeterKind) -> &'static str {
    match kind {
        MeterKind::Counter => "counter",
        MeterKind::InstantPower => "instant_power",
        MeterKind::AveragedPower { .. } => "averaged_power",
        MeterKind::Modelled => "modelled",
        MeterKind::External => "external",
    }
}

fn scope(scope: Scope) -> String {
    serde_json::to_value(scope).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
