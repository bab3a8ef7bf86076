//! `site.json`: what a site was made of, and which files are its own.

use super::{Digest, SiteError};
use crate::LoadOptions;
use crate::text::Lang;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

/// The file's name.
pub(super) const FILE: &str = "site.json";
/// Names that a site takes in its folder.
const OWN: [&str; 5] = ["index.html", "devices", "runs", "data", "schema"];

/// What stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) settings: Settings,
    /// The runs, the newest first.
    pub(super) runs: Vec<Digest>,
    /// The site's files, and the SHA-256 of each.
    pub(super) files: BTreeMap<String, String>,
}

/// What all pages depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// `accelbench.site/1`.
    schema: String,
    /// The program's version.
    version: String,
    lang: String,
    title: Option<String>,
    anonymous: bool,
}

impl Settings {
    pub(super) fn new(lang: Lang, options: &LoadOptions) -> Self {
        Self {
            schema: "accelbench.site/1".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lang: lang.name().to_owned(),
            title: options.title.clone(),
            anonymous: options.anonymous,
        }
    }
}

impl Manifest {
    /// What a folder's site was made of; nothing where there is none. A folder that has something else under the names
    /// that a site takes is refused.
    pub(super) fn of(folder: &Path) -> Result<Self, SiteError> {
        let path = folder.join(FILE);
        match std::fs::read(&path) {
            Ok(bytes) => {
                let mut found: Self = serde_json::from_slice(&bytes).map_err(|_| SiteError::Foreign(path.clone()))?;
                // A file that was tampered with must not lead out of the folder.
                found.files.retain(|path, _| is_inside(path));
                Ok(found)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match OWN.map(|name| folder.join(name)).into_iter().find(|path| path.symlink_metadata().is_ok()) {
                    Some(foreign) => Err(SiteError::Foreign(foreign)),
                    None => Ok(Self::default()),
                }
            }
            Err(source) => Err(SiteError::Io { path, source }),
        }
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let own = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| OWN.contains(&name));
    matches!(parts.next(), Some(Component::Normal(first)) if own(first))
        && parts.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_own_paths_are_inside() {
        for path in ["index.html", "runs/a.html", "data/a.jsonl"] {
            assert!(super::is_inside(path), "{path}");
        }
        for path in ["", "../x", "/etc/passwd", "runs/../../x", "notes.txt"] {
            assert!(!super::is_inside(path), "{path}");
        }
    }
}
