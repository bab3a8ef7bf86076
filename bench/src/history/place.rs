//! Where a user's history lies.

use std::path::PathBuf;

/// The folder of the history, instead of the one in the user's data folder.
pub const FOLDER_VARIABLE: &str = "ACCELBENCH_HISTORY";

/// The folder of this user's history; none where the system has no folder for this user's data.
pub fn folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable(FOLDER_VARIABLE)
        .or_else(|| Some(variable("XDG_DATA_HOME")?.join("accelbench/history")))
        .or_else(|| Some(variable("HOME")?.join(".local/share/accelbench/history")))
}
