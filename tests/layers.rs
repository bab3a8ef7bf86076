//! The house's order, read off its sources: arrows point downwards, and only backends know vendors.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

fn files(crate_folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_folder).join("src"), &mut found);
    assert!(!found.is_empty());
    found
}

/// Makers of devices and of drivers, in lower case.
const VENDORS: [&str; 14] = [
    "nvidia",
    "amd",
    "intel",
    "apple",
    "qualcomm",
    "mesa",
    "pocl",
    "lavapipe",
    "llvmpipe",
    "radeon",
    "geforce",
    "huawei",
    "cambricon",
    "hygon",
];

fn vendor_in(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    VENDORS.into_iter().find(|vendor| {
        text.match_indices(vendor).any(|(start, _)| {
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !letter(text[..start].chars().next_back()) && !letter(text[start + vendor.len()..].chars().next())
        })
    })
}

#[test]
fn a_vendor_s_name_is_seen() {
    assert_eq!(vendor_in("if name.contains(\"NVIDIA\")"), Some("nvidia"));
    assert_eq!(vendor_in("the paradigm of a messiah"), None);
}

#[test]
fn only_backends_name_vendors() {
    for crate_folder in ["kernels", "bench", "reports"] {
        for file in files(crate_folder) {
            let text = fs::read_to_string(&file).unwrap();
            assert_eq!(vendor_in(&text), None, "{}", file.display());
        }
    }
}

#[test]
fn arrows_point_downwards() {
    let above = [
        ("backends", ["accelbench_kernels", "accelbench_reports", "accelbench::"].as_slice()),
        ("reports", ["accelbench_kernels", "accelbench_backends", "accelbench::"].as_slice()),
        ("kernels", ["accelbench_reports", "accelbench::"].as_slice()),
        ("bench", ["accelbench_tests"].as_slice()),
    ];
    for (crate_folder, forbidden) in above {
        for file in files(crate_folder) {
            let text = fs::read_to_string(&file).unwrap();
            for name in forbidden {
                assert!(!text.contains(name), "{} knows {name}", file.display());
            }
        }
    }
}

#[test]
fn the_seam_names_no_operation() {
    let device = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../backends/src/device.rs")).unwrap();
    for word in ["gemm", "conv", "attention", "matmul"] {
        assert!(!device.to_lowercase().contains(word), "device.rs names {word}");
    }
}
