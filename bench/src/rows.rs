//! Rows as the parent makes them: of cases that no worker answered for, and what only the plan knows of the others.

use crate::case_id::NO_VARIANT;
use crate::energy::Mode;
use crate::plan::Planned;
use crate::run::RunSettings;
use accelbench_kernels::Profile;
use accelbench_kernels::fill::Fill;
use accelbench_reports::{CacheMode, PlanSource, Provenance, ResultRow, Status};
use serde_json::{Map, Value};
use std::fmt::Write;

/// The row of a case that nothing was spent on.
pub(crate) fn left_out(planned: &Planned, settings: &RunSettings, reason: String) -> ResultRow {
    complete(planned, settings, bare(planned, Status::Skipped, reason))
}

/// A row for a case that no worker answered for.
pub(crate) fn bare(planned: &Planned, status: Status, reason: String) -> ResultRow {
    let id = &planned.id;
    let value = |text: &String| text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from);
    ResultRow {
        case: id.to_string(),
        op: id.op.clone(),
        dtype: id.precision.name().to_owned(),
        shape: planned.fields.iter().map(|(name, text)| (name.clone(), value(text))).collect::<Map<_, _>>(),
        origin: None,
        phase: None,
        variant: id.variant.clone(),
        device: id.device.to_string(),
        status,
        reason: Some(reason),
        verify: None,
        timing: None,
        work: None,
        rate: None,
        ceiling: None,
        energy: None,
        provenance: None,
    }
}

/// Adds what only the plan knows: the shape's origin, and the command that gives this row again.
pub(crate) fn complete(planned: &Planned, settings: &RunSettings, mut row: ResultRow) -> ResultRow {
    if let Some(named) = &planned.named {
        row.origin = Some(named.origin.to_owned());
        row.phase = Some(named.phase.name().to_owned());
    }
    let provenance = row.provenance.get_or_insert_with(|| Provenance {
        source_sha256: None,
        plan: None,
        plan_source: None,
        algorithm: None,
        seed: settings.seed,
        fill: settings.fill.name().to_owned(),
        command: String::new(),
    });
    provenance.plan_source = provenance.plan.as_ref().map(|_| match (&settings.plan, &planned.best) {
        (Some(_), _) => PlanSource::Command,
        (None, Some(best)) => best.source,
        (None, None) => PlanSource::Default,
    });
    provenance.command = command(planned, settings, provenance.plan.as_deref());
    row
}

fn command(planned: &Planned, settings: &RunSettings, plan: Option<&str>) -> String {
    let id = &planned.id;
    let fields: Vec<String> = planned.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut command = format!(
        "accelbench run {}:{} --dtype {} --device {} --seed {}",
        id.op,
        fields.join(","),
        id.precision,
        id.device,
        settings.seed
    );
    if id.variant != NO_VARIANT {
        let _ = write!(command, " --variant {}", id.variant);
    }
    if let Some(plan) = plan {
        let _ = write!(command, " --plan {plan}");
    }
    if settings.cache == CacheMode::Cold {
        command.push_str(" --cache cold");
    }
    if settings.fill == Fill::Zeros {
        command.push_str(" --fill zeros");
    }
    if settings.energy != Mode::default() {
        let _ = write!(command, " --energy {}", settings.energy.name());
    }
    match settings.profile {
        Profile::Quick => command.push_str(" --quick"),
        Profile::Standard => {}
        Profile::Full => command.push_str(" --full"),
    }
    command
}
