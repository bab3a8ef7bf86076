//! A static site: an index over devices and runs, a page each, and the data to download.
//!
//! All links are relative, and every page stands for itself, so that any static host will do. What the site was made of
//! stands in `site.json`: a run whose file is still the same is not rendered again, and a page that is still the same
//! is not written. Pages that fell away go, unless somebody changed them; no other file is touched.

mod digest;
mod files;
mod manifest;
mod pages;
#[cfg(test)]
mod tests;

use crate::anonymous::Names;
use crate::inert::clean;
use crate::load::parse;
use crate::report::Builder;
use crate::sha256_hex;
use crate::text::Lang;
use crate::{LoadError, LoadOptions, RunFile, RunHeader, csv, html, schema};
use digest::Digest;
use files::Files;
use manifest::{Manifest, Settings};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What became of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Runs in it.
    pub runs: usize,
    /// Devices in it.
    pub devices: usize,
    /// Files that were written.
    pub written: usize,
    /// Files that were there already as they are to be.
    pub unchanged: usize,
    /// Files that fell away.
    pub removed: usize,
    /// Files that were named and can't be taken, with the reasons.
    pub rejected: Vec<(String, String)>,
}

/// Why there is no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// No run can be taken, or one can't and that was not to be passed over.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// What is in the folder is not this program's.
    #[error("{}: it is there, and not of a site that accelbench made; name another folder", .0.display())]
    Foreign(PathBuf),
    /// There are more names than can be searched for.
    #[error("the runs have too many names to leave them out")]
    Names,
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Makes a site in a folder, or brings the one that is there up to date.
///
/// # Errors
/// Where no run can be taken, where `strict` and one can't, where the folder holds something else under the site's
/// names, and the system's.
pub fn publish(paths: &[PathBuf], to: &Path, lang: Lang, options: &LoadOptions) -> Result<Published, SiteError> {
    let before = Manifest::of(to)?;
    let (chosen, mut rejected) = choose(paths);
    let names = if options.anonymous {
        Some(Names::of(chosen.iter().map(|run| &run.header)).ok_or(SiteError::Names)?)
    } else {
        None
    };
    let settings = Settings::new(lang, options);
    let known = if before.settings == settings { before.runs.as_slice() } else { &[] };
    let maker = Maker {
        lang,
        options,
        names,
        known: known.iter().map(|run| (run.sha256.as_str(), run)).collect(),
        files: Files::new(to, &before.files),
    };
    if !chosen.is_empty() {
        maker.files.claim()?;
    }
    let mut runs = Vec::new();
    for (run, made) in chosen.iter().zip(in_parallel(&chosen, |run| maker.run(run))) {
        match made? {
            Ok(digest) => runs.push(digest),
            Err(reason) => rejected.push((run.path.display().to_string(), reason)),
        }
    }
    for (file, reason) in &mut rejected {
        clean(file);
        clean(reason);
    }
    let line = |(file, reason): &(String, String)| format!("{file}: {reason}");
    match rejected.first() {
        Some(first) if options.strict => return Err(LoadError::Rejected(line(first)).into()),
        _ if runs.is_empty() => return Err(LoadError::Nothing(rejected.iter().map(line).collect()).into()),
        _ => {}
    }
    // The newest first, and always in one order.
    runs.sort_by(|one, other| (&other.started, &other.page).cmp(&(&one.started, &one.page)));
    let devices = pages::devices(&runs);
    let site = pages::Site { lang, title: options.title.as_deref(), runs: &runs, devices: &devices };
    let files = maker.files;
    files.write("index.html", site.index().as_bytes())?;
    for device in &devices {
        files.write(&device.path(), site.device(device).as_bytes())?;
    }
    files.write("schema/run.v1.json", schema::json_schema().as_bytes())?;
    let done = files.finish(|files| Manifest { settings, runs: runs.clone(), files }.text())?;
    Ok(Published { runs: runs.len(), devices: devices.len(), rejected, ..done })
}

/// A file that looks like a run by its first line.
struct Chosen {
    path: PathBuf,
    header: RunHeader,
    /// The name of its pages.
    page: String,
}

