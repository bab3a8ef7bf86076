//! Sites of small runs, and the one that is kept in `reports/published`.

use super::{Published, SiteError, publish};
use crate::fixture::{Fixture, of_every_sort};
use crate::text::Lang;
use crate::{LoadOptions, RunFile, check};
use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Runs in files of a folder, and a folder for their site.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A run of its own.
    fn run(&self, id: &str) -> PathBuf {
        self.file(&format!("{id}.jsonl"), &run(id).text())
    }

    fn site(&self) -> PathBuf {
        self.0.path().join("site")
    }

    fn publish(&self, runs: &[&PathBuf]) -> Published {
        let runs: Vec<PathBuf> = runs.iter().map(|&path| path.clone()).collect();
        publish(&runs, &self.site(), Lang::En, &LoadOptions::default()).unwrap()
    }
}

fn run(id: &str) -> Fixture {
    let mut run = of_every_sort();
    run.header["run_id"] = id.into();
    run.header["devices"][1]["name"] = format!("Device of {id}").into();
    run
}

/// All files of a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name =
                    path.strip_prefix(folder).unwrap().components().map(|part| part.as_os_str().to_str().unwrap());
                found.insert(name.collect::<Vec<_>>().join("/"), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "html")
}

/// Makes every file look old, so that whatever is written is newer.
fn age(folder: &Path) -> SystemTime {
    let old = SystemTime::now() - Duration::from_secs(1000);
    for path in files(folder).keys() {
        fs::File::options().write(true).open(folder.join(path)).unwrap().set_modified(old).unwrap();
    }
    old + Duration::from_secs(500)
}

fn written_since(folder: &Path, then: SystemTime) -> Vec<String> {
    let newer = |path: &String| fs::metadata(folder.join(path)).unwrap().modified().unwrap() > then;
    files(folder).into_keys().filter(newer).collect()
}

#[test]
fn every_device_and_run_has_its_page_and_every_link_leads_somewhere() {
    let place = Place::new();
    let done = place.publish(&[&place.run("one"), &place.run("two")]);
    assert_eq!((done.runs, done.devices, done.removed), (2, 3, 0));
    let files = files(&place.site());
    assert_eq!(done.written, files.len());
    for path in ["index.html", "runs/one.html", "data/one.jsonl", "data/two.csv", "schema/run.v1.json", "site.json"] {
        assert!(files.contains_key(path), "{path}");
    }
    assert_eq!(files["data/one.jsonl"], run("one").text().into_bytes());
    let link = Regex::new(r#"(?:href|src)="?([^\s">]+)"#).unwrap();
    let mut links = 0;
    for (path, content) in files.iter().filter(|(path, _)| is_page(path)) {
        let text = std::str::from_utf8(content).unwrap();
        for target in
            link.captures_iter(text).map(|found| found[1].to_owned()).filter(|target| !target.starts_with('#'))
        {
            let folder = Path::new(path).parent().unwrap();
            let whole = place.site().join(folder).join(&target);
            assert!(whole.is_file(), "{path} leads to {target}");
            links += 1;
        }
    }
    assert!(links > 20, "{links}");
    let index = std::str::from_utf8(&files["index.html"]).unwrap();
    for text in ["Device One", "Device of two", "f16 GEMM", "100.0 GB/s"] {
        assert!(index.contains(text), "{text}");
    }
}

#[test]
fn only_what_changed_is_written() {
    let place = Place::new();
    let (one, two) = (place.run("one"), place.run("two"));
    place.publish(&[&one]);
    let then = age(&place.site());
    let again = place.publish(&[&one]);
    assert_eq!((again.written, again.removed), (0, 0));
    assert_eq!(written_since(&place.site(), then), Vec::<String>::new());
    place.publish(&[&one, &two]);
    let written = written_since(&place.site(), then);
    let new = |path: &&String| !path.starts_with("devices/");
    assert_eq!(
        written.iter().filter(new).collect::<Vec<_>>(),
        ["data/two.csv", "data/two.jsonl", "index.html", "runs/two.html", "site.json"]
    );
    // The device that both have, and the new one; not the one that only the first has.
    assert_eq!(written.len() - 5, 2, "{written:?}");
    // The same as made at once.
    let fresh = Place::new();
    fresh.publish(&[&one, &two]);
    assert!(files(&place.site()) == files(&fresh.site()));
}

#[test]
fn a_page_that_was_changed_or_lost_is_made_again() {
    let place = Place::new();
    let one = place.run("one");
    place.publish(&[&one]);
    let before = files(&place.site());
    fs::write(place.site().join("runs/one.html"), "changed").unwrap();
    fs::remove_file(place.site().join("data/one.csv")).unwrap();
    assert_eq!(place.publish(&[&one]).written, 2);
    assert!(files(&place.site()) == before);
}

#[test]
fn what_fell_away_goes_and_nothing_else() {
    let place = Place::new();
    let (one, two) = (place.run("one"), place.run("two"));
    place.publish(&[&one, &two]);
    for foreign in ["CNAME", "runs/notes.txt", "data/own.jsonl"] {
        fs::write(place.site().join(foreign), "mine").unwrap();
    }
    fs::write(place.site().join("data/two.csv"), "changed by hand").unwrap();
    let done = place.publish(&[&one]);
    let files = files(&place.site());
    // The page, the data and the device of the second run.
    assert_eq!(done.removed, 3);
    assert!(!files.contains_key("runs/two.html") && !files.contains_key("data/two.jsonl"));
    for kept in ["CNAME", "runs/notes.txt", "data/own.jsonl", "data/two.csv", "runs/one.html"] {
        assert!(files.contains_key(kept), "{kept}");
    }
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let place = Place::new();
    fs::create_dir(place.site()).unwrap();
    fs::write(place.site().join("index.html"), "mine").unwrap();
    let refused = publish(&[place.run("one")], &place.site(), Lang::En, &LoadOptions::default());
    assert!(matches!(refused, Err(SiteError::Foreign(_))), "{refused:?}");
    assert_eq!(files(&place.site()).len(), 1);
    // A manifest that leads elsewhere takes nothing with it.
    let victim = place.file("victim", "mine");
    let hash = crate::sha256_hex(b"mine");
    fs::remove_file(place.site().join("index.html")).unwrap();
    place.publish(&[&place.run("one")]);
    let manifest = place.site().join("site.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"files\": {", &format!("\"files\": {{ \"../victim\": \"{hash}\","))).unwrap();
    place.publish(&[&place.run("one")]);
    assert!(victim.is_file());
}

