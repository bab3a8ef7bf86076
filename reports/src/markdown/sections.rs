//! The sections of a Markdown report.

use super::page::Page;
use crate::report::{Case, Cell, Mean, Row, Standing};
use crate::text::Texts;
use crate::{Report, units};

/// Lines of a table that are shown.
const LINES: usize = 40;
/// Devices that stand beside each other in one table.
const ACROSS: usize = 6;

pub(super) fn rejected(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let lines: Vec<_> = report.rejected.iter().map(|one| vec![one.file.to_string(), one.reason.to_string()]).collect();
    page.table(texts.titles.rejected, &[texts.columns.file, texts.columns.reason], &lines, LINES);
}

pub(super) fn standings(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    page.heading(2, texts.titles.standings);
    let Some(head) = report.standings.first() else {
        return page.paragraph(texts.sentences.nothing_measured);
    };
    if report.common_cases == 0 {
        page.strong(texts.sentences.nothing_common);
    }
    let heads = report.standings.iter().filter(|one| one.op == head.op && one.dtype == head.dtype);
    for (index, standing) in heads.enumerate() {
        if let Some(finding) = texts.finding(report, standing) {
            page.strong(&finding);
        }
        page.paragraph(&texts.conditions(standing));
        ranks(page, report, texts, standing);
        if index == 1 {
            page.paragraph(texts.sentences.clocks_apart);
        }
    }
    let columns = &texts.columns;
    let lines: Vec<_> = report.standings.iter().map(|standing| summary(report, texts, standing)).collect();
    let heads = [columns.op, columns.dtype, columns.clock, "1", "2", columns.ratio, columns.cases];
    page.table("", &heads, &lines, LINES);
    page.paragraph(texts.sentences.ratios);
}

/// A standing in one line.
fn summary(report: &Report, texts: &Texts, standing: &Standing) -> Vec<String> {
    let place =
        |place: usize| standing.ranks.get(place).map_or(texts.none, |rank| report.label(rank.subject)).to_owned();
    let by = standing.ranks.first().and_then(|rank| rank.over_next);
    let clock = standing.clock.map_or(texts.none, texts.names.clock);
    let cases = by.map_or(0, |by| by.cases).to_string();
    let op = texts.op(&standing.op).to_owned();
    vec![op, standing.dtype.to_string(), clock.to_owned(), place(0), place(1), mean(texts, by), cases]
}

fn mean(texts: &Texts, mean: Option<Mean>) -> String {
    let Some(Mean { ratio, .. }) = mean else { return texts.none.to_owned() };
    let verdict = match ratio.verdict() {
        crate::report::Verdict::NoDifference => format!(", {}", (texts.names.verdict)(ratio.verdict())),
        _ => String::new(),
    };
    texts.ratio(ratio) + &verdict
}

fn ranks(page: &mut Page<'_>, report: &Report, texts: &Texts, standing: &Standing) {
    let lines: Vec<_> = standing
        .ranks
        .iter()
        .enumerate()
        .map(|(at, rank)| {
            let row = report.row(rank.best);
            let shape = report.cases[row.case].shape.to_string();
            let behind = if at == 0 { texts.none.to_owned() } else { mean(texts, rank.behind_first) };
            let (subject, cases) = (report.label(rank.subject).to_owned(), rank.cases.to_string());
            vec![(at + 1).to_string(), subject, rate(report, row), shape, row.variant.to_string(), behind, cases]
        })
        .collect();
    let columns = &texts.columns;
    let heads = [
        columns.place,
        columns.device,
        columns.best,
        columns.shape,
        columns.variant,
        columns.behind_first,
        columns.cases,
    ];
    page.table("", &heads, &lines, LINES / 2);
}

fn rate(report: &Report, row: &Row) -> String {
    let dtype = &report.cases[row.case].dtype;
    row.measured.as_ref().map_or(String::new(), |measured| units::rate(measured.flop_per_s, dtype))
}

