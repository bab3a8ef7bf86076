//! Whether a row's energy keeps its promises: joules only where they were measured, and never 0.

use super::positive;
use crate::{Energy, EnergyFigures, EnergyStatus, ResultRow, Status};

pub(super) fn check(row: &ResultRow, energy: &Energy, problem: &mut impl FnMut(&'static str)) {
    let measured = energy.status == EnergyStatus::Measured;
    let estimated = energy.status == EnergyStatus::EstimatedCeiling;
    if row.status != Status::Ok {
        problem("it is not ok and has an energy");
    }
    if !measured && energy.reason.as_deref().is_none_or(str::is_empty) {
        problem("its energy is not measured and gives no reason");
    }
    if measured != energy.figures.is_some() {
        problem("its energy has figures and is not measured, or is measured and has none");
    }
    if estimated != energy.estimate.is_some() {
        problem("its energy has an estimate and is not one, or is one and has none");
    }
    if let Some(estimate) = &energy.estimate
        && !(positive(estimate.rated_power_w) && positive(estimate.joules_per_run))
    {
        problem("an estimate of its energy is not a positive number");
    }
    if let Some(figures) = &energy.figures {
        if energy.meter.is_none() {
            problem("its energy was measured by no meter");
        }
        check_figures(row, figures, problem);
    }
}

fn check_figures(row: &ResultRow, figures: &EnergyFigures, problem: &mut impl FnMut(&'static str)) {
    let windows = figures.windows.iter().flat_map(|window| [window.seconds, window.runs, window.joules]);
    let numbers = [
        figures.joules_per_run,
        figures.pj_per_flop,
        figures.flop_per_s_per_w,
        figures.mean_power_w,
        figures.seconds_per_run,
        figures.energy_delay_js,
    ];
    let told = [
        figures.dynamic_joules_per_run,
        figures.cold_idle_w,
        figures.warm_idle_w,
        figures.mean_clock_mhz,
        figures.power_limit_w,
    ];
    if !numbers.into_iter().chain(told.into_iter().flatten()).chain(windows).all(positive) {
        problem("a figure of its energy is not a positive number");
    }
    let shares = [figures.repeatability, figures.absolute, figures.combined];
    if !shares.iter().all(|share| share.is_finite() && *share >= 0.0) {
        problem("an uncertainty of its energy is not a share");
    }
    let joules: f64 = figures.windows.iter().map(|window| window.joules).sum();
    let runs: f64 = figures.windows.iter().map(|window| window.runs).sum();
    let same = |one: f64, other: f64| (one / other - 1.0).abs() < 1e-6;
    let flop = row.work.map_or(f64::NAN, |work| work.flop);
    let follows = same(figures.joules_per_run, joules / runs)
        && same(figures.pj_per_flop, figures.joules_per_run / flop * 1e12)
        && same(figures.flop_per_s_per_w, flop / figures.joules_per_run)
        && same(
            figures.combined.max(f64::MIN_POSITIVE),
            figures.repeatability.hypot(figures.absolute).max(f64::MIN_POSITIVE),
        );
    if !follows {
        problem("the figures of its energy do not follow from its windows");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnergyMeter, EnergyWindow, Work};
    use serde_json::{Map, Value, json};

    fn row() -> ResultRow {
        let row = json!({
            "case": "gemm/f32/1x1x1/direct@host:0", "op": "gemm", "dtype": "f32", "shape": Value::Object(Map::new()),
            "variant": "direct", "device": "host:0", "status": "ok",
        });
        ResultRow { work: Some(Work { flop: 2e9, bytes: 1e6 }), ..serde_json::from_value(row).unwrap() }
    }

    fn measured() -> Energy {
        let window = EnergyWindow { seconds: 10.0, runs: 1000.0, joules: 3000.0, counter_to_integral: None };
        Energy {
            status: EnergyStatus::Measured,
            reason: None,
            tried: Vec::new(),
            meter: Some(EnergyMeter {
                id: "virtual".to_owned(),
                source: "a formula".to_owned(),
                kind: "counter".to_owned(),
                scope: "board".to_owned(),
                tick_s: Some(0.1),
                read_cost_s: Some(1e-4),
                accuracy: 0.03,
                accuracy_source: "its formula".to_owned(),
            }),
            figures: Some(EnergyFigures {
                joules_per_run: 3.0,
                dynamic_joules_per_run: Some(2.0),
                pj_per_flop: 1500.0,
                flop_per_s_per_w: 2e9 / 3.0,
                mean_power_w: 300.0,
                seconds_per_run: 0.01,
                energy_delay_js: 0.03,
                repeatability: 0.03,
                absolute: 0.04,
                combined: 0.05,
                windows: vec![window, window],
                discarded: Vec::new(),
                cold_idle_w: Some(80.0),
                warm_idle_w: Some(90.0),
                throttle: Vec::new(),
                mean_clock_mhz: Some(1500.0),
                temperature_c: Some(60.0),
                power_limit_w: None,
            }),
            estimate: None,
        }
    }

    fn problems(energy: &Energy) -> Vec<String> {
        let mut found = Vec::new();
        check(&row(), energy, &mut |problem: &str| found.push(problem.to_owned()));
        found
    }

    #[test]
    fn sound_energies() {
        assert_eq!(problems(&measured()), Vec::<String>::new());
        assert_eq!(problems(&Energy::without(EnergyStatus::Unavailable, "no meter")), Vec::<String>::new());
    }

    #[test]
    fn joules_of_no_measurement() {
        for status in [EnergyStatus::Unavailable, EnergyStatus::Suspect, EnergyStatus::Failed] {
            let problems = problems(&Energy { status, ..measured() });
            assert!(problems.iter().any(|problem| problem.contains("gives no reason")), "{problems:?}");
            assert!(problems.iter().any(|problem| problem.contains("figures and is not measured")), "{problems:?}");
        }
        let bare = Energy { figures: None, ..measured() };
        assert!(!problems(&bare).is_empty());
    }

    #[test]
    fn joules_of_nothing() {
        for joules in [0.0, -3.0, f64::INFINITY] {
            let mut energy = measured();
            energy.figures.as_mut().unwrap().joules_per_run = joules;
            let problems = problems(&energy);
            assert!(problems.iter().any(|problem| problem.contains("positive number")), "{problems:?}");
        }
    }

    #[test]
    fn figures_of_other_windows() {
        let mut energy = measured();
        energy.figures.as_mut().unwrap().windows[0].joules = 3100.0;
        assert_eq!(problems(&energy), ["the figures of its energy do not follow from its windows"]);
    }
}
