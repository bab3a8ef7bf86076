//! What libraries of the machine reached in a run, for the rows of this program's own kernels to be held against.

use crate::CaseId;
use crate::probe::Machine;
use accelbench_reports::{LibraryRate, ResultRow};
use std::collections::BTreeMap;

/// The fastest library so far of each case, whose variant is left empty.
#[derive(Debug, Default)]
pub(crate) struct Libraries(BTreeMap<String, LibraryRate>);

impl Libraries {
    /// Takes note of a row, if it is a library's and has a rate.
    pub(crate) fn add(&mut self, machine: &Machine, row: &ResultRow) {
        let (Some((case, true)), Some(rate)) = (place(machine, row), row.rate) else { return };
        let rate = LibraryRate { variant: row.variant.clone(), flop_per_s: rate.flop_per_s };
        match self.0.get_mut(&case) {
            Some(best) if best.flop_per_s >= rate.flop_per_s => {}
            Some(best) => *best = rate,
            None => {
                self.0.insert(case, rate);
            }
        }
    }

    /// Tells a row of this program's own what the fastest library reached.
    pub(crate) fn hold(&self, machine: &Machine, row: &mut ResultRow) {
        if let (Some((case, false)), Some(ceiling)) = (place(machine, row), row.ceiling.as_mut()) {
            ceiling.vendor = self.0.get(&case).cloned();
        }
    }
}

/// A row's case without its variant, and whether the variant is a library that was found on the machine.
fn place(machine: &Machine, row: &ResultRow) -> Option<(String, bool)> {
    let id: CaseId = row.case.parse().ok()?;
    let device = machine.devices().find(|device| device.id == id.device)?;
    let library = device.caps.external.contains_key(&id.variant);
    Some((CaseId { variant: String::new(), ..id }.to_string(), library))
}
