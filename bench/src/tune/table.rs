//! Plans that won, and where they are kept: the user's cache has a table a device, the program one a family of devices.

use super::device::DeviceKey;
use super::duel::Win;
use crate::ceilings::{FOLDER_VARIABLE, cache_folder, write_whole};
use accelbench_backends::Caps;
use accelbench_kernels::{Bucket, Case, Catalogue, Plan, Precision, tuned};
use accelbench_reports::sha256_hex;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The `schema` field of every table.
pub const SCHEMA: &str = "accelbench.tuned/2";

/// What won on a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// [`SCHEMA`].
    pub schema: String,
    /// The device.
    pub device: DeviceKey,
    /// The machine's processor.
    pub host: String,
    /// What won, by operation, type and bucket.
    pub entries: Vec<Entry>,
}

/// What won in a bucket of shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The operation.
    pub op: String,
    /// The numeric types.
    pub dtype: Precision,
    /// The bucket.
    pub bucket: Bucket,
    /// The shape of the bucket that was measured, in the compact form of ids.
    pub shape: String,
    /// The plan that won.
    pub winner: PlanId,
    /// The plan that it won against.
    pub over: PlanId,
    /// The plan that the kernel families chose by themselves: that one, or one that had lost before.
    pub default: PlanId,
    /// By how much.
    pub by: Gain,
    /// When: RFC 3339, UTC.
    pub tuned: String,
    /// The program's version.
    pub program: String,
    /// The commit that the program was built from, where that is known.
    pub commit: Option<String>,
}

/// A plan, and what makes it another one though its name is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanId {
    /// Its name.
    pub plan: String,
    /// SHA-256 of its kernels' sources for the shape that was measured.
    pub source_sha256: String,
}

impl PlanId {
    /// The plan of a case.
    pub fn of(plan: &dyn Plan) -> Self {
        Self { plan: plan.name(), source_sha256: plan.program().source_sha256() }
    }
}

/// How much faster a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// How many times as fast.
    pub speedup: f64,
    /// At least so many times as fast, but for a probability of 2.5%.
    pub least: f64,
    /// Pairs of turns that say so.
    pub pairs: usize,
}

impl From<Win> for Gain {
    fn from(Win { speedup, least, pairs }: Win) -> Self {
        Self { speedup, least, pairs }
    }
}

/// Whether an entry still says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All kernels are as they were.
    Sound,
    /// One of the kernels has changed; which.
    Stale(String),
    /// The device has not the plan, or another default: the program is another one, or the device where it was measured.
    Unlike(String),
}

impl Entry {
    /// Whether the entry is about this bucket.
    pub fn is_of(&self, case: &dyn Case) -> bool {
        self.op == case.op() && self.dtype == case.precision() && self.bucket == case.bucket()
    }

    /// Whether the kernels are those that were measured, and the default is still the one that lost.
    pub fn standing(&self, catalogue: &Catalogue, caps: &Caps) -> Standing {
        let Ok(case) = catalogue.case(&self.op, self.dtype, &self.shape) else {
            return Standing::Stale(format!("{} {} is no shape any more", self.op, self.shape));
        };
        match case.plans(caps).first().map(|plan| PlanId::of(&**plan)) {
            Some(default) if default == self.default => {}
            Some(default) if default.plan == self.default.plan => {
                return Standing::Stale(format!("the kernel of {} has changed", default.plan));
            }
            default => {
                let (was, is) = (&self.default.plan, default.map_or("none".to_owned(), |default| default.plan));
                return Standing::Unlike(format!("the default is {is}, and was {was}"));
            }
        }
        // To look a plan up may make the whole space, and mostly the loser is the default.
        for id in [&self.winner, &self.over].into_iter().filter(|id| **id != self.default) {
            match case.plan(caps, &id.plan) {
                Some(plan) if PlanId::of(&*plan) == *id => {}
                Some(_) => return Standing::Stale(format!("the kernel of {} has changed", id.plan)),
                // Among the devices of a family the loser may be none of this one's.
                None if id == &self.over => {}
                None => return Standing::Unlike(format!("there is no plan {}", id.plan)),
            }
        }
        Standing::Sound
    }
}

