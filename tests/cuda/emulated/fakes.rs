//! Builds the stand-ins with the system's C++ compiler and starts processes that find them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Says what a started process is to do.
pub(crate) const TASK_VARIABLE: &str = "ACCELBENCH_FAKE_TASK";

const DRIVER: &str = "libcuda.so.1";
const NVRTC: &str = "libnvrtc.so.13";

/// The stand-ins, each variant in a folder of its own, deleted in the end.
pub(crate) struct Fakes {
    folder: TempDir,
}

impl Fakes {
    /// Builds all variants.
    ///
    /// # Errors
    /// The compiler's message.
    pub(crate) fn build() -> Result<Self, String> {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).map_err(|error| error.to_string())?;
        let fakes = Self { folder };
        let objects = fakes.path("objects");
        fs::create_dir(&objects).map_err(|error| error.to_string())?;
        for unit in ["driver", "emulator", "engine", "nvrtc"] {
            let source = sources().join(format!("{unit}.cpp"));
            cxx(&["-std=c++17", "-O1", "-fPIC", "-c"], &[&source], &objects.join(format!("{unit}.o")))?;
        }
        fakes.variant("whole", None, &Nvrtc::Whole)?;
        // Most of a kernel's compilation is the standard headers; the flags are those of the stand-in for NVRTC.
        let header = fakes.path("whole").join("device.h");
        let flags = ["-std=c++17", "-O1", "-w", "-fPIC", "-fno-strict-aliasing", "-ffp-contract=off", "-xc++-header"];
        cxx(&flags, &[&header], &header.with_extension("h.gch"))?;
        fakes.variant("driver-lacks-a-function", Some("cuMemcpyAsync"), &Nvrtc::Whole)?;
        fakes.variant("nvrtc-lacks-a-function", None, &Nvrtc::Lacks("nvrtcGetCUBIN"))?;
        fakes.variant("nvrtc-is-broken", None, &Nvrtc::Broken)?;
        fs::create_dir(fakes.path("nothing")).map_err(|error| error.to_string())?;
        let broken = fakes.path("driver-is-broken");
        fs::create_dir(&broken).map_err(|error| error.to_string())?;
        garbage(&broken, &["libcuda.so", DRIVER])?;
        Ok(fakes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn variant(&self, name: &str, hidden: Option<&str>, nvrtc: &Nvrtc) -> Result<(), String> {
        let folder = self.path(name);
        let failed = |error: std::io::Error| error.to_string();
        fs::create_dir(&folder).map_err(failed)?;
        for header in ["device.h", "emulator.h", "groups.h"] {
            fs::copy(sources().join(header), folder.join(header)).map_err(failed)?;
        }
        self.link(&folder, DRIVER, &["driver.o", "emulator.o", "engine.o"], hidden)?;
        // The name that is looked for first, so that a real driver on this machine stays out of it.
        symlink(DRIVER, folder.join("libcuda.so")).map_err(failed)?;
        let hidden = match nvrtc {
            Nvrtc::Whole => None,
            Nvrtc::Lacks(function) => Some(*function),
            Nvrtc::Broken => {
                let versions = ["", ".13", ".12", ".11", ".10", ".9", ".1"];
                return garbage(&folder, &versions.map(|version| format!("libnvrtc.so{version}")));
            }
        };
        self.link(&folder, NVRTC, &["nvrtc.o"], hidden)?;
        symlink(NVRTC, folder.join("libnvrtc.so")).map_err(failed)
    }

    /// Links a library in which the function `hidden` can't be found.
    fn link(&self, folder: &Path, name: &str, objects: &[&str], hidden: Option<&str>) -> Result<(), String> {
        let script = folder.join(format!("{name}.map"));
        let local = hidden.map(|function| format!("local: {function};")).unwrap_or_default();
        fs::write(&script, format!("{{ {local} }};")).map_err(|error| error.to_string())?;
        let objects: Vec<PathBuf> = objects.iter().map(|object| self.path("objects").join(object)).collect();
        let objects: Vec<&Path> = objects.iter().map(PathBuf::as_path).collect();
        let soname = format!("-Wl,-soname,{name}");
        let script = format!("-Wl,--version-script={}", script.display());
        cxx(&["-shared", &soname, &script], &objects, &folder.join(name))
    }

    /// Runs this program again with a variant on its library path and returns what it printed and what the stand-in
    /// logged.
    ///
    /// # Errors
    /// Everything that it printed, where it failed.
    pub(crate) fn run(
        &self,
        variant: &str,
        task: &str,
        environment: &[(&str, &str)],
    ) -> Result<(String, String), String> {
        let log = tempfile::NamedTempFile::new_in(self.folder.path()).map_err(|error| error.to_string())?;
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let output = Command::new(program)
            .env(TASK_VARIABLE, task)
            .env("LD_LIBRARY_PATH", self.path(variant))
            .env("ACCELBENCH_FAKE_LOG", log.path())
            .env_remove("ACCELBENCH_DISABLE")
            .envs(environment.iter().copied())
            .output()
            .map_err(|error| error.to_string())?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok((printed, fs::read_to_string(log.path()).unwrap_or_default()))
        } else {
            Err(format!("{}\n{printed}{}", output.status, String::from_utf8_lossy(&output.stderr)))
        }
    }
}

enum Nvrtc {
    Whole,
    Lacks(&'static str),
    Broken,
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cuda/fake")
}

fn garbage(folder: &Path, names: &[impl AsRef<str>]) -> Result<(), String> {
    names.iter().try_for_each(|name| fs::write(folder.join(name.as_ref()), "no library").map_err(|e| e.to_string()))
}

fn cxx(options: &[&str], inputs: &[&Path], output: &Path) -> Result<(), String> {
    let result = Command::new("g++").args(options).args(inputs).arg("-o").arg(output).output();
    match result {
        Ok(result) if result.status.success() => Ok(()),
        Ok(result) => Err(format!("g++ failed:\n{}", String::from_utf8_lossy(&result.stderr))),
        Err(error) => Err(format!("the stand-ins need g++: {error}")),
    }
}
