//! Peers: programs beside this one that measure a library which this one can't load, and say what it reached.

use super::Task;
use crate::gate_run::Stop;
use crate::gate_run::process::output_within;
use accelbench_backends::DeviceInfo;
use accelbench_kernels::{Case, Catalogue, Precision};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Tells a peer the only case that is wanted: a JSON object of `op`, `dtype` and `shape`, whose fields are texts of the
/// command line, what is usual left out. A peer that passes over it prints all that it has.
pub const CASE_VARIABLE: &str = "ACCELBENCH_PEER_CASE";

/// A peer: a command whose standard output has a JSON object a line, as [`PeerLine`]. Lines that don't start with a brace
/// are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The command as it was given.
    pub command: String,
    program: String,
    arguments: Vec<String>,
}

/// What a peer says of a case.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PeerLine {
    /// Who computed it.
    pub peer: String,
    /// The operation.
    pub op: String,
    /// The numeric types.
    pub dtype: String,
    /// The shape's fields, as numbers or as texts of the command line.
    pub shape: Map<String, Value>,
    /// A device's id, backend, kind (`cpu`) or name.
    pub device: String,
    /// GFLOP/s, counted by the operation's definition.
    pub gflops: f64,
}

impl Peer {
    /// Takes a command: words between blanks, without a shell, so that nothing in it is expanded or quoted.
    ///
    /// # Errors
    /// That there is no word.
    pub fn new(command: &str) -> Result<Self, String> {
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().ok_or("write a command, such as `python3 tests/peers/ort_conv.py`")?;
        Ok(Self { command: command.to_owned(), program, arguments: words.collect() })
    }

    /// Runs the command and reads its lines; with a case, that one is asked for.
    ///
    /// # Errors
    /// The user's wish to stop, or one sentence on how it failed.
    pub fn lines(
        &self,
        task: Option<&Task>,
        silence: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Vec<PeerLine>, Stop> {
        let wanted = task.map(|Task { id, fields, .. }| {
            json!({ "op": id.op, "dtype": id.precision.name(), "shape": fields }).to_string()
        });
        let output = output_within(
            &self.program,
            &self.arguments,
            |command| match wanted {
                Some(wanted) => command.env(CASE_VARIABLE, wanted),
                None => command.env_remove(CASE_VARIABLE),
            },
            silence,
            stopped,
        )?;
        parse(&output).map_err(|why| Stop::Harness(format!("{}: {why}", self.program)))
    }
}

/// Reads what a peer printed.
fn parse(text: &str) -> Result<Vec<PeerLine>, String> {
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| line.starts_with('{'));
    lines
        .map(|(index, line)| {
            let wrong = |why: String| format!("line {} of its output: {why}", index + 1);
            let line: PeerLine = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            if line.gflops.is_finite() && line.gflops > 0.0 {
                Ok(line)
            } else {
                Err(wrong(format!("{} GFLOP/s is no rate", line.gflops)))
            }
        })
        .collect()
}

impl PeerLine {
    /// The case that it is of.
    ///
    /// # Errors
    /// One line on what this program does not know.
    pub fn case(&self, catalogue: &Catalogue) -> Result<Box<dyn Case>, String> {
        let precision: Precision = self.dtype.parse()?;
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fields: BTreeMap<String, String> =
            self.shape.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let operation = catalogue.operation(&self.op).map_err(|error| error.0)?;
        operation.case(precision, &fields).map_err(|error| error.0)
    }

    /// Whether it is of this case.
    pub fn is_of(&self, catalogue: &Catalogue, case: &dyn Case) -> bool {
        let key = |case: &dyn Case| (case.op(), case.precision(), case.shape_text());
        self.case(catalogue).is_ok_and(|own| key(&*own) == key(case))
    }