#[test]
fn what_cannot_be_taken_is_named_and_strictness_fails() {
    let place = Place::new();
    let (one, bad) = (place.run("one"), place.file("bad.jsonl", "no run\n"));
    let mut torn = run("torn").text();
    torn.insert_str(torn.find('\n').unwrap() + 1, "damage\n");
    let (same, torn) = (place.file("same.jsonl", &run("one").text()), place.file("torn.jsonl", &torn));
    let done = place.publish(&[&one, &bad, &same, &torn]);
    assert_eq!(done.runs, 1);
    let reasons: Vec<&str> = done.rejected.iter().map(|(_, reason)| reason.as_str()).collect();
    assert!(
        reasons[0].contains("no JSON") && reasons[1].contains("same run") && reasons[2].contains("line 2"),
        "{reasons:?}"
    );
    let strict = LoadOptions { strict: true, ..LoadOptions::default() };
    assert!(publish(&[one, bad.clone()], &place.site(), Lang::En, &strict).is_err());
    assert!(publish(&[bad], &place.0.path().join("other"), Lang::En, &LoadOptions::default()).is_err());
    assert!(!place.0.path().join("other").exists());
}

#[test]
fn hostile_names_stay_inert() {
    let place = Place::new();
    let mut hostile = run("../../<script>alert(1)</script>");
    for field in ["name", "vendor", "driver", "kind"] {
        hostile.header["devices"][0][field] = "<img src=x onerror=alert(1)>\u{202e}\"'/../../x".into();
    }
    let path = place.file("hostile.jsonl", &hostile.text());
    place.publish(&[&path]);
    assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 2, "nothing is outside of the site");
    for (path, content) in files(&place.site()).iter().filter(|(path, _)| is_page(path)) {
        let text = std::str::from_utf8(content).unwrap();
        assert!(!text.contains("<img") && !text.contains("<script>alert") && !text.contains('\u{202e}'), "{path}");
    }
}

#[test]
fn an_anonymous_site_has_no_names_and_sound_files() {
    let place = Place::new();
    let runs = [place.run("one"), place.run("two")];
    let options = LoadOptions { anonymous: true, ..LoadOptions::default() };
    publish(&runs, &place.site(), Lang::En, &options).unwrap();
    for (path, content) in files(&place.site()) {
        let text = String::from_utf8(content).unwrap();
        for name in ["Device One", "Device of", "Maker", "driver 1.0"] {
            assert!(!text.contains(name), "{name} is in {path}");
        }
    }
    let file = RunFile::read(&place.site().join("data/two.jsonl")).unwrap();
    assert_eq!(check::check(&file), check::check(&run("two").read()));
    // What both runs have is one device still.
    assert_eq!(fs::read_dir(place.site().join("devices")).unwrap().count(), 3);
}

#[test]
fn languages_have_one_structure() {
    let place = Place::new();
    let tags = Regex::new("<[a-z/][a-z0-9]*").unwrap();
    let [en, zh] = Lang::ALL.map(|lang| {
        let site = place.0.path().join(lang.name());
        publish(&[place.run("one")], &site, lang, &LoadOptions::default()).unwrap();
        let files = files(&site).into_iter().filter(|(path, _)| is_page(path));
        let tags = |(path, text)| {
            let text = String::from_utf8(text).unwrap();
            (path, tags.find_iter(&text).map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>())
        };
        files.map(tags).collect::<Vec<_>>()
    });
    assert_eq!(en, zh);
}

/// `UPDATE_PUBLISHED=1 cargo test -p accelbench-reports published` writes the site anew.
#[test]
fn the_published_site_is_what_its_runs_give() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("published");
    let mut runs: Vec<PathBuf> = fs::read_dir(kept.join("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    runs.sort();
    for run in &runs {
        let file = RunFile::read(run).unwrap();
        assert_eq!(check::check(&file), Vec::<String>::new(), "{}", run.display());
    }
    let place = Place::new();
    let options = LoadOptions { anonymous: true, strict: true, ..LoadOptions::default() };
    publish(&runs, &place.site(), Lang::En, &options).unwrap();
    let made = files(&place.site());
    if std::env::var_os("UPDATE_PUBLISHED").is_some() {
        for (path, content) in &made {
            let path = kept.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }
    let mut kept = files(&kept);
    // Ratios have documents and pages of their own.
    kept.retain(|path, _| !path.starts_with("ratios-"));
    assert_eq!(made.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    for (path, content) in &made {
        assert!(*content == kept[path], "{path} is not what the runs give");
    }
}
