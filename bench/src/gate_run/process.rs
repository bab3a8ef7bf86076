//! Running a build, and ending it when the user says so.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a wait looks whether it was told to stop.
const TICK: Duration = Duration::from_millis(50);
/// How long a process has to tidy up before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How much of a process's standard error is kept for messages.
const KEPT_LINES: usize = 3;

/// Why there is nothing to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The user stopped the gate.
    Interrupted,
    /// The gate can't go on: one sentence.
    Harness(String),
}

/// How a process ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// The exit code; none where a signal ended it.
    pub(super) code: Option<i32>,
    /// How it ended, with the last that it wrote to its standard error.
    pub(super) how: String,
    /// The one line of an error that this program's own command line reports.
    pub(super) refusal: Option<String>,
}

/// A process whose standard output is read line by line. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    lines: Receiver<String>,
    last_words: Option<JoinHandle<VecDeque<String>>>,
}

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    /// The system's reason.
    pub(super) fn start(command: &mut Command) -> std::io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the gate, which then ends what it started.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                // Nobody listens any more once the process is given up.
                each_line(stdout, |line| sender.send(line).is_ok());
            });
        }
        let last_words = child.stderr.take().map(|stderr| {
            std::thread::spawn(move || {
                let mut words = VecDeque::new();
                each_line(stderr, |line| {
                    words.push_back(line);
                    if words.len() > KEPT_LINES {
                        words.pop_front();
                    }
                    true
                });
                words
            })
        });
        Ok(Self { child, lines, last_words })
    }

    /// The next line of standard output; none at its end.
    ///
    /// # Errors
    /// The user's wish to stop, or a deadline that went by.
    pub(super) fn line(&mut self, deadline: Duration, stopped: &dyn Fn() -> bool) -> Result<Option<String>, Stop> {
        let start = Instant::now();
        loop {
            match self.lines.recv_timeout(TICK) {
                Ok(line) => return Ok(Some(line)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if stopped() => return Err(Stop::Interrupted),
                Err(RecvTimeoutError::Timeout) if start.elapsed() > deadline => {
                    return Err(Stop::Harness(format!("it said nothing for {} s", deadline.as_secs())));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn end(&mut self) {
        #[cfg(unix)]
        {
            let interrupted = rustix::process::kill_process(
                rustix::process::Pid::from_child(&self.child),
                rustix::process::Signal::INT,
            );
            let start = Instant::now();
            while interrupted.is_ok() && start.elapsed() < GRACE {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(TICK);
            }
        }
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end, once its standard output has ended.
    pub(super) fn finish(mut self) -> Ended {
        let status = self.child.wait();
        let words = self.last_words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        let ended = match &status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let refusal = words.iter().rev().find_map(|line| Some(line.strip_prefix("error: ")?.to_owned()));
        let words: Vec<String> = words.into();
        let how = if words.is_empty() { ended } else { format!("{ended}: {}", words.join(" | ")) };
        Ended { code: status.ok().and_then(|status| status.code()), how, refusal }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// Hands over lines as text, whatever bytes a process printed, until told to end.
fn each_line(source: impl Read, mut line: impl FnMut(String) -> bool) {
    let mut source = BufReader::new(source);
    let mut bytes = Vec::new();
    while source.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end();
        if !text.is_empty() && !line(text.to_owned()) {
            return;
        }
        bytes.clear();
    }
}

/// Runs a command to its end and gives its standard output.
///
/// # Errors
/// The user's wish to stop, or one sentence on how it failed.
pub(super) fn output(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    prepare: impl FnOnce(&mut Command) -> &mut Command,
    stopped: &dyn Fn() -> bool,
) -> Result<String, Stop> {
    output_within(program, arguments, prepare, Duration::MAX, stopped)
}

/// As [`output`], of a command that may not be silent for longer than `silence`.
///
/// # Errors
/// As of [`output`].
pub(crate) fn output_within(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    prepare: impl FnOnce(&mut Command) -> &mut Command,
    silence: Duration,
    stopped: &dyn Fn() -> bool,
) -> Result<String, Stop> {
    let mut command = Command::new(program);
    prepare(command.args(arguments));
    let mut process =
        Process::start(&mut command).map_err(|error| Stop::Harness(format!("{program} can't be started: {error}")))?;
    let mut text = String::new();
    while let Some(line) = process.line(silence, stopped)? {
        text.push_str(&line);
        text.push('\n');
    }
    let ended = process.finish();
    if ended.code == Some(0) { Ok(text) } else { Err(Stop::Harness(format!("{program}: {}", ended.how))) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn lines_and_last_words() {
        let mut process = shell("echo one; echo; echo two; echo 'error: no such thing' >&2; exit 7");
        let line = |process: &mut Process| process.line(Duration::from_mins(1), &|| false).unwrap();
        assert_eq!(line(&mut process).as_deref(), Some("one"));
        assert_eq!(line(&mut process).as_deref(), Some("two"));
        assert_eq!(line(&mut process), None);
        let ended = process.finish();
        assert_eq!((ended.code, ended.refusal.as_deref()), (Some(7), Some("no such thing")));
        assert!(ended.how.contains("no such thing"), "{ended:?}");
    }

    #[test]
    fn a_wait_ends_when_it_is_told_to_or_takes_too_long() {
        let mut process = shell("sleep 100");
        assert_eq!(process.line(Duration::MAX, &|| true), Err(Stop::Interrupted));
        let late = process.line(Duration::ZERO, &|| false).unwrap_err();
        assert!(matches!(late, Stop::Harness(reason) if reason.contains("nothing for 0 s")));
        let start = Instant::now();
        drop(process);
        assert!(start.elapsed() < Duration::from_secs(30), "it is ended, not waited for");
    }

    #[test]
    fn what_fails_is_no_output() {
        let sh = |script| output("sh", ["-c", script], |command| command, &|| false);
        assert_eq!(sh("echo a; echo b").unwrap(), "a\nb\n");
        let Err(Stop::Harness(reason)) = sh("echo why >&2; exit 3") else { unreachable!() };
        assert!(reason.contains("why") && reason.contains('3'), "{reason}");
    }
}
