//! `devices`, `doctor` and `list`: what there is, and what there is not.

use super::args::ListArgs;
use super::exit::UserError;
use super::meters::Meters;
use super::term::{BAD, FAINT, GOOD, STRONG, print, styled};
use super::units;
use crate::App;
use crate::probe::Machine;
use accelbench_backends::{DeviceInfo, Presence};
use accelbench_kernels::{Case, Catalogue, Operation, Precision, Profile};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

pub(super) fn devices(app: App, json: bool) -> Result<ExitCode, UserError> {
    let machine = Machine::probe(app);
    if json {
        print_json(&json!(machine.devices().collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for device in machine.devices() {
        describe(&mut text, device, &machine);
    }
    let absent: Vec<&str> = absent(&machine).map(|(id, _)| id).collect();
    if !absent.is_empty() {
        let line = format!("absent: {} (`accelbench doctor` says why)", absent.join(", "));
        let _ = writeln!(text, "{}", styled(FAINT, &line));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(text: &mut String, device: &DeviceInfo, machine: &Machine) {
    let caps = &device.caps;
    let kind = format!("{:?}", caps.kind).to_lowercase();
    let _ = writeln!(text, "{}  {}  {}", styled(STRONG, &device.id.to_string()), device.name, styled(FAINT, &kind));
    let types = |types: &std::collections::BTreeSet<accelbench_backends::DType>| {
        types.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(" ")
    };
    let mut facts = vec![
        format!("driver {}", device.driver),
        format!("computes in {}; stores {}", types(&caps.compute), types(&caps.storage)),
    ];
    let mut sizes = Vec::new();
    if let Some(units) = caps.compute_units {
        sizes.push(format!("{units} compute units"));
    }
    if let Some(mhz) = caps.clock_mhz {
        sizes.push(format!("{mhz} MHz"));
    }
    if let Some(bytes) = caps.memory_bytes {
        sizes.push(format!("{} memory", units::bytes(bytes)));
    }
    if let Some(isa) = caps.facts.get("isa") {
        sizes.push(isa.clone());
    }
    sizes.push(format!("{} clock", caps.clock.name()));
    facts.push(sizes.join(", "));
    let twins: Vec<String> = machine
        .devices()
        .filter(|other| other.id != device.id && device.physical_id.is_same_chip(&other.physical_id))
        .map(|other| other.id.to_string())
        .collect();
    if !twins.is_empty() {
        facts.push(format!("the same chip as {}", twins.join(", ")));
    }
    for fact in facts {
        let _ = writeln!(text, "        {fact}");
    }
}

fn absent(machine: &Machine) -> impl Iterator<Item = (&str, &accelbench_backends::Absence)> {
    machine.backends.iter().filter_map(|(id, presence)| match presence {
        Presence::Absent(absence) => Some((id.as_str(), absence)),
        Presence::Present { .. } => None,
    })
}

pub(super) fn doctor(app: App, json: bool) -> Result<ExitCode, UserError> {
    let machine = Machine::probe(app);
    if json {
        print_json(&json!(machine.backend_rows()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for (id, presence) in &machine.backends {
        match presence {
            Presence::Present { api_version, devices, notes } => {
                let count =
                    if devices.len() == 1 { "1 device".to_owned() } else { format!("{} devices", devices.len()) };
                let _ = writeln!(text, "{} {id}: {api_version}, {count}", styled(GOOD, "present"));
                for note in notes {
                    let _ = writeln!(text, "        {note}");
                }
            }
            Presence::Absent(absence) => {
                let _ = writeln!(text, "{}  {id}: {}", styled(BAD, "absent"), absence.detail);
                let _ = writeln!(text, "        to have it: {}", absence.hint);
            }
        }
    }
    let _ = writeln!(text, "\n{}", styled(STRONG, "energy meters"));
    Meters::find(app, &machine).describe(&mut text);
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn list(app: App, options: &ListArgs) -> Result<ExitCode, UserError> {
    let catalogue = (app.catalogue)();
    let machine = options.plans.then(|| Machine::probe(app));
    if options.format.json {
        let operations: Vec<Value> =
            catalogue.iter().map(|operation| operation_json(operation, machine.as_ref())).collect();
        print_json(&Value::from(operations))?;
    } else {
        print(&list_text(&catalogue, machine.as_ref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list_text(catalogue: &Catalogue, machine: Option<&Machine>) -> String {
    let mut text = String::new();
    for operation in catalogue.iter() {
        let types: Vec<&str> = operation.precisions().iter().map(|precision| precision.name()).collect();
        let _ = writeln!(text, "{}: {}", styled(STRONG, operation.name()), operation.summary());
        let _ = writeln!(text, "  types   {}", types.join(" "));
        let _ = writeln!(text, "  shapes  {}", operation.grammar());
        for (profile, shape) in shapes(operation) {
            let line = format!("{:24} {:9} {:9} {}", shape.text, profile.name(), shape.phase, shape.origin);
            let _ = writeln!(text, "    {}", line.trim_end());
        }
        let Some(machine) = machine else { continue };
        let _ = writeln!(text, "  plans for the first shape of each device and type, the preferred one first");
        for (device, precision, plans) in plans(operation, machine) {
            let plans = match plans {
                Ok(names) => names.join(" "),
                Err(reason) => styled(FAINT, &reason),
            };
            let _ = writeln!(text, "    {device:10} {:10} {plans}", precision.name());
        }
    }
    text
}

fn operation_json(operation: &dyn Operation, machine: Option<&Machine>) -> Value {
    let shapes: Vec<Value> = shapes(operation)
        .into_iter()
        .map(|(profile, shape)| {
            json!({
                "shape": shape.text, "fields": shape.fields, "origin": shape.origin, "phase": shape.phase,
                "profile": profile.name(),
            })
        })
        .collect();
    let mut value = json!({
        "kernel": operation.name(),
        "summary": operation.summary(),
        "grammar": operation.grammar(),
        "dtypes": operation.precisions().iter().map(|precision| precision.name()).collect::<Vec<_>>(),
        "shapes": shapes,
    });
    if let Some(machine) = machine {
        let rows: Vec<Value> = plans(operation, machine)
            .into_iter()
            .map(|(device, precision, plans)| match plans {
                Ok(names) => json!({ "device": device, "dtype": precision.name(), "plans": names }),
                Err(reason) => json!({ "device": device, "dtype": precision.name(), "unsupported": reason }),
            })
            .collect();
        value["plans"] = Value::from(rows);
    }
    value
}

struct ListedShape {
    text: String,
    fields: BTreeMap<String, String>,
    origin: &'static str,
    phase: &'static str,
}

/// Every shape with the first profile that has it. A profile holds all of the one below.
fn shapes(operation: &dyn Operation) -> Vec<(Profile, ListedShape)> {
    let below = [Profile::Quick, Profile::Standard].map(|profile| (profile, operation.shapes(profile)));
    let mut listed: Vec<_> = operation
        .shapes(Profile::Full)
        .into_iter()
        .filter_map(|shape| {
            let text = first_case(operation, &shape.fields)?.shape_text();
            let first = below.iter().find(|(_, shapes)| shapes.contains(&shape));
            let profile = first.map_or(Profile::Full, |(profile, _)| *profile);
            Some((profile, ListedShape { text, fields: shape.fields, origin: shape.origin, phase: shape.phase.name() }))
        })
        .collect();
    listed.sort_by_key(|(profile, _)| *profile);
    listed
}

fn first_case(operation: &dyn Operation, fields: &BTreeMap<String, String>) -> Option<Box<dyn Case>> {
    operation.case(*operation.precisions().first()?, fields).ok()
}

type PlanRow = (String, Precision, Result<Vec<String>, String>);

fn plans(operation: &dyn Operation, machine: &Machine) -> Vec<PlanRow> {
    let Some(shape) = operation.shapes(Profile::Quick).into_iter().next() else { return Vec::new() };
    let mut rows = Vec::new();
    for device in machine.devices() {
        for &precision in operation.precisions() {
            let Ok(case) = operation.case(precision, &shape.fields) else { continue };
            let plans = match case.unsupported(&device.caps) {
                Some(reason) => Err(reason),
                None => Ok(case.plans(&device.caps).iter().map(|plan| plan.name()).collect()),
            };
            rows.push((device.id.to_string(), precision, plans));
        }
    }
    rows
}

fn print_json(value: &Value) -> Result<(), UserError> {
    print(&format!("{value:#}\n"))
}
