//! The parent's side: starting workers, waiting for their answers with a deadline, and saying how they died.

use super::protocol::{Answer, CaseRequest, Request, TurnsRequest, parse};
use crate::ceilings::{PointRequest, Step};
use crate::energy::Mode;
use crate::measure::Lane;
use accelbench_backends::{Absence, AbsenceReason, DeviceId, DeviceInfo, Presence};
use accelbench_reports::{Ceilings, Energy, EnergyPoint, ResultRow, Unit};
use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a wait looks whether it was told to stop.
const TICK: Duration = Duration::from_millis(50);
/// How much of a worker's standard error is kept for the message about its death.
const KEPT_LINES: usize = 5;

/// A running worker with its device open.
pub struct Worker {
    process: Process,
    stdin: ChildStdin,
    /// The device, as the worker sees it.
    pub device: DeviceInfo,
}

/// What a worker measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The case's row.
    pub row: ResultRow,
    /// The units that it was computed on, where a plan was run.
    pub unit: Option<Unit>,
    /// The worker is of no more use.
    pub device_lost: bool,
}

/// Why a worker gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It died; how, and its last words.
    Crashed(String),
    /// It gave no answer in time and was ended.
    Timeout(Duration),
    /// It said that the device can't be opened.
    Closed(String),
    /// The user stopped the run.
    Interrupted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crashed(reason) | Self::Closed(reason) => f.write_str(reason),
            Self::Timeout(after) => write!(f, "the worker gave no answer within {:.0} s", after.as_secs_f64()),
            Self::Interrupted => f.write_str("the user stopped it"),
        }
    }
}

