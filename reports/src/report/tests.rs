//! Reports of runs that were worked out by hand.

use super::*;
use crate::Status;
use crate::fixture::{Fixture, device, energy, missing, report, row};
use serde_json::json;

const EVENT: &str = "device-event";
const WALL: &str = "host-wall";

/// Two runs of one device each.
fn two(first: &[serde_json::Value], second: &[serde_json::Value]) -> Report {
    let run = |id: &str, name: &str, rows: &[serde_json::Value]| {
        rows.iter().fold(Fixture::new(id, &[device("opencl:0", name)]), |run, row| run.with(row.clone()))
    };
    report(&[run("one", "Device One", first), run("two", "Device Two", second)], false)
}

fn gemm(shape: &str, time: [f64; 3]) -> serde_json::Value {
    row(&format!("gemm/f16/{shape}/tiled@opencl:0"), EVENT, time)
}

fn close(found: Ratio, expected: [f64; 3]) {
    for (found, expected) in [found.value, found.low, found.high].into_iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} is not {expected}");
    }
}

#[test]
fn the_first_is_ahead_by_the_geometric_mean_over_common_cases() {
    // Twice and eight times as fast: four times in the mean. The third case counts for nobody.
    let report = two(
        &[gemm("8x8x8", [9.0, 10.0, 12.0]), gemm("9x9x9", [10.0, 10.0, 10.0]), gemm("7x7x7", [1.0, 1.0, 1.0])],
        &[gemm("8x8x8", [18.0, 20.0, 27.0]), gemm("9x9x9", [80.0, 80.0, 80.0])],
    );
    assert_eq!(report.common_cases, 2);
    let [standing] = &report.standings[..] else { panic!("{:?}", report.standings) };
    let Some(Finding::Ahead { first, second, by }) = standing.finding() else { panic!("{standing:?}") };
    assert_eq!((report.label(first), report.label(second), by.cases), ("Device One", "Device Two", 2));
    close(by.ratio, [4.0, (1.5_f64 * 8.0).sqrt(), (3.0_f64 * 8.0).sqrt()]);
    assert_eq!(standing.ranks.iter().map(|rank| rank.cases).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(standing.ranks[1].behind_first, Some(by));
    close(standing.ranks[1].against_best.ratio, [0.25, 1.0 / (3.0_f64 * 8.0).sqrt(), 1.0 / (1.5_f64 * 8.0).sqrt()]);
    assert_eq!(standing.pairs, [Pair { first, second, mean: Some(by) }]);
    // Its best row is the one with the highest rate, and it leads to the samples and the command.
    let best = report.row(standing.ranks[0].best);
    assert_eq!(&*best.id, "gemm/f16/7x7x7/tiled@opencl:0");
    assert_eq!(best.measured.as_ref().unwrap().samples_ns, [1.0, 1.0, 1.0]);
    assert_eq!(best.command.as_deref(), Some("accelbench run gemm --device opencl:0"));
}

#[test]
fn within_the_intervals_there_is_no_difference() {
    let report = two(&[gemm("8x8x8", [9.0, 10.0, 12.0])], &[gemm("8x8x8", [10.0, 11.0, 13.0])]);
    assert!(matches!(report.standings[0].finding(), Some(Finding::Even { .. })), "{:?}", report.standings[0]);
    let report = two(&[gemm("8x8x8", [9.0, 10.0, 12.0])], &[gemm("8x8x8", [12.5, 13.0, 14.0])]);
    assert!(matches!(report.standings[0].finding(), Some(Finding::Ahead { .. })), "{:?}", report.standings[0]);
}

#[test]
fn only_equal_cases_are_compared() {
    let base = gemm("8x8x8", [9.0, 10.0, 12.0]);
    let changed = |change: fn(&mut serde_json::Value)| {
        let mut other = base.clone();
        change(&mut other);
        two(std::slice::from_ref(&base), &[other])
    };
    assert_eq!(changed(|_| {}).common_cases, 1);
    let other: [fn(&mut serde_json::Value); 6] = [
        |row| row["timing"]["clock"] = WALL.into(),
        |row| row["timing"]["cache"] = "cold".into(),
        |row| row["provenance"]["fill"] = "zeros".into(),
        |row| row["dtype"] = "f16-acc16".into(),
        |row| row["op"] = "conv2d".into(),
        |row| row["case"] = "gemm/f16/8x8x9/tiled@opencl:0".into(),
    ];
    for change in other {
        let report = changed(change);
        assert_eq!(report.common_cases, 0);
        let apart = |standing: &Standing| {
            matches!(standing.finding(), Some(Finding::Alone { .. } | Finding::Apart { .. }))
                && standing.ranks.iter().all(|rank| rank.over_next.is_none() && rank.behind_first.is_none())
        };
        assert!(report.standings.iter().all(apart), "{:?}", report.standings);
        assert!(report.compare(0, 1).iter().all(|one| one.cases.is_empty() && one.mean.is_none()));
    }
    // What does not change what is computed compares.
    assert_eq!(changed(|row| row["timing"]["clock"] = "device-timestamp".into()).common_cases, 1);
    assert_eq!(changed(|row| row["provenance"]["seed"] = 2.into()).common_cases, 1);
}

#[test]
fn what_is_missing_is_shown_with_its_reason() {
    let report = two(
        &[gemm("8x8x8", [9.0, 10.0, 12.0])],
        &[
            missing("gemm/f16/8x8x8/tiled@opencl:0", "skipped", "no time was left"),
            missing("gemm/f16/8x8x8/packed@opencl:0", "wrong", "an element is off"),
        ],
    );
    let [case] = &report.cases[..] else { panic!("{:?}", report.cases) };
    let cell = case.cell(1).unwrap();
    assert!(cell.measured.is_empty());
    // The fault before what was left out.
    assert_eq!(report.row(cell.missing[0]).reason.as_deref(), Some("an element is off"));
    assert_eq!(cell.missing.len(), 2);
    let cell = &report.support[0].cells[1];
    assert_eq!((cell.status, cell.measured, cell.rows, cell.faults), (Status::Wrong, 0, 2, 1));
    assert_eq!(report.standings[0].ranks.len(), 1);
}

#[test]
fn a_row_that_breaks_its_promise_ranks_nowhere() {
    let mut unverified = gemm("8x8x8", [1.0, 1.0, 1.0]);
    unverified["verify"]["max_error"] = 2.0.into();
    let mut impossible = gemm("9x9x9", [1.0, 1.0, 1.0]);
    impossible["rate"]["flop_per_s"] = 1e30.into();
    let report = two(&[unverified, impossible], &[gemm("8x8x8", [9.0, 10.0, 12.0])]);
    let [standing] = &report.standings[..] else { panic!("{:?}", report.standings) };
    assert_eq!(standing.ranks.len(), 1);
    assert_eq!(report.label(standing.ranks[0].subject), "Device Two");
    assert!(report.rows[0].reason.as_deref().unwrap().contains("its verification does not say so"));
    assert_eq!(report.runs[0].problems.len(), 2);
}

#[test]
fn few_cases_do_not_lead() {
    let shapes = ["1x1x1", "2x2x2", "3x3x3", "4x4x4", "5x5x5"];
    let many: Vec<_> = shapes.iter().map(|shape| gemm(shape, [10.0, 10.0, 10.0])).collect();
    let report = two(&many, &[gemm("1x1x1", [1.0, 1.0, 1.0]), gemm("2x2x2", [1.0, 1.0, 1.0])]);
    let ranks = &report.standings[0].ranks;
    assert_eq!((report.label(ranks[0].subject), ranks[0].few), ("Device One", false));
    assert_eq!((report.label(ranks[1].subject), ranks[1].few, ranks[1].cases), ("Device Two", true, 2));
    close(ranks[0].over_next.unwrap().ratio, [0.1, 0.1, 0.1]);
}

#[test]
fn three_are_ordered_by_whom_they_beat() {
    let run = |id: &str, times: [f64; 2]| {
        let rows = ["8x8x8", "9x9x9"].into_iter().zip(times);
        rows.fold(Fixture::new(id, &[device("opencl:0", id)]), |run, (shape, time)| run.with(gemm(shape, [time; 3])))
    };
    let report = report(&[run("slow", [40.0, 40.0]), run("fast", [10.0, 10.0]), run("middle", [10.0, 40.0])], false);
    let order: Vec<_> = report.standings[0].ranks.iter().map(|rank| report.label(rank.subject)).collect();
    assert_eq!(order, ["fast", "middle", "slow"]);
    close(report.standings[0].ranks[0].over_next.unwrap().ratio, [2.0; 3]);
    close(report.standings[0].ranks[2].behind_first.unwrap().ratio, [4.0; 3]);
    assert_eq!(report.standings[0].pairs.len(), 3);
}

#[test]
fn energies_of_one_scope_are_compared_and_estimates_are_not() {
    let with = |energy: serde_json::Value| {
        let mut row = gemm("8x8x8", [9.0, 10.0, 12.0]);
        row["energy"] = energy;
        row
    };
    let estimate = json!({ "status": "estimated_ceiling", "reason": "rated power", "estimate": { "rated_power_w": 1.0, "joules_per_run": 1e-9 } });
    let report = two(&[with(energy(100.0, 0.1, "board"))], &[with(energy(200.0, 0.2, "board"))]);
    let [standing] = &report.energy.standings[..] else { panic!("{:?}", report.energy.standings) };
    let Some(Finding::Ahead { first: 0, second: 1, by }) = standing.finding() else { panic!("{standing:?}") };
    close(by.ratio, [2.0, 160.0 / 110.0, 240.0 / 90.0]);
    let report = two(&[with(energy(100.0, 0.1, "board"))], &[with(energy(200.0, 0.2, "chip"))]);
    assert_eq!(report.energy.standings.iter().map(|standing| standing.ranks.len()).collect::<Vec<_>>(), [1, 1]);
    let report = two(&[with(energy(100.0, 0.1, "board"))], &[with(estimate)]);
    assert_eq!(report.energy.standings.len(), 1);
    assert_eq!(report.energy.standings[0].ranks.len(), 1);
    assert_eq!(report.energy.estimates, [1]);
    let mut none = energy(100.0, 0.1, "board");
    none["figures"]["joules_per_run"] = 0.0.into();
    let report = two(&[with(none)], &[]);
    assert!(report.energy.standings.is_empty());
    assert_eq!(report.energy.states[0].best, None);
}

#[test]
fn kernels_against_libraries() {
    let report = two(
        &[
            row("gemm/f16/8x8x8/lib@opencl:0", EVENT, [9.0, 10.0, 12.0]),
            row("gemm/f16/8x8x8/tiled@opencl:0", EVENT, [18.0, 20.0, 27.0]),
            row("gemm/f16/8x8x8/packed@opencl:0", EVENT, [39.0, 40.0, 41.0]),
        ],
        &[],
    );
    let [one] = &report.libraries[..] else { panic!("{:?}", report.libraries) };
    close(one.mean.ratio, [0.5, 1.0 / 3.0, 1.0 / 1.5]);
    assert_eq!(&*report.row(one.cases[0].kernel).variant, "tiled");
    assert_eq!(&*report.row(one.cases[0].library).variant, "lib");
}

#[test]
fn a_library_that_is_part_of_the_program_is_its_kernel() {
    let compared = |external: &[&str]| {
        let mut host = device("host:0", "CPU");
        let versions: serde_json::Map<_, _> = external.iter().map(|name| ((*name).to_owned(), json!("1.0"))).collect();
        host["caps"] = json!({ "libraries": { "gemm": ["own", "found"] }, "external": versions });
        let run = Fixture::new("one", &[host])
            .with(row("gemm/f64/8x8x8/found@host:0", EVENT, [9.0, 10.0, 12.0]))
            .with(row("gemm/f64/8x8x8/own@host:0", EVENT, [18.0, 20.0, 27.0]));
        let report = report(&[run], false);
        let pair = |one: &LibraryComparison| {
            [one.cases[0].kernel, one.cases[0].library].map(|row| report.row(row).variant.to_string())
        };
        report.libraries.first().map(pair)
    };
    assert_eq!(compared(&["found"]), Some(["own".to_owned(), "found".to_owned()]));
    assert_eq!(compared(&[]), None);
}

#[test]
fn one_chip_through_several_apis() {
    let mut there = device("opencl:0", "Device One");
    there["physical_id"] = json!({ "pci": "0000:3b:00.0" });
    let mut again = device("cuda:0", "Device One");
    again["physical_id"] = json!({ "pci": "0000:3B:00.0", "uuid": "u" });
    let mut other = device("webgpu:0", "Device One");
    other["physical_id"] = json!({ "pci": "0000:3c:00.0" });
    let run = Fixture::new("one", &[there, again, other])
        .with(row("gemm/f16/8x8x8/tiled@opencl:0", EVENT, [10.0; 3]))
        .with(row("gemm/f16/8x8x8/tiled@cuda:0", EVENT, [5.0; 3]))
        .with(row("gemm/f16/8x8x8/tiled@webgpu:0", EVENT, [1.0; 3]));
    let report = report(&[run], false);
    assert_eq!(report.chips.iter().map(|chip| chip.subjects.clone()).collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
    assert_eq!(report.chips[0].known_by, Some(KnownBy::PhysicalId));
    let labels: Vec<_> = report.subjects.iter().map(|subject| &*subject.label).collect();
    assert_eq!(labels, ["Device One · opencl", "Device One · cuda", "Device One · webgpu"]);
    let [chip] = &report.chip_standings[..] else { panic!("{:?}", report.chip_standings) };
    let Some(Finding::Ahead { first: 1, second: 0, by }) = chip.standings[0].finding() else { panic!("{chip:?}") };
    close(by.ratio, [2.0; 3]);
}

#[test]
fn a_run_is_taken_once() {
    let run = Fixture::new("one", &[device("opencl:0", "Device One")]).with(gemm("8x8x8", [1.0; 3]));
    let report = report(&[run.clone(), run], false);
    assert_eq!((report.runs.len(), report.rows.len()), (1, 1));
    assert!(report.rejected[0].reason.contains("the same run as run-0.jsonl"), "{:?}", report.rejected);
}

#[test]
fn what_differs_between_runs_is_told() {
    let mut newer = device("opencl:0", "Device One");
    newer["driver"] = "driver 2.0".into();
    let mut run = Fixture::new("two", &[newer]).with(gemm("8x8x8", [1.0; 3]));
    run.header["environment"] = json!({ "VARIABLE": "on" });
    let report =
        report(&[Fixture::new("one", &[device("opencl:0", "Device One")]).with(gemm("8x8x8", [1.0; 3])), run], false);
    let different: Vec<_> = report.environment.iter().filter(|fact| fact.differs).map(|fact| fact.what).collect();
    assert_eq!(different, [What::Driver, What::Hostname, What::Variable]);
    let driver = &report.environment[0];
    assert_eq!(driver.of.as_deref(), Some("Device One (opencl)"));
    assert_eq!(driver.values[1], FactValue { value: Some("driver 2.0".into()), runs: vec![1] });
}

#[test]
fn comparing_two_tells_what_one_lacks() {
    let report = two(
        &[gemm("8x8x8", [18.0, 20.0, 27.0]), gemm("9x9x9", [1.0; 3])],
        &[gemm("8x8x8", [9.0, 10.0, 12.0]), gemm("7x7x7", [1.0; 3])],
    );
    let [one] = &report.compare(0, 1)[..] else { panic!() };
    close(one.mean.unwrap().ratio, [2.0, 1.5, 3.0]);
    let shapes = |cases: &[usize]| cases.iter().map(|&case| report.cases[case].shape.to_string()).collect::<Vec<_>>();
    assert_eq!((shapes(&one.only_first), shapes(&one.only_second)), (vec!["9x9x9".into()], vec!["7x7x7".into()]));
}

#[test]
fn rooflines_scaling_and_shares_lead_to_their_rows() {
    let report = report(&[crate::fixture::of_every_sort()], false);
    let line = &report.rooflines[0];
    assert_eq!(
        line.roofs.iter().map(|roof| (roof.flop_per_s, roof.measured)).collect::<Vec<_>>(),
        [(1e12, true), (2e12, false)]
    );
    assert_eq!(line.slopes.len(), 3);
    let point =
        line.points.iter().find(|point| &*report.row(point.row).id == "gemm/f16/64x64x64/lib@opencl:0").unwrap();
    assert!((point.intensity_flop_per_byte - 20.0).abs() < 1e-9);
    assert_eq!(report.standings[0].dtype, "f16".into());
    assert!(report.scaling.iter().any(|one| !one.ladder && one.lines.iter().any(|line| line.points.len() == 2)));
}