    /// Whether it ran on this device, or on a kind of device that this one is.
    pub fn is_on(&self, device: &DeviceInfo) -> bool {
        let kind = serde_json::to_value(device.caps.kind).ok();
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        let names = [&device.id.to_string(), &device.id.backend, &device.name, kind];
        names.iter().any(|name| name.eq_ignore_ascii_case(&self.device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::{DeviceId, Registry};

    const LINE: &str = r#"{"peer":"ort","op":"conv2d","dtype":"f32","shape":{"n":16,"c":64,"h":56,"w":56,"k":64,"r":3,"s":3,"stride":1,"pad":1},"device":"cpu","gflops":170.5}"#;

    fn line() -> PeerLine {
        parse(LINE).unwrap().remove(0)
    }

    #[test]
    fn a_line_is_matched_by_operation_type_and_shape() {
        let catalogue = Catalogue::builtin();
        let is_of = |line: &PeerLine, precision, shape: &str| {
            line.is_of(&catalogue, &*catalogue.case("conv2d", precision, shape).unwrap())
        };
        assert!(is_of(&line(), Precision::F32, "16x64x56x56-64x3x3-p1-nchw"));
        assert!(!is_of(&line(), Precision::F64, "16x64x56x56-64x3x3-p1-nchw"));
        assert!(!is_of(&line(), Precision::F32, "1x64x56x56-64x3x3-p1-nchw"));
        assert!(!is_of(&line(), Precision::F32, "16x64x56x56-64x3x3-p1-nhwc"));
        let strided = PeerLine {
            shape: line().shape.into_iter().chain([("stride".to_owned(), json!("2x2"))]).collect(),
            ..line()
        };
        assert!(is_of(&strided, Precision::F32, "16x64x56x56-64x3x3-s2-p1-nchw"));
        let foreign = PeerLine { op: "sort".to_owned(), ..line() };
        assert!(foreign.case(&catalogue).is_err_and(|why| why.contains("unknown kernel `sort`")));
    }

    #[test]
    fn a_device_goes_by_many_names() {
        let host = Registry::builtin().open(&DeviceId::new("host", 0)).unwrap().info().clone();
        let on = |name: &str| PeerLine { device: name.to_owned(), ..line() }.is_on(&host);
        assert!(on("cpu") && on("CPU") && on("host") && on("host:0") && on(&host.name));
        assert!(!on("gpu") && !on("host:1") && !on(""));
    }

    #[test]
    fn what_is_no_line_is_named_or_passed_over() {
        assert_eq!(parse(&format!("loading...\n\n{LINE}\n")).unwrap().len(), 1);
        assert!(parse(&format!("{LINE}\n{{\"peer\":1}}")).unwrap_err().starts_with("line 2 of its output"));
        for rate in ["0", "-1"] {
            let error = parse(&LINE.replace("170.5", rate)).unwrap_err();
            assert!(error.contains("GFLOP/s is no rate"), "{error}");
        }
        assert!(Peer::new("  ").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_command_is_words_and_is_told_the_case() {
        let catalogue = Catalogue::builtin();
        let task = Task {
            id: "gemm/f32/8x8x8/any@host:0".parse().unwrap(),
            fields: catalogue.parse_shape("gemm:m=8,n=8,k=8").map(|(_, fields)| fields).unwrap(),
            origin: None,
            flop: 1024.0,
            host_bytes: 0,
        };
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("peer.sh");
        let text = "printf '{\"peer\":\"%s\",\"op\":\"gemm\",\"dtype\":\"f32\",\"shape\":{},\"device\":\"cpu\",\"gflops\":1}\\n' \"$1$#\"\n\
             test -z \"$ACCELBENCH_PEER_CASE\" || echo \"$ACCELBENCH_PEER_CASE\" >\"$0.case\"\n";
        std::fs::write(&script, text).unwrap();
        let peer = Peer::new(&format!("sh {} $HOME  a", script.display())).unwrap();
        let run = |task| peer.lines(task, Duration::from_mins(1), &|| false);
        assert_eq!(run(None).unwrap()[0].peer, "$HOME2", "no shell looks at the words");
        assert!(!folder.path().join("peer.sh.case").exists());
        run(Some(&task)).unwrap();
        let asked: Value = serde_json::from_slice(&std::fs::read(folder.path().join("peer.sh.case")).unwrap()).unwrap();
        assert_eq!((&asked["op"], &asked["dtype"], &asked["shape"]["m"]), (&json!("gemm"), &json!("f32"), &json!("8")));
        let gone = Peer::new("no-such-program-anywhere x").unwrap();
        assert!(
            matches!(gone.lines(None, Duration::from_mins(1), &|| false), Err(Stop::Harness(why)) if why.contains("can't be started"))
        );
        let long = Peer::new("sleep 100").unwrap();
        assert_eq!(long.lines(None, Duration::from_mins(1), &|| true), Err(Stop::Interrupted));
    }
}