pub(super) fn environment(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    if report.runs.len() < 2 {
        return;
    }
    let mut lines = Vec::new();
    for fact in report.environment.iter().filter(|fact| fact.differs) {
        let what = (texts.names.what)(fact.what);
        let what = fact.of.as_ref().map_or(what.to_owned(), |of| format!("{what}: {of}"));
        let values = fact.values.iter().take(ACROSS).map(|value| {
            let runs =
                value.runs.iter().take(ACROSS).map(|&run| &*report.runs[run].label).collect::<Vec<_>>().join(", ");
            let rest = if value.runs.len() > ACROSS { ", …" } else { "" };
            (texts.sentences.of_run)(value.value.as_deref().unwrap_or(texts.none), &(runs + rest))
        });
        let rest = fact.values.len().saturating_sub(ACROSS);
        let rest = (rest > 0).then(|| (texts.sentences.left_out)(rest));
        lines.push(vec![what, values.chain(rest).collect::<Vec<_>>().join("; ")]);
    }
    if lines.is_empty() {
        page.heading(2, texts.titles.environment);
        return page.paragraph(texts.sentences.no_differences);
    }
    page.table(texts.titles.environment, &[texts.columns.fact, texts.columns.value], &lines, LINES);
}

pub(super) fn devices(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let lines: Vec<_> = report
        .subjects
        .iter()
        .map(|subject| {
            let run = &report.runs[subject.run];
            let texts = [&*subject.label, &subject.device, texts.kind(&subject.kind), &subject.driver, &run.label];
            texts.map(str::to_owned).into_iter().chain([format!("{} / {}", subject.measured, subject.rows)]).collect()
        })
        .collect();
    let heads = [columns.device, columns.api, columns.kind, columns.driver, columns.run, columns.cases];
    page.table(texts.titles.devices, &heads, &lines, LINES);
    let lines: Vec<_> = report
        .runs
        .iter()
        .map(|run| {
            let host = run.host.hostname.as_deref().unwrap_or(texts.none);
            let cache = (texts.names.cache)(run.cache);
            let argv = run.argv.join(" ");
            [&*run.label, &run.file, &run.started, host, &run.suite_version, cache, &argv].map(str::to_owned).to_vec()
        })
        .collect();
    let heads =
        [columns.run, columns.file, columns.started, columns.host, columns.version, columns.cache, columns.command];
    page.table(texts.titles.runs, &heads, &lines, LINES);
}

pub(super) fn chips(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let lines: Vec<_> = report
        .chip_standings
        .iter()
        .flat_map(|chip| {
            let name = report.chips[chip.chip].name.to_string();
            let ranked = chip.standings.iter().filter(|standing| standing.ranks.len() > 1);
            ranked.map(move |standing| [vec![name.clone()], summary(report, texts, standing)].concat())
        })
        .collect();
    let heads = [columns.chip, columns.op, columns.dtype, columns.clock, "1", "2", columns.ratio, columns.cases];
    page.table(texts.titles.chips, &heads, &lines, LINES);
}

pub(super) fn libraries(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let lines: Vec<_> = report
        .libraries
        .iter()
        .map(|one| {
            let (op, clock) = (texts.op(&one.op).to_owned(), (texts.names.clock)(one.clock).to_owned());
            let label = report.label(one.subject).to_owned();
            let cases = one.mean.cases.to_string();
            vec![label, op, one.dtype.to_string(), clock, mean(texts, Some(one.mean)), cases]
        })
        .collect();
    let heads = [columns.device, columns.op, columns.dtype, columns.clock, columns.ratio, columns.cases];
    page.table(texts.titles.libraries, &heads, &lines, LINES);
}

