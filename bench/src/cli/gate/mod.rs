//! `accelbench gate`: what users ask, and what they are told.

pub(in crate::cli) mod args;
mod progress;
mod table;

use super::exit::UserError;
use super::{ci, exit, term};
use crate::App;
use crate::cli::args::Cache;
use crate::gate::Options;
use crate::gate_run::{self, Config, GateConfig, Noise, Request, Selection, Stop};
use accelbench_kernels::Profile;
use accelbench_reports::RunFile;
use accelbench_reports::ci::Suite;
use accelbench_reports::gate::{GateFile, Metric, Outcome};
use args::{Destinations, GateArgs};
use progress::Progress;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(super) fn gate(app: App, args: &GateArgs) -> Result<ExitCode, UserError> {
    let request = request(args)?;
    ci::check(&args.output.ci)?;
    let mut output = open(&args.output)?;
    let stopped = term::on_interrupt();
    let mut progress = Progress::new();
    let run = if args.against.is_some() { gate_run::stored } else { gate_run::paired };
    let ended = run(app, &request, &stopped, &mut |event| progress.tell(event));
    progress.finish();
    let file = match ended {
        Ok(file) => file,
        Err(stop) => {
            // Without a document there is no file either.
            if let Some((path, _)) = output.filter(|_| args.output.output.as_ref().is_some_and(|path| path.is_file())) {
                let _ = std::fs::remove_file(path);
            }
            return match stop {
                Stop::Interrupted => Ok(ExitCode::from(exit::INTERRUPTED)),
                Stop::Harness(reason) => Err(UserError(reason)),
            };
        }
    };
    let document = document(&file)?;
    if let Some((path, writer)) = &mut output {
        writer.write_all(document.as_bytes()).map_err(|error| UserError(format!("{}: {error}", path.display())))?;
    }
    if args.output.json {
        term::print(&document)?;
    } else {
        term::print(&table::text(&file, args.output.output.as_deref()))?;
    }
    ci::write(&Suite::from(&file), &args.output.ci)?;
    if file.outcome == Outcome::Harness {
        term::error(&file.summary);
    }
    Ok(ExitCode::from(file.exit_code))
}

/// Opens what is to be written before minutes are spent. Results are never written over.
fn open(output: &Destinations) -> Result<Option<(&Path, File)>, UserError> {
    let Some(path) = output.output.as_deref() else { return Ok(None) };
    let special = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    let mut options = File::options();
    options.write(true).create_new(!special);
    let file = options.open(path).map_err(|error| {
        UserError(match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{} is already there; name another file with -o", path.display())
            }
            _ => format!("{}: {error}; name a file that can be written with -o", path.display()),
        })
    })?;
    Ok(Some((path, file)))
}

fn document(file: &GateFile) -> Result<String, UserError> {
    let mut text = serde_json::to_string_pretty(file).map_err(UserError::new)?;
    text.push('\n');
    Ok(text)
}

fn request(args: &GateArgs) -> Result<Request, UserError> {
    let config = Config::load(args.config.as_deref()).map_err(UserError)?;
    let none = GateConfig::default();
    let declared = config.as_ref().map_or(&none, |(_, config)| &config.gate);
    let usual = Options::default();
    let [screen_pairs, confirm_pairs] =
        args.pairs.or(declared.pairs).unwrap_or([usual.screen_pairs, usual.confirm_pairs]);
    let options = Options {
        margin: args.margin.or(declared.margin).unwrap_or(usual.margin),
        allowed: args.allowed.or(declared.allowed).unwrap_or(usual.allowed),
        detectable: args.detectable.or(declared.detectable).unwrap_or(usual.detectable),
        alpha: args.alpha.or(declared.alpha).unwrap_or(usual.alpha),
        screen_pairs,
        confirm_pairs,
        seed: args.order_seed,
        ..usual
    };
    options.check(1).map_err(UserError::new)?;
    let mut metrics: Vec<Metric> = args.metric.iter().copied().map(Metric::from).collect();
    if metrics.is_empty() {
        metrics = declared.metrics.clone().filter(|metrics| !metrics.is_empty()).unwrap_or(vec![Metric::Time]);
    }
    metrics.sort_unstable();
    metrics.dedup();
    let this_program =
        || -> Result<String, UserError> { Ok(std::env::current_exe().map_err(UserError::new)?.display().to_string()) };
    let mut selection = Selection {
        own_shapes: args.own_shapes.clone(),
        kernels: args.kernel.clone(),
        dtypes: args.dtype.iter().map(|precision| precision.name().to_owned()).collect(),
        shapes: args.shape.clone(),
        variants: args.variant.clone(),
        plan: args.plan.clone(),
        devices: args.device.clone(),
        cold: args.cache == Cache::Cold,
        seed: args.seed,
    };
    let (base, profile) = match (&args.base, &args.against) {
        (_, Some(path)) => (path.display().to_string(), stored_profile(path, &mut selection)?),
        (Some(base), None) => (base.clone(), Profile::Quick),
        (None, None) => return Err(UserError("name a base with --base, or a stored run with --against".to_owned())),
    };
    Ok(Request {
        base,
        candidate: args.cand.clone().map_or_else(this_program, Ok)?,
        selection,
        profile,
        options,
        metrics,
        noise: match (&args.noise, args.aa) {
            (Some(path), _) => Noise::File(path.clone()),
            (None, true) => Noise::Measured,
            (None, false) => Noise::Unknown,
        },
        allow_missing: args.allow_missing.iter().chain(&declared.allow_missing).cloned().collect(),
        timeout: Duration::from_secs_f64(args.timeout),
        keep: args.keep.clone(),
        config,
    })
}

/// The profile of a stored run. What else makes its figures comparable is taken from it, too.
fn stored_profile(path: &Path, selection: &mut Selection) -> Result<Profile, UserError> {
    let plan = RunFile::read(path).map_err(UserError::new)?.header.plan;
    selection.seed = plan.seed;
    let profiles = [Profile::Quick, Profile::Standard, Profile::Full];
    let profile = profiles.into_iter().find(|profile| profile.name() == plan.profile);
    profile.ok_or_else(|| UserError(format!("{}: unknown profile `{}`", path.display(), plan.profile)))
}
