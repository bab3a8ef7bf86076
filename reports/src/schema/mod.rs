//! The lines of a result file, version `accelbench.run/1`.
//!
//! Units are SI: bytes, FLOP, FLOP/s; raw times are nanoseconds. Fields may be added within a version, so readers pass
//! over names that they don't know; a changed meaning makes a new version.

mod ceilings;
mod end;
mod energy;
mod energy_ceilings;
mod result;
mod run;

pub use ceilings::{
    Bandwidth, Bound, Ceiling, Ceilings, Direction, HostMemory, Latency, LibraryRate, Missing, Peak, Quantity,
    Theoretical, Transfer, Unit,
};
pub use end::{End, EndStatus};
pub use energy::{Energy, EnergyEstimate, EnergyFigures, EnergyMeter, EnergyStatus, EnergyWindow};
pub use energy_ceilings::{EnergyCeilings, EnergyPoint, EnergyRoofline};
pub use result::{PlanSource, Provenance, Rate, ResultRow, Status, Timing, Verify, Work};
pub use run::{BackendRow, BackendStatus, CacheMode, DeviceRow, Host, Plan, RunHeader, Suite};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// This version's name, the `schema` field of every header.
pub const SCHEMA: &str = "accelbench.run/1";

/// One line of a result file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    /// The first line: what was run, on what.
    Run(Box<RunHeader>),
    /// What a device reached at best.
    Ceilings(Box<Ceilings>),
    /// A case's outcome.
    Result(Box<ResultRow>),
    /// The last line: how the run ended.
    End(End),
}

/// The JSON Schema of a line, as `schema/run.v1.json` holds it.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Line);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    /// `UPDATE_SCHEMA=1 cargo test -p accelbench-reports` writes the file anew.
    #[test]
    fn the_checked_in_schema_is_the_types_own() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/run.v1.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, super::json_schema()).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap() == super::json_schema(), "{path} is not the types' own");
    }
}