impl Worker {
    /// Starts a worker for a device and waits until the device is open.
    ///
    /// # Errors
    /// How it failed.
    pub fn start(device: &DeviceId, deadline: Duration, stopped: &dyn Fn() -> bool) -> Result<Self, Failure> {
        let (mut process, stdin) = Process::start(&["worker", &device.to_string()])?;
        match process.answer(deadline, stopped)? {
            Answer::Ready(device) => Ok(Self { process, stdin, device: *device }),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has a case measured.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use.
    pub fn measure(
        &mut self,
        request: CaseRequest,
        deadline: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Measured, Failure> {
        match self.ask(&Request::Case(request), deadline, stopped)? {
            Answer::Row { row, unit, device_lost } => Ok(Measured { row: *row, unit, device_lost }),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has plans take turns. The flag says that the worker is of no more use.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use either.
    pub fn take_turns(
        &mut self,
        request: TurnsRequest,
        deadline: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Vec<Lane>, bool), Failure> {
        match self.ask(&Request::Turns(request), deadline, stopped)? {
            Answer::Turns { lanes, device_lost } => Ok((lanes, device_lost)),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has a step of probing the device's ceilings taken. The flag says that the worker is of no more use.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use either.
    pub fn probe(
        &mut self,
        step: Step,
        seconds: f64,
        deadline: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Ceilings, bool), Failure> {
        match self.ask(&Request::Step { step, seconds }, deadline, stopped)? {
            Answer::Found { ceilings, device_lost } => Ok((*ceilings, device_lost)),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has the energy of a probe measured; an inner error is why there is none of any. The flag says that the worker is of
    /// no more use.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use either.
    #[allow(clippy::type_complexity)] // One answer, and no name for it would say more.
    pub fn point(
        &mut self,
        request: PointRequest,
        deadline: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Result<Box<EnergyPoint>, Box<Energy>>, bool), Failure> {
        match self.ask(&Request::Point(request), deadline, stopped)? {
            Answer::Point { point, device_lost } => Ok((point, device_lost)),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has the device's meter found and the idle device measured. Says whether there is a meter.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use.
    pub fn find_meter(&mut self, mode: Mode, deadline: Duration, stopped: &dyn Fn() -> bool) -> Result<bool, Failure> {
        match self.ask(&Request::Meter(mode), deadline, stopped)? {
            Answer::Metered(found) => Ok(found),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    /// Has the energy of a case measured. The flag says that the worker is of no more use.
    ///
    /// # Errors
    /// How it failed; the worker is then of no more use either.
    pub fn energy(
        &mut self,
        case: CaseRequest,
        mode: Mode,
        deadline: Duration,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Energy, bool), Failure> {
        match self.ask(&Request::Energy { case, mode }, deadline, stopped)? {
            Answer::Energy { energy, device_lost } => Ok((*energy, device_lost)),
            Answer::Closed(reason) => Err(Failure::Closed(reason)),
            _ => Err(Failure::Crashed("it answered out of turn".to_owned())),
        }
    }

    fn ask(&mut self, request: &Request, deadline: Duration, stopped: &dyn Fn() -> bool) -> Result<Answer, Failure> {
        let mut line = serde_json::to_string(request).map_err(|error| Failure::Crashed(error.to_string()))?;
        line.push('\n');
        if self.stdin.write_all(line.as_bytes()).and_then(|()| self.stdin.flush()).is_err() {
            return Err(self.process.death());
        }
        self.process.answer(deadline, stopped)
    }
}

/// Probes a backend in a process of its own: a driver that crashes or hangs is an absence with a reason.
pub fn probe(backend: &str, deadline: Duration) -> Presence {
    let failed = |detail: String| {
        Absence::new(
            AbsenceReason::ProbeFailed,
            detail,
            format!("repair or remove that driver, or set ACCELBENCH_DISABLE={backend} to do without"),
        )
        .into()
    };
    match Process::start(&["probe", backend]).and_then(|(mut process, _stdin)| process.answer(deadline, &|| false)) {
        Ok(Answer::Probed(presence)) => presence,
        Ok(_) => failed("the probe answered out of turn".to_owned()),
        Err(Failure::Crashed(how)) => failed(format!("the probe of the drivers crashed: {how}")),
        Err(Failure::Timeout(after)) => failed(format!("the drivers did not answer within {} s", after.as_secs())),
        Err(Failure::Closed(reason)) => failed(reason),
        Err(Failure::Interrupted) => failed("the probe was stopped".to_owned()),
    }
}

/// A child process of this program. Dropping it ends it.
struct Process {
    child: Child,
    answers: Receiver<Result<Answer, String>>,
    last_words: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    fn start(arguments: &[&str]) -> Result<(Self, ChildStdin), Failure> {
        let failed = |error: std::io::Error| Failure::Crashed(format!("it can't be started: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("internal").args(arguments);
        // Of a panic the message is wanted, and not the stack that would push it out.
        command.env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the parent, which then ends its workers.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::Crashed("it has no pipes".to_owned()));
        };
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            each_line(stdout, |line| {
                if let Some(answer) = parse(&line) {
                    // Nobody listens any more once the worker is given up.
                    let _ = sender.send(answer);
                }
            });
        });
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let words = Arc::clone(&last_words);
        std::thread::spawn(move || {
            each_line(stderr, |line| {
                let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
                words.push_back(line);
                if words.len() > KEPT_LINES {
                    words.pop_front();
                }
            });
        });
        Ok((Self { child, answers, last_words }, stdin))
    }

    fn answer(&mut self, deadline: Duration, stopped: &dyn Fn() -> bool) -> Result<Answer, Failure> {
        let start = Instant::now();
        loop {
            match self.answers.recv_timeout(TICK) {
                Ok(answer) => return answer.map_err(Failure::Crashed),
                Err(RecvTimeoutError::Disconnected) => return Err(self.death()),
                Err(RecvTimeoutError::Timeout) if stopped() => return Err(Failure::Interrupted),
                Err(RecvTimeoutError::Timeout) if start.elapsed() > deadline => return Err(Failure::Timeout(deadline)),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// How the process ended, with the last that it wrote to its standard error.
    fn death(&mut self) -> Failure {
        let how = match self.child.wait() {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        };
        // The last words may still be on their way through the pipe.
        std::thread::sleep(TICK);
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Failure::Crashed(if words.is_empty() { how } else { format!("{how}: {}", words.join(" | ")) })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines as text, whatever bytes a driver printed.
fn each_line(source: impl Read, mut line: impl FnMut(String)) {
    let mut source = BufReader::new(source);
    let mut bytes = Vec::new();
    while source.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        if !text.is_empty() {
            line(text.to_owned());
        }
        bytes.clear();
    }
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => " (SIGILL)",
            6 => " (SIGABRT)",
            7 => " (SIGBUS)",
            8 => " (SIGFPE)",
            9 => " (SIGKILL)",
            11 => " (SIGSEGV)",
            15 => " (SIGTERM)",
            _ => "",
        };
        return format!("the worker was killed by signal {signal}{name}");
    }
    match status.code() {
        Some(code) => format!("the worker ended with exit code {code}"),
        None => "the worker ended".to_owned(),
    }
}
