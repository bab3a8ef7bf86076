//! What identical builds were found to differ by.

use super::process::Stop;
use accelbench_reports::DeviceRow;
use accelbench_reports::gate::{GateCase, GateFile, Mode};
use std::path::Path;

/// The noise of cases by an earlier gate of identical builds on the same devices; none of cases that it doesn't have.
///
/// # Errors
/// One sentence: what kind of file would be right.
pub(super) fn from_file(path: &Path, cases: &[GateCase], devices: &[DeviceRow]) -> Result<Vec<Option<f64>>, Stop> {
    let file = GateFile::read(path).map_err(|error| Stop::Harness(error.to_string()))?;
    let refuse = |why: String| Err(Stop::Harness(format!("{}: {why}", path.display())));
    if file.mode != Mode::Paired || file.base.sha256 != file.candidate.sha256 {
        return refuse("it compares two different builds; noise is what a build differs by from itself".to_owned());
    }
    for device in devices {
        let same = |row: &&DeviceRow| row.id == device.id && row.name == device.name && row.driver == device.driver;
        if file.devices.iter().any(|row| row.id == device.id) && !file.devices.iter().any(|row| same(&row)) {
            return refuse(format!("it was measured on another {} or with another driver", device.id));
        }
    }
    let noise = |case: &GateCase| {
        let same = file.cases.iter().find(|known| known.case == case.case && known.metric == case.metric)?;
        same.noise_of_identical_builds()
    };
    Ok(cases.iter().map(noise).collect())
}