pub(super) fn shares(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let lines: Vec<_> = report
        .shares
        .iter()
        .map(|share| {
            let (op, label) = (texts.op(&share.op).to_owned(), report.label(share.subject).to_owned());
            let shares = [share.low, share.median, share.high].map(units::percent);
            [vec![label, op, share.dtype.to_string()], shares.to_vec(), vec![share.cases.to_string()]].concat()
        })
        .collect();
    let heads = [columns.device, columns.op, columns.dtype, columns.low, columns.median, columns.high, columns.cases];
    page.table(texts.titles.shares, &heads, &lines, LINES);
}

pub(super) fn energy(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    page.heading(2, texts.titles.energy);
    if report.energy.standings.is_empty() {
        page.paragraph(texts.sentences.no_energy);
    }
    for standing in report.energy.standings.iter().take(3) {
        if let Some(finding) = texts.finding(report, standing) {
            page.strong(&finding);
        }
        page.paragraph(&texts.conditions(standing));
    }
    let best =
        report.energy.standings.iter().flat_map(|standing| standing.ranks.iter().map(move |rank| (standing, rank)));
    let lines: Vec<_> = best
        .filter_map(|(standing, rank)| {
            let energy = report.row(rank.best).energy.as_ref()?;
            let figures = energy.figures.as_ref()?;
            let uncertainty = format!("± {}", units::percent(figures.combined));
            Some(vec![
                report.label(rank.subject).to_owned(),
                texts.op(&standing.op).to_owned(),
                standing.dtype.to_string(),
                format!("{} {uncertainty}", units::pj(figures.pj_per_flop, "FLOP")),
                units::flop_per_s_per_w(figures.flop_per_s_per_w),
                format!("{:.1} W", figures.mean_power_w),
                standing.scope.as_deref().unwrap_or(texts.none).to_owned(),
            ])
        })
        .collect();
    let heads =
        [columns.device, columns.op, columns.dtype, columns.energy, columns.efficiency, columns.power, columns.scope];
    page.table("", &heads, &lines, LINES);
    let lines: Vec<_> = report
        .energy
        .states
        .iter()
        .flat_map(|state| state.tallies.iter().map(move |tally| (state.subject, tally)))
        .filter(|(_, tally)| tally.status != crate::EnergyStatus::Measured)
        .map(|(subject, tally)| {
            let reason = tally.reason.as_deref().unwrap_or(texts.none).to_owned();
            let status = (texts.names.energy_status)(tally.status).to_owned();
            vec![report.label(subject).to_owned(), status, tally.rows.to_string(), reason]
        })
        .collect();
    page.table("", &[columns.device, columns.status, columns.cases, columns.reason], &lines, LINES);
}

pub(super) fn memory(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let mut lines = Vec::new();
    for line in &report.rooflines {
        let label = report.label(line.subject);
        let source = |measured| if measured { texts.names.measured } else { texts.names.theoretical };
        let roofs = line.roofs.iter().map(|roof| {
            let what = format!("{} {}", (texts.names.unit)(roof.unit), roof.dtype);
            (columns.peak, what, units::rate(roof.flop_per_s, &roof.dtype), roof.measured)
        });
        let slopes = line.slopes.iter().map(|slope| {
            let set = slope.working_set_bytes.map_or(texts.none.to_owned(), units::bytes);
            (columns.bandwidth, set, units::bytes_per_s(slope.bytes_per_s), slope.measured)
        });
        lines.extend(roofs.chain(slopes).map(|(what, of, value, measured)| {
            vec![label.to_owned(), what.to_owned(), of, value, source(measured).to_owned()]
        }));
    }
    let heads = [columns.device, columns.fact, columns.working_set, columns.value, columns.origin];
    page.table(texts.titles.memory, &heads, &lines, LINES);
    let mut lines = Vec::new();
    for subject in &report.subjects {
        let Some(ceilings) = &subject.ceilings else { continue };
        let transfers = ceilings.transfers.iter().map(|transfer| {
            let (way, memory) =
                ((texts.names.direction)(transfer.direction), (texts.names.host_memory)(transfer.memory));
            (format!("{way}, {memory}, {}", units::bytes(transfer.bytes)), units::bytes_per_s(transfer.bytes_per_s))
        });
        let latency = &ceilings.latency;
        let times = [
            (texts.names.smallest_upload, latency.smallest_upload_ns),
            (texts.names.smallest_download, latency.smallest_download_ns),
            (texts.names.launch, latency.launch_round_trip_ns),
        ];
        let times = times.into_iter().filter_map(|(what, ns)| Some((what.to_owned(), units::time(ns?))));
        let launches =
            latency.sustained_launches_per_s.map(|rate| (texts.names.launches.to_owned(), units::per_s(rate)));
        let all = transfers.chain(times).chain(launches);
        lines.extend(all.map(|(what, value)| vec![subject.label.to_string(), what, value]));
    }
    page.table(texts.titles.transfers, &[columns.device, columns.fact, columns.value], &lines, LINES);
}

