//! Where libOpenCL is linked from, where that is not a folder of the linker's own.

fn main() {
    println!("cargo::rerun-if-env-changed=ACCELBENCH_TEST_OPENCL_LINK_DIR");
    if let Ok(folder) = std::env::var("ACCELBENCH_TEST_OPENCL_LINK_DIR") {
        println!("cargo::rustc-link-search=native={folder}");
    }
}