impl Table {
    /// A table without entries.
    pub fn new(device: DeviceKey, host: String) -> Self {
        Self { schema: SCHEMA.to_owned(), device, host, entries: Vec::new() }
    }

    /// Those that the program has.
    pub fn built_in() -> Vec<Self> {
        tuned::TABLES.iter().filter_map(|text| Self::parse(text.as_bytes())).collect()
    }

    /// Reads a table. What can't be read is not there.
    pub fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().filter(|table: &Self| table.schema == SCHEMA)
    }

    /// What is kept of a device.
    pub fn load(device: &DeviceKey) -> Option<Self> {
        Self::parse(&fs::read(Self::path(device)?).ok()?).filter(|table| table.device == *device)
    }

    /// Adds an entry, in the place of one of the same bucket.
    pub fn add(&mut self, entry: Entry) {
        let same = |known: &Entry| known.op == entry.op && known.dtype == entry.dtype && known.bucket == entry.bucket;
        self.entries.retain(|known| !same(known));
        self.entries.push(entry);
        self.entries.sort_by(|a, b| (&a.op, a.dtype, &a.bucket).cmp(&(&b.op, b.dtype, &b.bucket)));
    }

    /// Keeps an entry in the user's cache, beside those that are there.
    ///
    /// # Errors
    /// One line with the place and the system's reason.
    pub fn keep(device: &DeviceKey, host: &str, entry: Entry) -> Result<(), String> {
        let path = Self::path(device).ok_or_else(|| format!("no cache folder is known: set {FOLDER_VARIABLE}"))?;
        let mut table = Self::load(device).unwrap_or_else(|| Self::new(device.clone(), host.to_owned()));
        table.add(entry);
        table.write(&path)
    }

    /// Writes the table as its family's into a folder, beside entries of other buckets that are there.
    ///
    /// # Errors
    /// One line with the place and the system's reason.
    pub fn export(&self, folder: &Path) -> Result<PathBuf, String> {
        let path = folder.join(format!("{}.json", self.device.family().slug()));
        let mut table = self.clone();
        if let Some(there) = fs::read(&path).ok().and_then(|text| Self::parse(&text)) {
            table.entries = there.entries;
            self.entries.iter().for_each(|entry| table.add(entry.clone()));
        }
        table.write(&path)?;
        Ok(path)
    }

    fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(self).map_err(std::io::Error::from);
        let written = text.and_then(|mut text| {
            text.push(b'\n');
            write_whole(path, &text)
        });
        written.map_err(|error| format!("{}: {error}", path.display()))
    }

    fn path(device: &DeviceKey) -> Option<PathBuf> {
        let hash = sha256_hex(&serde_json::to_vec(device).unwrap_or_default());
        Some(cache_folder()?.join("tuned").join(format!("{}-{hash:.16}.json", device.backend)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::{DeviceId, Registry};

    fn device() -> DeviceKey {
        DeviceKey {
            backend: "host".to_owned(),
            api_version: "1".to_owned(),
            device: "CPU".to_owned(),
            kind: "cpu".to_owned(),
            architecture: "isa=any".to_owned(),
            compute_units: Some(2),
            driver: "driver 1.0".to_owned(),
        }
    }

    fn caps() -> Caps {
        Registry::builtin().open(&DeviceId::new("host", 0)).unwrap().caps().clone()
    }

    fn entry(shape: &str) -> Entry {
        let case = Catalogue::builtin().case("gemm", Precision::F32, shape).unwrap();
        let plan = case.plans(&caps()).remove(0);
        let id = PlanId::of(&*plan);
        Entry {
            op: "gemm".to_owned(),
            dtype: Precision::F32,
            bucket: case.bucket(),
            shape: shape.to_owned(),
            winner: id.clone(),
            over: id.clone(),
            default: id,
            by: Gain { speedup: 1.5, least: 1.4, pairs: 12 },
            tuned: "2026-01-01T00:00:00Z".to_owned(),
            program: "1".to_owned(),
            commit: None,
        }
    }

    #[test]
    fn an_entry_is_as_good_as_its_kernels() {
        let (catalogue, caps) = (Catalogue::builtin(), caps());
        let sound = entry("64x64x64");
        assert_eq!(sound.standing(&catalogue, &caps), Standing::Sound);
        let changed = |id: &PlanId| PlanId { source_sha256: "0".repeat(64), ..id.clone() };
        let stale = Entry { winner: changed(&sound.winner), ..sound.clone() };
        assert!(matches!(stale.standing(&catalogue, &caps), Standing::Stale(why) if why.contains("has changed")));
        let stale = Entry { over: changed(&sound.over), ..sound.clone() };
        assert!(matches!(stale.standing(&catalogue, &caps), Standing::Stale(why) if why.contains("has changed")));
        let gone = PlanId { plan: "tiled-1x1x1-1x1".to_owned(), ..sound.winner.clone() };
        let stale = Entry { winner: gone.clone(), ..sound.clone() };
        assert!(matches!(stale.standing(&catalogue, &caps), Standing::Unlike(why) if why.contains("no plan")));
        assert_eq!(Entry { over: gone, ..sound }.standing(&catalogue, &caps), Standing::Sound);
    }

    /// Where a new kernel became the default, one that won over the old default may be slower.
    #[test]
    fn an_entry_says_nothing_of_another_default() {
        let (catalogue, caps) = (Catalogue::builtin(), caps());
        let case = catalogue.case("gemm", Precision::F32, "64x64x64").unwrap();
        let Some(other) = case.space(&caps).into_iter().find(|plan| plan.name() != entry("64x64x64").default.plan)
        else {
            return assert_eq!(case.space(&caps).len(), 1, "a host without libraries");
        };
        let before = Entry { default: PlanId::of(&*other), ..entry("64x64x64") };
        assert!(matches!(before.standing(&catalogue, &caps), Standing::Unlike(why) if why.contains("default")));
    }

    #[test]
    fn an_export_keeps_what_was_there_of_other_buckets() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Table::new(device(), "CPU".to_owned());
        first.add(entry("64x64x64"));
        first.add(entry("128x128x128"));
        let path = first.export(folder.path()).unwrap();
        assert_eq!(path.file_name().unwrap(), "host-cpu-driver-isa-any.json");
        let mut second = Table::new(device(), "CPU".to_owned());
        second.add(Entry { by: Gain { speedup: 2.0, least: 1.9, pairs: 12 }, ..entry("60x60x60") });
        second.export(folder.path()).unwrap();
        let merged = Table::parse(&fs::read(path).unwrap()).unwrap();
        let speedups: Vec<(&str, f64)> = merged.entries.iter().map(|e| (e.shape.as_str(), e.by.speedup)).collect();
        assert_eq!(speedups, [("128x128x128", 1.5), ("60x60x60", 2.0)]);
    }

    #[test]
    fn tables_that_are_built_in_can_be_read() {
        assert_eq!(Table::built_in().len(), tuned::TABLES.len());
    }

    #[test]
    fn what_is_no_table_is_not_there() {
        for text in ["", "{", "[]", "{\"schema\":\"accelbench.tuned/2\"}"] {
            assert_eq!(Table::parse(text.as_bytes()), None, "{text}");
        }
        let other = Table { schema: "accelbench.tuned/1".to_owned(), ..Table::new(device(), String::new()) };
        assert_eq!(Table::parse(&serde_json::to_vec(&other).unwrap()), None);
    }
}
