//! The best plans that are known: of the user's cache, then of the built-in tables of the device's family.

use super::device::DeviceKey;
use super::table::{Entry, Standing, Table};
use crate::probe::Machine;
use accelbench_backends::{DeviceId, DeviceInfo};
use accelbench_kernels::{Bucket, Case, Catalogue, Precision};
use accelbench_reports::PlanSource;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A plan that won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    /// Its name.
    pub plan: String,
    /// Its kernel family.
    pub variant: String,
    /// Where it was known from.
    pub source: PlanSource,
}

/// Why entries of a table were passed over, by operation, type and bucket.
type Stale = BTreeMap<(String, Precision, Bucket), String>;

/// What is known of a machine's devices.
pub struct Known {
    catalogue: Catalogue,
    tables: BTreeMap<DeviceId, Vec<(PlanSource, Table)>>,
    /// Entries that were passed over.
    stale: RefCell<BTreeMap<DeviceId, Stale>>,
}

impl Known {
    /// Nothing.
    pub fn nothing() -> Self {
        Self { catalogue: Catalogue::default(), tables: BTreeMap::new(), stale: RefCell::default() }
    }

    /// What the cache and the program have.
    pub fn of(machine: &Machine, catalogue: Catalogue) -> Self {
        let built_in = Table::built_in();
        let tables = machine.devices().map(|device| {
            let key = DeviceKey::of(machine, device);
            let own = Table::load(&key).map(|table| (PlanSource::UserCache, table));
            let family = built_in.iter().filter(|table| table.device.family() == key.family());
            let all = own.into_iter().chain(family.map(|table| (PlanSource::BuiltInTable, table.clone())));
            (device.id.clone(), all.collect())
        });
        Self { catalogue, tables: tables.collect(), stale: RefCell::default() }
    }

    /// The best plan that is known for a case; none where the kernel families' own choice is.
    pub fn best(&self, device: &DeviceInfo, case: &dyn Case) -> Option<Best> {
        let tables = self.tables.get(&device.id)?;
        let entries = tables.iter().flat_map(|(source, table)| table.entries.iter().map(|entry| (*source, entry)));
        entries
            .filter(|(_, entry)| entry.is_of(case))
            .find_map(|(source, entry)| self.usable(device, case, source, entry))
    }

    fn usable(&self, device: &DeviceInfo, case: &dyn Case, source: PlanSource, entry: &Entry) -> Option<Best> {
        match entry.standing(&self.catalogue, &device.caps) {
            Standing::Sound => {
                let plan = case.plan(&device.caps, &entry.winner.plan)?;
                Some(Best { plan: plan.name(), variant: plan.variant(), source })
            }
            // A family's devices need not be alike in everything.
            Standing::Unlike(_) if source == PlanSource::BuiltInTable => None,
            Standing::Stale(why) | Standing::Unlike(why) => {
                let key = (entry.op.clone(), entry.dtype, entry.bucket.clone());
                self.stale.borrow_mut().entry(device.id.clone()).or_default().insert(key, why);
                None
            }
        }
    }

    /// What users should know: which tuned plans are no longer used.
    pub fn notes(&self) -> Vec<String> {
        let note = |(device, stale): (&DeviceId, &BTreeMap<_, String>)| {
            let (count, why) = (stale.len(), stale.values().next().map(String::as_str).unwrap_or_default());
            format!("{device}: {count} tuned plans are stale and not used ({why}); `accelbench tune` renews them")
        };
        self.stale.borrow().iter().map(note).collect()
    }
}
