//! Builds the stand-ins with the system's C++ compiler and starts processes that find them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Says what a started process is to do.
pub(crate) const TASK_VARIABLE: &str = "ACCELBENCH_FAKE_TASK";

/// A stand-in for a library.
struct StandIn {
    /// The file's name between `lib` and `.so`.
    stem: &'static str,
    version: &'static str,
    objects: &'static [&'static str],
    /// Whether its work runs in the driver's streams.
    needs_driver: bool,
}

const DRIVER: StandIn =
    StandIn { stem: "cuda", version: "1", objects: &["driver", "emulator", "engine"], needs_driver: false };
const NVRTC: StandIn = StandIn { stem: "nvrtc", version: "13", objects: &["nvrtc"], needs_driver: false };
const CUBLASLT: StandIn = StandIn { stem: "cublasLt", version: "13", objects: &["cublaslt"], needs_driver: true };
const CUDNN: StandIn = StandIn { stem: "cudnn", version: "9", objects: &["cudnn", "graph"], needs_driver: true };

impl StandIn {
    fn file(&self) -> String {
        format!("lib{}.so.{}", self.stem, self.version)
    }
}

/// What becomes of a stand-in in a variant.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// It has all functions but this one.
    Lacks(&'static str),
    /// A file that is no library.
    Broken,
    Missing,
}

/// A folder of stand-ins.
struct Variant {
    driver: Part,
    nvrtc: Part,
    cublaslt: Part,
    cudnn: Part,
}

const WHOLE: Variant = Variant { driver: Part::Whole, nvrtc: Part::Whole, cublaslt: Part::Whole, cudnn: Part::Whole };
const ALONE: Variant = Variant { cublaslt: Part::Missing, cudnn: Part::Missing, ..WHOLE };
const NOTHING: Variant = Variant { driver: Part::Missing, nvrtc: Part::Missing, ..ALONE };

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
        for unit in [DRIVER, NVRTC, CUBLASLT, CUDNN].iter().flat_map(|stand_in| stand_in.objects) {
            let source = sources().join(format!("{unit}.cpp"));
            cxx(&["-std=c++17", "-O1", "-fPIC", "-c"], &[&source], &objects.join(format!("{unit}.o")))?;
        }
        fakes.variant("whole", &WHOLE)?;
        // Most of a kernel's compilation is the standard headers; the flags are those of the stand-in for NVRTC.
        let header = fakes.path("whole").join("device.h");
        let flags = ["-std=c++17", "-O1", "-w", "-fPIC", "-fno-strict-aliasing", "-ffp-contract=off", "-xc++-header"];
        cxx(&flags, &[&header], &header.with_extension("h.gch"))?;
        fakes.variant("nothing", &NOTHING)?;
        fakes.variant("driver-is-broken", &Variant { driver: Part::Broken, ..NOTHING })?;
        fakes.variant("driver-lacks-a-function", &Variant { driver: Part::Lacks("cuMemcpyAsync"), ..ALONE })?;
        fakes.variant("nvrtc-lacks-a-function", &Variant { nvrtc: Part::Lacks("nvrtcGetCUBIN"), ..ALONE })?;
        fakes.variant("nvrtc-is-broken", &Variant { nvrtc: Part::Broken, ..ALONE })?;
        fakes.variant("no-libraries", &ALONE)?;
        fakes.variant("libraries-are-broken", &Variant { cublaslt: Part::Broken, cudnn: Part::Broken, ..ALONE })?;
        let lacking = Variant {
            cublaslt: Part::Lacks("cublasLtMatmulAlgoConfigGetAttribute"),
            cudnn: Part::Lacks("cudnnBackendGetAttribute"),
            ..ALONE
        };
        fakes.variant("libraries-lack-functions", &lacking)?;
        Ok(fakes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn variant(&self, name: &str, variant: &Variant) -> Result<(), String> {
        let folder = self.path(name);
        let failed = |error: std::io::Error| error.to_string();
        fs::create_dir(&folder).map_err(failed)?;
        for header in ["device.h", "emulator.h", "groups.h", "half.h", "local.h"] {
            fs::copy(sources().join(header), folder.join(header)).map_err(failed)?;
        }
        let Variant { driver, nvrtc, cublaslt, cudnn } = variant;
        for (stand_in, part) in [(DRIVER, driver), (NVRTC, nvrtc), (CUBLASLT, cublaslt), (CUDNN, cudnn)] {
            let hidden = match part {
                Part::Whole => None,
                Part::Lacks(function) => Some(*function),
                Part::Broken => {
                    for version in ["", ".13", ".12", ".11", ".10", ".9", ".1"] {
                        let file = folder.join(format!("lib{}.so{version}", stand_in.stem));
                        fs::write(file, "no library").map_err(failed)?;
                    }
                    continue;
                }
                Part::Missing => continue,
            };
            self.link(&folder, &stand_in, hidden)?;
            // The name that is looked for first, so that a real one on this machine stays out of it.
            symlink(stand_in.file(), folder.join(format!("lib{}.so", stand_in.stem))).map_err(failed)?;
        }
        Ok(())
    }

    /// Links a library in which the function `hidden` can't be found.
    fn link(&self, folder: &Path, stand_in: &StandIn, hidden: Option<&str>) -> Result<(), String> {
        let file = stand_in.file();
        let script = folder.join(format!("{file}.map"));
        let local = hidden.map(|function| format!("local: {function};")).unwrap_or_default();
        fs::write(&script, format!("{{ {local} }};")).map_err(|error| error.to_string())?;
        let mut inputs: Vec<PathBuf> =
            stand_in.objects.iter().map(|unit| self.path("objects").join(format!("{unit}.o"))).collect();
        if stand_in.needs_driver {
            inputs.push(folder.join(DRIVER.file()));
        }
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let soname = format!("-Wl,-soname,{file}");
        let script = format!("-Wl,--version-script={}", script.display());
        cxx(&["-shared", &soname, &script], &inputs, &folder.join(file))
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

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cuda/fake")
}

fn cxx(options: &[&str], inputs: &[&Path], output: &Path) -> Result<(), String> {
    let result = Command::new("g++").args(options).args(inputs).arg("-o").arg(output).output();
    match result {
        Ok(result) if result.status.success() => Ok(()),
        Ok(result) => Err(format!("g++ failed:\n{}", String::from_utf8_lossy(&result.stderr))),
        Err(error) => Err(format!("the stand-ins need g++: {error}")),
    }
}