pub(super) fn support(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let mut lines = Vec::new();
    for one in &report.support {
        for cell in &one.cells {
            let reason = cell.why.and_then(|why| report.row(why).reason.as_deref()).unwrap_or(texts.none);
            lines.push(vec![
                texts.op(&one.op).to_owned(),
                one.dtype.to_string(),
                report.label(cell.subject).to_owned(),
                (texts.names.status)(cell.status).to_owned(),
                format!("{} / {}", cell.measured, cell.rows),
                reason.to_owned(),
            ]);
        }
    }
    let heads = [columns.op, columns.dtype, columns.device, columns.status, columns.cases, columns.reason];
    page.table(texts.titles.support, &heads, &lines, LINES);
}

pub(super) fn problems(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let mut items = Vec::new();
    for run in &report.runs {
        items.extend(run.problems.iter().map(|problem| (texts.sentences.of_run)(problem, &run.label)));
        if run.more_problems > 0 {
            items.push((texts.sentences.of_run)(&(texts.sentences.left_out)(run.more_problems), &run.label));
        }
    }
    page.list(texts.titles.problems, &items, LINES);
}

/// Devices side by side; what is missing says why.
pub(super) fn cases(page: &mut Page<'_>, report: &Report, texts: &Texts) {
    let columns = &texts.columns;
    let shown = report.subjects.len().min(ACROSS);
    let heads: Vec<&str> = [columns.op, columns.dtype, columns.shape]
        .into_iter()
        .chain(report.subjects[..shown].iter().map(|subject| &*subject.label))
        .collect();
    let line = |case: &Case| {
        let cells = (0..shown).map(|subject| cell(report, texts, case.cell(subject)));
        let key = [texts.op(&case.op), &case.dtype, &case.shape].map(str::to_owned);
        key.into_iter().chain(cells).collect::<Vec<_>>()
    };
    let measured = |case: &&Case| case.cells.iter().any(|cell| !cell.measured.is_empty());
    let lines: Vec<_> = report.cases.iter().filter(measured).map(line).collect();
    page.table(texts.titles.cases, &heads, &lines, usize::MAX);
    if shown < report.subjects.len() {
        page.paragraph(&(texts.sentences.left_out)(report.subjects.len() - shown));
    }
}

fn cell(report: &Report, texts: &Texts, cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return texts.names.not_run.to_owned() };
    let measured = cell.measured.first().and_then(|&row| report.row(row).measured.as_ref());
    match (measured, cell.missing.first()) {
        (Some(measured), _) => {
            let dtype = cell.measured.first().map_or("", |&row| &*report.cases[report.row(row).case].dtype);
            let [low, high] = measured.rate_interval().map(|rate| units::rate(rate, dtype));
            format!("{} ({low} – {high})", units::rate(measured.flop_per_s, dtype))
        }
        (None, Some(&row)) => (texts.names.status)(report.row(row).status).to_owned(),
        (None, None) => texts.none.to_owned(),
    }
}
