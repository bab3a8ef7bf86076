//! Whether energies keep their promises: joules only where they were measured, and never 0.

use super::positive;
use crate::{Energy, EnergyCeilings, EnergyFigures, EnergyStatus, ResultRow, Status, Work, energy_roofline};

pub(super) fn check_row(row: &ResultRow, energy: &Energy, problem: &mut impl FnMut(&'static str)) {
    if row.status != Status::Ok {
        problem("it is not ok and has an energy");
    }
    check(row.work, energy, problem);
}

/// What is said of a device follows from the points, and these from their windows.
pub(super) fn check_ceilings(ceilings: &EnergyCeilings, problem: &mut impl FnMut(&'static str)) {
    let points = &ceilings.points;
    if (ceilings.status == EnergyStatus::Measured) == points.is_empty() {
        problem("its energy is measured and has no points, or has points and is not");
    }
    if points.is_empty() && ceilings.reason.as_deref().is_none_or(str::is_empty) {
        problem("its energy is not measured and gives no reason");
    }
    for point in points {
        if point.energy.status != EnergyStatus::Measured {
            problem("a point of its energy is not measured");
        }
        check(Some(point.work), &point.energy, problem);
        let joules = point.energy.figures.as_ref().map_or(f64::NAN, |figures| figures.joules_per_run);
        if point.pj_per_byte.is_some_and(|stated| !same(stated, joules / point.work.bytes * 1e12)) {
            problem("its energy per byte does not follow from its windows");
        }
    }
    let id = |point: &crate::EnergyPoint| point.energy.meter.as_ref().map(|meter| meter.id.clone());
    if points.windows(2).any(|pair| id(&pair[0]) != id(&pair[1])) {
        problem("the points of its energy are of different meters");
    }
    let Some(stated) = &ceilings.roofline else { return };
    // Of the model's parameters any may be next to 0, so each is held against its error, too.
    let near = |one: f64, other: f64, error: f64| (one - other).abs() <= 1e-6 * (other.abs() + error);
    let follows = energy_roofline::of(points).is_ok_and(|fit| {
        near(stated.pj_per_flop, fit.pj_per_flop, fit.pj_per_flop_error)
            && near(stated.pj_per_flop_error, fit.pj_per_flop_error, fit.pj_per_flop_error)
            && near(stated.pj_per_byte, fit.pj_per_byte, fit.pj_per_byte_error)
            && near(stated.pj_per_byte_error, fit.pj_per_byte_error, fit.pj_per_byte_error)
            && stated.constant_w.is_some() == fit.constant_w.is_some()
            && stated.constant_w_error.is_some() == fit.constant_w_error.is_some()
            && stated.constant_w.zip(fit.constant_w).is_none_or(|(one, other)| near(one, other, 0.0))
            && stated.constant_w_error.zip(fit.constant_w_error).is_none_or(|(one, other)| near(one, other, 0.0))
            && near(stated.fit_error, fit.fit_error, 0.0)
    });
    if !follows {
        problem("its energy roofline does not follow from the points");
    }
}

fn same(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() < 1e-6
}

fn check(work: Option<Work>, energy: &Energy, problem: &mut impl FnMut(&'static str)) {
    let measured = energy.status == EnergyStatus::Measured;
    let estimated = energy.status == EnergyStatus::EstimatedCeiling;
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
        check_figures(work, figures, problem);
    }
}

fn check_figures(work: Option<Work>, figures: &EnergyFigures, problem: &mut impl FnMut(&'static str)) {
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
    let seconds: f64 = figures.windows.iter().map(|window| window.seconds).sum();
    let flop = work.map_or(f64::NAN, |work| work.flop);
    let follows = same(figures.joules_per_run, joules / runs)
        && same(figures.seconds_per_run, seconds / runs)
        && same(figures.mean_power_w, joules / seconds)
        && same(figures.energy_delay_js, figures.joules_per_run * figures.seconds_per_run)
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
    use crate::{EnergyMeter, EnergyPoint, EnergyWindow};
    use serde_json::{Map, Value, json};

    fn row() -> ResultRow {
        let row = json!({
            "case": "gemm/f32/1x1x1/direct@host:0", "op": "gemm", "dtype": "f32", "shape": Value::Object(Map::new()),
            "variant": "direct", "device": "host:0", "status": "ok",
        });
        ResultRow { work: Some(Work { flop: 2e9, bytes: 1e6 }), ..serde_json::from_value(row).unwrap() }
    }

    fn window() -> EnergyWindow {
        EnergyWindow { seconds: 10.0, runs: 1000.0, joules: 3000.0, counter_to_integral: None }
    }

    fn measured() -> Energy {
        let window = window();
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
        check_row(&row(), energy, &mut |problem: &str| found.push(problem.to_owned()));
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
    /// Points of a device of 2 TFLOP/s and 0.5 TB/s that takes 5 pJ a FLOP, 40 pJ a byte and 70 W at all times.
    fn ceilings() -> EnergyCeilings {
        let point = |intensity: f64| {
            let work = Work { flop: 1e9, bytes: 1e9 / intensity };
            let seconds = (work.flop / 2e12).max(work.bytes / 5e11);
            let joules = 5e-12 * work.flop + 40e-12 * work.bytes + 70.0 * seconds;
            let window = EnergyWindow { seconds: 1000.0 * seconds, runs: 1000.0, joules: 1000.0 * joules, ..window() };
            let mut energy = measured();
            let figures = energy.figures.as_mut().unwrap();
            *figures = EnergyFigures {
                joules_per_run: joules,
                pj_per_flop: joules / work.flop * 1e12,
                flop_per_s_per_w: work.flop / joules,
                mean_power_w: joules / seconds,
                seconds_per_run: seconds,
                energy_delay_js: joules * seconds,
                windows: vec![window, window],
                ..figures.clone()
            };
            EnergyPoint {
                kernel: "triad".to_owned(),
                dtype: "f64".to_owned(),
                plan: "stream-2".to_owned(),
                mode: "quick".to_owned(),
                work,
                pj_per_byte: Some(joules / work.bytes * 1e12),
                energy,
            }
        };
        let points: Vec<EnergyPoint> = [0.1, 1.0, 8.0, 16.0, 64.0].map(point).to_vec();
        let roofline = energy_roofline::of(&points).ok();
        EnergyCeilings { status: EnergyStatus::Measured, reason: None, tried: Vec::new(), points, roofline }
    }

    fn ceilings_problems(change: impl Fn(&mut EnergyCeilings)) -> Vec<String> {
        let (mut ceilings, mut found) = (ceilings(), Vec::new());
        change(&mut ceilings);
        super::check_ceilings(&ceilings, &mut |problem: &str| found.push(problem.to_owned()));
        found
    }

    #[test]
    fn what_is_said_of_a_device_follows_from_its_points() {
        assert_eq!(ceilings_problems(|_| ()), Vec::<String>::new());
        let roofline = ceilings().roofline.unwrap();
        assert!((roofline.pj_per_flop / 5.0 - 1.0).abs() < 1e-6 && (roofline.pj_per_byte / 40.0 - 1.0).abs() < 1e-6);
        assert!((roofline.constant_w.unwrap() / 70.0 - 1.0).abs() < 1e-6 && roofline.fit_error < 1e-9, "{roofline:?}");
        let of_roofline = |change: fn(&mut crate::EnergyRoofline)| {
            ceilings_problems(|ceilings| change(ceilings.roofline.as_mut().unwrap()))
        };
        for changed in [
            of_roofline(|roofline| roofline.pj_per_flop *= 1.01),
            of_roofline(|roofline| roofline.pj_per_byte *= 1.01),
            of_roofline(|roofline| roofline.constant_w = None),
            of_roofline(|roofline| roofline.fit_error += 0.01),
            ceilings_problems(|ceilings| ceilings.points.truncate(3)),
        ] {
            assert_eq!(changed, ["its energy roofline does not follow from the points"]);
        }
        assert_eq!(
            ceilings_problems(|ceilings| ceilings.points[2].pj_per_byte = Some(1.0)),
            ["its energy per byte does not follow from its windows"]
        );
        let other = |ceilings: &mut EnergyCeilings| ceilings.points[0].energy.meter.as_mut().unwrap().id.clear();
        assert_eq!(ceilings_problems(other), ["the points of its energy are of different meters"]);
    }

    #[test]
    fn a_device_without_points_says_why() {
        let none = |ceilings: &mut EnergyCeilings| {
            ceilings.points.clear();
            ceilings.roofline = None;
            ceilings.status = EnergyStatus::Unavailable;
        };
        assert_eq!(ceilings_problems(none), ["its energy is not measured and gives no reason"]);
        let said = |ceilings: &mut EnergyCeilings| {
            none(ceilings);
            ceilings.reason = Some("no meter".to_owned());
        };
        assert_eq!(ceilings_problems(said), Vec::<String>::new());
        let measured = |ceilings: &mut EnergyCeilings| {
            said(ceilings);
            ceilings.status = EnergyStatus::Measured;
        };
        assert_eq!(ceilings_problems(measured), ["its energy is measured and has no points, or has points and is not"]);
    }
}
