//! A report as tidy CSV: one line a result, one column a quantity in SI units, empty where there is none.

use crate::Report;
use crate::report::Row;
use std::borrow::Cow;
use std::io::{self, Write};

/// The header: columns are only ever added, at the end.
pub const COLUMNS: [&str; 57] = [
    "run",
    "run_id",
    "file",
    "started",
    "suite_version",
    "git_commit",
    "git_dirty",
    "profile",
    "hostname",
    "device",
    "device_id",
    "device_name",
    "api",
    "kind",
    "vendor",
    "driver",
    "chip",
    "case",
    "op",
    "dtype",
    "shape",
    "origin",
    "phase",
    "fill",
    "cache",
    "variant",
    "library",
    "plan",
    "status",
    "reason",
    "clock",
    "clock_kind",
    "samples",
    "batch",
    "steady",
    "median_ns",
    "ci95_low_ns",
    "ci95_high_ns",
    "flop",
    "bytes",
    "flop_per_s",
    "bytes_per_s",
    "attainable_flop_per_s",
    "ceiling_fraction",
    "verify_method",
    "verify_checked",
    "verify_max_error",
    "verify_bound",
    "energy_status",
    "energy_scope",
    "joules_per_run",
    "pj_per_flop",
    "pj_per_flop_uncertainty",
    "mean_power_w",
    "source_sha256",
    "seed",
    "command",
];

/// Writes a report's rows.
///
/// # Errors
/// The writer's.
pub fn write(report: &Report, out: impl Write) -> io::Result<()> {
    let mut lines = csv::Writer::from_writer(out);
    lines.write_record(COLUMNS)?;
    for row in &report.rows {
        lines.write_record(record(report, row).iter().map(|cell| cell.as_bytes()))?;
    }
    lines.flush()
}

/// Text that a spreadsheet would take for a formula is quoted as one types it there: with an apostrophe before it.
fn text(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

fn maybe<'a>(value: Option<&'a (impl AsRef<str> + ?Sized)>) -> Cow<'a, str> {
    value.map_or("".into(), |value| text(value.as_ref()))
}

fn number(value: impl ToString) -> Cow<'static, str> {
    value.to_string().into()
}

/// Numbers in the shortest form that is read back to the last bit.
fn float(value: Option<f64>) -> Cow<'static, str> {
    value.map_or("".into(), |value| format!("{value:?}").into())
}

fn record<'a>(report: &'a Report, row: &'a Row) -> [Cow<'a, str>; 57] {
    let case = &report.cases[row.case];
    let subject = &report.subjects[row.subject];
    let run = &report.runs[subject.run];
    let measured = row.measured.as_deref();
    let ceiling = measured.and_then(|measured| measured.ceiling.as_ref());
    let verified = measured.map(|measured| &measured.verified);
    let energy = row.energy.as_deref();
    let figures = energy.and_then(|energy| energy.figures.as_ref());
    let of = |value: fn(&crate::report::Measured) -> f64| float(measured.map(value));
    let yes = |value: bool| Cow::from(if value { "true" } else { "false" });
    [
        text(&run.label),
        text(&run.run_id),
        text(&run.file),
        text(&run.started),
        text(&run.suite_version),
        maybe(run.git_commit.as_ref()),
        run.git_dirty.map_or("".into(), yes),
        text(&run.profile),
        maybe(run.host.hostname.as_ref()),
        text(&subject.label),
        text(&subject.device),
        text(&subject.name),
        text(&subject.api),
        text(&subject.kind),
        text(&subject.vendor),
        text(&subject.driver),
        number(subject.chip),
        text(&row.id),
        text(&case.op),
        text(&case.dtype),
        text(&case.shape),
        maybe(case.origin.as_ref()),
        maybe(case.phase.as_ref()),
        text(&case.fill),
        case.cache.name().into(),
        text(&row.variant),
        yes(row.library),
        maybe(row.plan.as_ref()),
        row.status.name().into(),
        maybe(row.reason.as_ref()),
        maybe(measured.map(|measured| &measured.clock)),
        measured.map_or("".into(), |measured| measured.kind.name().into()),
        measured.map_or("".into(), |measured| number(measured.samples_ns.len())),
        measured.map_or("".into(), |measured| number(measured.batch)),
        measured.map_or("".into(), |measured| yes(measured.steady)),
        of(|measured| measured.median_ns),
        of(|measured| measured.ci95_ns[0]),
        of(|measured| measured.ci95_ns[1]),
        float(case.flop),
        float(case.bytes),
        of(|measured| measured.flop_per_s),
        of(|measured| measured.bytes_per_s),
        float(ceiling.map(|ceiling| ceiling.attainable_flop_per_s)),
        float(ceiling.map(|ceiling| ceiling.fraction)),
        maybe(verified.map(|verified| &verified.method)),
        verified.map_or("".into(), |verified| number(verified.checked)),
        float(verified.map(|verified| verified.max_error)),
        float(verified.map(|verified| verified.bound)),
        energy.map_or("".into(), |energy| energy.status.name().into()),
        maybe(energy.and_then(|energy| energy.meter.as_ref()).map(|meter| &meter.scope)),
        float(figures.map(|figures| figures.joules_per_run)),
        float(figures.map(|figures| figures.pj_per_flop)),
        float(figures.map(|figures| figures.combined)),
        float(figures.map(|figures| figures.mean_power_w)),
        maybe(row.source_sha256.as_ref()),
        row.seed.map_or("".into(), number),
        maybe(row.command.as_ref()),
    ]
}
