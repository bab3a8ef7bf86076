//! `meters`: which energy meters there are, which there are not and why, and which devices each serves.

use super::exit::UserError;
use super::term::{BAD, GOOD, print, styled};
use crate::App;
use crate::energy;
use crate::probe::Machine;
use accelbench_backends::meters::{Finding, MeterInfo};
use serde_json::{Value, json};
use std::fmt::Write;
use std::process::ExitCode;

pub(super) fn meters(app: App, json: bool) -> Result<ExitCode, UserError> {
    let meters = Meters::find(app, &Machine::probe(app));
    let mut text = String::new();
    if json {
        let _ = writeln!(text, "{:#}", meters.json());
    } else {
        meters.describe(&mut text);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What a look for meters found.
pub(super) struct Meters {
    /// Each meter, and the ids of the devices that it serves.
    found: Vec<(MeterInfo, Vec<String>)>,
    /// What was looked for, why it is not there, and what would help.
    absent: Vec<(&'static str, String, String)>,
}

impl Meters {
    pub(super) fn find(app: App, machine: &Machine) -> Self {
        let (mut found, mut absent) = (Vec::new(), Vec::new());
        for finding in (app.meters)() {
            match finding {
                Finding::Found(meter) => {
                    let info = meter.info().clone();
                    let served = machine.devices().filter(|device| energy::serves(&info, device));
                    let served = served.map(|device| device.id.to_string()).collect();
                    found.push((info, served));
                }
                Finding::Absent { meter, reason, hint } => absent.push((meter, reason.to_string(), hint)),
            }
        }
        Self { found, absent }
    }

    fn json(&self) -> Value {
        let found = self.found.iter().map(|(info, devices)| json!({ "meter": info, "devices": devices }));
        let absent =
            self.absent.iter().map(|(meter, reason, hint)| json!({ "meter": meter, "reason": reason, "hint": hint }));
        json!({ "found": found.collect::<Vec<_>>(), "absent": absent.collect::<Vec<_>>() })
    }

    pub(super) fn describe(&self, text: &mut String) {
        for (info, devices) in &self.found {
            let serves = match &devices[..] {
                [] => "serves no device that was found".to_owned(),
                devices => format!("serves {}", devices.join(", ")),
            };
            let _ = writeln!(text, "{} {}: {serves}", styled(GOOD, "present"), info.id);
            let scope = serde_json::to_value(info.scope).ok();
            let scope = scope.as_ref().and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(
                text,
                "        {} ({}), of the {scope}, within {} %",
                info.source,
                energy::kind(info.kind),
                100.0 * info.accuracy
            );
        }
        for (meter, reason, hint) in &self.absent {
            let _ = writeln!(text, "{}  {meter}: {reason}", styled(BAD, "absent"));
            if !hint.is_empty() {
                let _ = writeln!(text, "        to have it: {hint}");
            }
        }
    }
}
