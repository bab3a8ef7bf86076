//! The same chip through its several APIs.

use super::{Chip, KnownBy, Report, Standing, standing};
use crate::inert::Interner;
use crate::{DeviceRow, RunHeader};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// Which of a chip's APIs is ahead.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipStandings {
    /// An index of [`Report::chips`].
    pub chip: usize,
    /// The standings among its subjects.
    pub standings: Vec<Standing>,
}

/// Chips that this many standings are given for at most.
const COMPARED: usize = 40;

pub(super) fn of(report: &Report) -> Vec<ChipStandings> {
    let several = report.chips.iter().enumerate().filter(|(_, chip)| chip.apis.len() > 1);
    several
        .take(COMPARED)
        .map(|(index, _)| ChipStandings {
            chip: index,
            standings: standing::speed(report, &|subject| report.subjects[subject].chip == index),
        })
        .collect()
}

/// How chips are recognised.
#[derive(Debug, Default)]
pub(super) struct Known {
    by: HashMap<String, usize>,
}

impl Known {
    /// The chip of a subject: one that is known, or a new one.
    pub(super) fn of(
        &mut self,
        chips: &mut Vec<Chip>,
        texts: &mut Interner,
        subject: usize,
        header: &RunHeader,
        device: &DeviceRow,
    ) -> usize {
        let keys = keys(header, device);
        let api = texts.name(&device.backend);
        let known = keys.iter().find_map(|(key, how)| Some((*self.by.get(key)?, *how)));
        let index = known.map_or(chips.len(), |(index, _)| index);
        if known.is_none() {
            chips.push(Chip { name: texts.name(&device.name), known_by: None, subjects: Vec::new(), apis: Vec::new() });
        }
        let chip = &mut chips[index];
        chip.known_by = chip.known_by.or(known.and_then(|(_, how)| how));
        chip.subjects.push(subject);
        if !chip.apis.contains(&api) {
            chip.apis.push(api);
        }
        for (key, _) in keys {
            self.by.entry(key).or_insert(index);
        }
        index
    }
}

/// What a chip may be recognised by, the surest first, and what that is called.
fn keys(header: &RunHeader, device: &DeviceRow) -> Vec<(String, Option<KnownBy>)> {
    let host = format!("{:?}/{}", header.host.hostname.as_ref().unwrap_or(&header.run_id), header.host.cpu);
    if device.kind == "cpu" {
        return vec![(format!("cpu/{host}"), Some(KnownBy::HostProcessor))];
    }
    let id = |name: &str| device.physical_id.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
    let uuid = id("uuid").map(|uuid| (format!("uuid/{}", uuid.to_lowercase()), Some(KnownBy::PhysicalId)));
    let pci = id("pci").map(|pci| (format!("pci/{host}/{}", pci.to_lowercase()), Some(KnownBy::PhysicalId)));
    // The same device of the same machine in another run, through the same API.
    let again = (format!("again/{host}/{}/{}/{}", device.backend, device.id, device.name), None);
    uuid.into_iter().chain(pci).chain([again]).collect()
}
