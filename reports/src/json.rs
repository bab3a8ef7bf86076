//! A report as JSON: the model as it is, by the schema in `schema/report.v1.json`.

use crate::Report;
use schemars::generate::SchemaSettings;
use std::io::{self, Write};

/// Writes a report.
///
/// # Errors
/// The writer's.
pub fn write(report: &Report, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")
}

/// The JSON Schema of a report.
pub fn schema() -> String {
    let schema = SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<Report>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    /// `UPDATE_SCHEMA=1 cargo test -p accelbench-reports` writes the file anew.
    #[test]
    fn the_checked_in_schema_is_the_types_own() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report.v1.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, super::schema()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), super::schema());
    }
}