/// Files by their headers: what can't be read is left out with its reason, and so is a run that is there already.
fn choose(paths: &[PathBuf]) -> (Vec<Chosen>, Vec<(String, String)>) {
    let headers = in_parallel(paths, |path| {
        let bytes = files::first_line(path).map_err(|error| error.to_string())?;
        parse(path, &bytes).map(|file| file.header)
    });
    let (mut chosen, mut rejected) = (Vec::new(), Vec::new());
    let mut ids: HashMap<String, PathBuf> = HashMap::new();
    let mut pages: HashSet<String> = HashSet::new();
    for (path, header) in paths.iter().zip(headers) {
        let mut reject = |reason: String| rejected.push((path.display().to_string(), reason));
        match header {
            Err(reason) => reject(reason),
            Ok(header) => {
                if let Some(known) = ids.get(&header.run_id) {
                    reject(format!("it is the same run as {}, by its id", known.display()));
                    continue;
                }
                ids.insert(header.run_id.clone(), path.clone());
                // Different ids may give one name, as file systems know no capitals.
                let mut page = pages::slug(&header.run_id);
                if !pages.insert(page.clone()) {
                    page = format!("{page}-{}", &sha256_hex(header.run_id.as_bytes())[..12]);
                    pages.insert(page.clone());
                }
                chosen.push(Chosen { path: path.clone(), header, page });
            }
        }
    }
    (chosen, rejected)
}

/// Makes the pages of runs.
struct Maker<'a> {
    lang: Lang,
    options: &'a LoadOptions,
    names: Option<Names>,
    /// What is known of runs by the hash of what is published of them.
    known: HashMap<&'a str, &'a Digest>,
    files: Files<'a>,
}

impl Maker<'_> {
    /// A run's page and data; or why it can't be taken.
    fn run(&self, run: &Chosen) -> Result<Result<Digest, String>, SiteError> {
        let bytes = match std::fs::read(&run.path) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut file = None;
        let bytes = match &self.names {
            None => bytes,
            Some(names) => match parse(&run.path, &bytes) {
                Ok(mut named) => {
                    names.leave_out(&mut named);
                    let bytes = named.lines();
                    file = Some(named);
                    bytes
                }
                Err(reason) => return Ok(Err(reason)),
            },
        };
        let hash = sha256_hex(&bytes);
        let [page, data, table] = pages::of_run(&run.page);
        if let Some(known) = self.known.get(hash.as_str())
            && known.page == run.page
            && self.files.keep(&[&page, &data, &table])
        {
            return Ok(Ok((*known).clone()));
        }
        let file = match file.map_or_else(|| parse(&run.path, &bytes), Ok) {
            Ok(file) => file,
            Err(reason) => return Ok(Err(reason)),
        };
        self.files.write(&data, &bytes)?;
        drop(bytes);
        let digest = self.render(run, &file, hash)?;
        Ok(Ok(digest))
    }

    fn render(&self, run: &Chosen, file: &RunFile, hash: String) -> Result<Digest, SiteError> {
        let [page, data, table] = pages::of_run(&run.page);
        let mut builder = Builder::new(self.options.title.as_deref());
        builder.add(&format!("{}.jsonl", run.page), Some(&hash), file);
        let mut report = builder.finish(false);
        report.anonymous = self.options.anonymous;
        let mut text = Vec::new();
        csv::write(&report, &mut text).map_err(|source| SiteError::Io { path: table.clone().into(), source })?;
        self.files.write(&table, &text)?;
        let links = pages::links(self.lang, &data, &table);
        self.files.write(&page, html::render_in_site(&report, self.lang, &links).as_bytes())?;
        Ok(Digest::of(&report, run.page.clone(), hash))
    }
}

/// What a function makes of each item, in the items' order, by as many threads as there are processors.
fn in_parallel<T: Sync, R: Send>(items: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let made = Mutex::new(Vec::with_capacity(items.len()));
    let workers = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((at, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
                {
                    let result = make(item);
                    if let Ok(mut made) = made.lock() {
                        made.push((at, result));
                    }
                }
            });
        }
    });
    let mut made = made.into_inner().unwrap_or_default();
    made.sort_by_key(|&(at, _)| at);
    made.into_iter().map(|(_, result)| result).collect()
}
