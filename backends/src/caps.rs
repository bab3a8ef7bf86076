//! What a device can do, as plain data that goes into result files.

use crate::{Clock, DType, Language};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What kind of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A general-purpose processor, or software on one.
    Cpu,
    /// A graphics processor.
    Gpu,
    /// Anything else: FPGA, NPU, DSP, ASIC.
    Accelerator,
}

/// Which physical chip this is, so that one chip seen through several APIs is known as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhysicalId {
    /// PCI address, `dddd:bb:dd.f`.
    pub pci: Option<String>,
    /// The vendor's universal id, lower-case hexadecimal with dashes.
    pub uuid: Option<String>,
}

impl PhysicalId {
    /// Whether both name one chip. Nothing said is nothing known.
    pub fn is_same_chip(&self, other: &Self) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        same(&self.pci, &other.pci) || same(&self.uuid, &other.uuid)
    }
}

/// A rate from a maker's document, for the whole device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "quantity", rename_all = "lowercase")]
pub enum TheoreticalRate {
    /// Arithmetic, at the clock of the compute units.
    Compute {
        /// The type computed in; of matrix units, the type that they multiply.
        dtype: DType,
        /// Whether it is that of the matrix units.
        matrix: bool,
        /// FLOP of one cycle, a multiplication and an addition counted as two.
        flop_per_cycle: f64,
        /// The document.
        source: String,
    },
    /// Memory, at its own clock.
    Bandwidth {
        /// Bytes of one cycle.
        bytes_per_cycle: f64,
        /// The memory's clock.
        clock_mhz: f64,
        /// The document.
        source: String,
    },
}

/// One way in which a library's function can be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LibraryForm {
    /// The library.
    pub library: String,
    /// The function.
    pub function: String,
    /// Values that arguments must have; what is not named here may be anything.
    pub arguments: Map<String, Value>,
}

/// A device's capabilities and limits. Sizes are in bytes, times in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Caps {
    /// Cpu, gpu or accelerator.
    pub kind: DeviceKind,
    /// What the device compiles.
    pub languages: BTreeSet<Language>,
    /// Functions of libraries that [`Source::Library`](crate::Source::Library) reaches: function to library names, the
    /// preferred one first.
    pub libraries: BTreeMap<String, Vec<String>>,
    /// What functions take of libraries that don't take everything.
    pub library_forms: Vec<LibraryForm>,
    /// Libraries that are no part of this program and were found on the machine, with what they say of themselves.
    pub external: BTreeMap<String, String>,
    /// Types that kernels can load and store.
    pub storage: BTreeSet<DType>,
    /// Types that the device computes in; found by running a kernel where a driver's word can't be trusted.
    pub compute: BTreeSet<DType>,
    /// Smallest and largest sub-group (warp, wavefront) that kernels may see; none where there are no sub-groups.
    pub subgroup: Option<(u32, u32)>,
    /// Work-items of a work-group, at most.
    pub max_group_items: u32,
    /// Work-items of a work-group along x, y and z, at most.
    pub max_group: [u32; 3],
    /// Work-groups along x, y and z, at most.
    pub max_grid: [u32; 3],
    /// Local (shared) memory of a work-group.
    pub local_bytes: u64,
    /// The largest buffer that can be allocated and bound.
    pub max_buffer_bytes: u64,
    /// The device's memory, where the API tells.
    pub memory_bytes: Option<u64>,
    /// The last-level cache, where the API tells.
    pub cache_bytes: Option<u64>,
    /// Compute units, multiprocessors or cores, where the API tells.
    pub compute_units: Option<u32>,
    /// The highest clock that the API states, in MHz.
    pub clock_mhz: Option<u32>,
    /// The clock that times spans.
    pub clock: Clock,
    /// That clock's step.
    pub clock_resolution_ns: f64,
    /// What the makers' documents give for this device; empty where no document is known.
    pub theoretical: Vec<TheoreticalRate>,
    /// Other facts worth keeping, such as the instruction set or the architecture.
    pub facts: BTreeMap<String, String>,
}

impl Caps {
    /// Whether the device compiles this language.
    pub fn speaks(&self, language: Language) -> bool {
        self.languages.contains(&language)
    }

    /// The libraries that offer this function, the preferred one first.
    pub fn libraries(&self, function: &str) -> &[String] {
        self.libraries.get(function).map_or(&[], Vec::as_slice)
    }

    /// Whether a library's function takes such arguments.
    pub fn takes(&self, library: &str, function: &str, arguments: &Map<String, Value>) -> bool {
        let mut forms =
            self.library_forms.iter().filter(|form| form.library == library && form.function == function).peekable();
        let fits = |form: &LibraryForm| form.arguments.iter().all(|(name, value)| arguments.get(name) == Some(value));
        self.libraries(function).iter().any(|offered| offered == library) && (forms.peek().is_none() || forms.any(fits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_library_takes_what_one_of_its_forms_names() {
        let form = |function: &str, arguments: Value| LibraryForm {
            library: "some".to_owned(),
            function: function.to_owned(),
            arguments: object(&arguments),
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let caps = Caps {
            libraries: BTreeMap::from([
                ("product".to_owned(), names(&["all", "some"])),
                ("sum".to_owned(), names(&["some"])),
            ]),
            library_forms: vec![
                form("product", json!({ "type": "f32", "groups": 1 })),
                form("product", json!({ "type": "f64" })),
            ],
            ..Caps::nothing()
        };
        let takes = |library, function, arguments: Value| caps.takes(library, function, &object(&arguments));
        assert!(takes("all", "product", json!({ "type": "f16", "groups": 2 })));
        assert!(takes("some", "product", json!({ "type": "f32", "groups": 1, "size": 7 })));
        assert!(takes("some", "product", json!({ "type": "f64", "groups": 2 })));
        assert!(!takes("some", "product", json!({ "type": "f32", "groups": 2 })));
        assert!(!takes("some", "product", json!({ "groups": 1 })));
        assert!(takes("some", "sum", json!({})));
        assert!(!takes("all", "sum", json!({})) && !takes("some", "quotient", json!({})));
    }

    impl Caps {
        fn nothing() -> Self {
            Self {
                kind: DeviceKind::Cpu,
                languages: BTreeSet::new(),
                libraries: BTreeMap::new(),
                library_forms: Vec::new(),
                external: BTreeMap::new(),
                storage: BTreeSet::new(),
                compute: BTreeSet::new(),
                subgroup: None,
                max_group_items: 1,
                max_group: [1; 3],
                max_grid: [1; 3],
                local_bytes: 0,
                max_buffer_bytes: 0,
                memory_bytes: None,
                cache_bytes: None,
                compute_units: None,
                clock_mhz: None,
                clock: Clock::HostWall,
                clock_resolution_ns: 1.0,
                theoretical: Vec::new(),
                facts: BTreeMap::new(),
            }
        }
    }
}
