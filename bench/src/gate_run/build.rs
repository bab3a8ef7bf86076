//! The builds that are compared: an executable as it is, or a revision that is built first.

use super::process::{Stop, output};
use accelbench_reports::gate::Build;
use accelbench_reports::sha256_hex;
use std::fs;
use std::path::{Path, PathBuf};

/// Names of the working tree as it is, with what is not committed.
const WORKING_TREE: [&str; 2] = [".", "WORKTREE"];
/// The executable's name in a build.
const PROGRAM: &str = "accelbench";

/// Finds or makes a build. `cache` is where built revisions are kept; `tell` hears what takes long.
///
/// # Errors
/// The user's wish to stop, or one sentence: no such file or revision, or a revision that doesn't build.
pub(super) fn resolve(
    given: &str,
    cache: Option<&Path>,
    work: &Path,
    tell: &mut dyn FnMut(String),
    stopped: &dyn Fn() -> bool,
) -> Result<Build, Stop> {
    let path = Path::new(given);
    if WORKING_TREE.contains(&given) {
        let tree = git(Path::new("."), &["rev-parse", "--show-toplevel"], stopped)
            .map_err(|_| Stop::Harness(format!("`{given}` is the working tree, and no git repository is here")))?;
        let tree = PathBuf::from(tree);
        tell("building the working tree".to_owned());
        let built = cargo(&tree, &tree.join("target"), given, stopped)?;
        // A build that follows must not change what is being measured.
        let kept = work.join("working-tree");
        fs::copy(&built, &kept).map_err(|error| Stop::Harness(format!("{}: {error}", kept.display())))?;
        let changes = git(&tree, &["status", "--porcelain", "--untracked-files=no"], stopped)?;
        let revision = git(&tree, &["rev-parse", "HEAD"], stopped).ok();
        return Ok(Build { revision, dirty: Some(!changes.is_empty()), ..executable(given, &kept)? });
    }
    if path.is_file() {
        return executable(given, path);
    }
    let commit = git(
        Path::new("."),
        &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{given}^{{commit}}")],
        stopped,
    )
    .map_err(|stop| match stop {
        Stop::Interrupted => stop,
        Stop::Harness(_) => {
            Stop::Harness(format!("`{given}` is neither an executable file nor a revision that git knows here"))
        }
    })?;
    let folder = cache.ok_or_else(|| {
        Stop::Harness("no cache folder is known to build revisions in: set ACCELBENCH_CACHE_DIR".to_owned())
    })?;
    let kept = folder.join(&commit).join(PROGRAM);
    if !kept.is_file() {
        tell(format!("building {given} ({commit:.12}); it is kept in {}", folder.display()));
        build_revision(given, &commit, folder, work, &kept, stopped)?;
    }
    Ok(Build { revision: Some(commit), dirty: Some(false), ..executable(given, &kept)? })
}

/// What is known of an executable without running it.
pub(super) fn executable(given: &str, path: &Path) -> Result<Build, Stop> {
    let failed = |error: std::io::Error| Stop::Harness(format!("{}: {error}", path.display()));
    Ok(Build {
        given: given.to_owned(),
        path: fs::canonicalize(path).map_err(failed)?.display().to_string(),
        sha256: sha256_hex(&fs::read(path).map_err(failed)?),
        revision: None,
        dirty: None,
        version: None,
    })
}

fn build_revision(
    given: &str,
    commit: &str,
    folder: &Path,
    work: &Path,
    kept: &Path,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Stop> {
    let failed = |path: &Path, error: std::io::Error| Stop::Harness(format!("{}: {error}", path.display()));
    let source = work.join(format!("source-{commit:.12}"));
    let place = source.display().to_string();
    git(Path::new("."), &["worktree", "add", "--detach", "--force", &place, commit], stopped)?;
    // All revisions share a target folder, for the crates that they share.
    let built = cargo(&source, &folder.join("target"), given, stopped);
    // The folder goes with the work folder; git's note of it goes here.
    let _ = git(Path::new("."), &["worktree", "remove", "--force", &place], &|| false);
    let built = built?;
    let parent = kept.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
    // Whole or not at all, also beside another gate that does the same.
    let mine = parent.join(format!("{PROGRAM}.{}", std::process::id()));
    fs::copy(&built, &mine).and_then(|_| fs::rename(&mine, kept)).map_err(|error| failed(kept, error))
}

/// Builds the program of a source tree and says where it lies.
fn cargo(tree: &Path, target: &Path, given: &str, stopped: &dyn Fn() -> bool) -> Result<PathBuf, Stop> {
    let arguments = ["build", "--release", "--locked", "--quiet", "--message-format=json", "--bin", PROGRAM];
    let text = output("cargo", arguments, |command| command.current_dir(tree).env("CARGO_TARGET_DIR", target), stopped)
        .map_err(|stop| match stop {
            Stop::Interrupted => stop,
            Stop::Harness(how) => Stop::Harness(format!("`{given}` does not build: {how}")),
        })?;
    let executable = text.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    executable.ok_or_else(|| Stop::Harness(format!("`{given}` has no program `{PROGRAM}`")))
}

fn git(folder: &Path, arguments: &[&str], stopped: &dyn Fn() -> bool) -> Result<String, Stop> {
    let text = output("git", arguments, |command| command.current_dir(folder), stopped)?;
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(given: &str) -> Result<Build, Stop> {
        let work = tempfile::tempdir().unwrap();
        resolve(given, Some(work.path()), work.path(), &mut |_| (), &|| false)
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, "abc").unwrap();
        let build = resolved(&path.display().to_string()).unwrap();
        // The standard's own example.
        assert_eq!(build.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((build.revision, build.dirty), (None, None));
    }

    #[test]
    fn what_is_neither_a_file_nor_a_revision_is_named() {
        for given in ["no-such-thing", "--upload-pack=x", ""] {
            let refused = matches!(resolved(given), Err(Stop::Harness(reason)) if reason.starts_with(&format!("`{given}` is neither")));
            assert!(refused, "{given}");
        }
    }
}
