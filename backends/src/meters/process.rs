//! Runs a program that tells a figure: without a shell, in the C locale, within a time and a size.

use super::tree::Timed;
use super::{MeterError, now};
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// More output than this is none that a meter prints.
const MOST_BYTES: u64 = 1 << 20;

/// What is run.
pub(super) struct Ask<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [String],
    /// What it reads from its standard input.
    pub(super) input: &'a str,
    pub(super) limit_s: f64,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) output: String,
    /// The first line of what it complained about.
    pub(super) complaint: String,
    pub(super) timed: Timed,
}

impl Ask<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be started, took too long, or printed too much. What it started is ended with it.
    pub(super) fn run(&self) -> Result<Answer, MeterError> {
        let what = self.program.display().to_string();
        let start_s = now();
        let deadline = Instant::now() + Duration::from_secs_f64(self.limit_s);
        let mut running = Running { child: self.start(&what)?, ended: false };
        let stdin = running.child.stdin.take();
        let input = self.input.to_owned();
        // A thread for each pipe, so that no full one makes the program wait. A thread ends with its pipe.
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let output = collect(running.child.stdout.take());
        let complaints = collect(running.child.stderr.take());
        let late = || MeterError::Timeout { what: what.clone(), seconds: self.limit_s.ceil() as u64 };
        let left = || deadline.saturating_duration_since(Instant::now());
        let output = output.recv_timeout(left()).map_err(|_| late())?;
        if output.len() as u64 > MOST_BYTES {
            return Err(MeterError::Garbage { what, problem: format!("it printed more than {MOST_BYTES} bytes") });
        }
        let complaints = complaints.recv_timeout(left()).map_err(|_| late())?;
        let status = loop {
            match running.child.try_wait() {
                Ok(Some(status)) => {
                    running.ended = true;
                    break status;
                }
                Ok(None) if left().is_zero() => return Err(late()),
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(MeterError::Refused { what, problem: error.to_string() }),
            }
        };
        let output = String::from_utf8_lossy(&output).into_owned();
        let complaint = first_line(&String::from_utf8_lossy(&complaints)).or_else(|| first_line(&output));
        Ok(Answer {
            code: status.code(),
            output,
            complaint: complaint.unwrap_or_else(|| status.to_string()),
            timed: Timed::since(start_s),
        })
    }

    fn start(&self, what: &str) -> Result<Child, MeterError> {
        let mut command = Command::new(self.program);
        command.args(self.arguments).env("LC_ALL", "C").env_remove("LANGUAGE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own can be ended with all that it starts.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let what = what.to_owned();
        command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => MeterError::Absent { what },
            ErrorKind::PermissionDenied => {
                MeterError::Permission { what, hint: "let your user execute it, or run as one who may".to_owned() }
            }
            _ => MeterError::Refused { what, problem: error.to_string() },
        })
    }
}

/// A program that does not outlive this value.
struct Running {
    child: Child,
    ended: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once it was waited for, its number may be another's. Before that, its group is its own, even where it has
        // ended and only what it started goes on.
        if self.ended {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is what there is.
            let _ = pipe.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        }
        // Nobody waits any more after a timeout.
        let _ = sender.send(bytes);
    });
    receiver
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}

/// The program of this name in the folders, or the name itself where it is a path.
pub(super) fn program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let file = |path: &Path| {
        let endings = if cfg!(windows) { &["", "exe"][..] } else { &[""] };
        let named = |ending: &&str| if ending.is_empty() { path.to_owned() } else { path.with_extension(ending) };
        endings.iter().map(named).find(|path| path.is_file())
    };
    if Path::new(name).components().count() > 1 {
        return file(Path::new(name));
    }
    folders.iter().find_map(|folder| file(&folder.join(name)))
}

/// The folders of a search path, such as that of the environment.
pub(super) fn folders(path: Option<&OsStr>) -> Vec<PathBuf> {
    path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, limit_s: f64) -> Result<Answer, MeterError> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        Ask { program: Path::new("/bin/sh"), arguments: &arguments, input, limit_s }.run()
    }

    #[test]
    fn it_tells_what_was_printed_and_how_it_ended() {
        let answer = shell("cat; echo \"$LC_ALL$LANGUAGE\"; echo no >&2; exit 3", "hello ", 10.0).unwrap();
        assert_eq!((answer.code, answer.output.as_str(), answer.complaint.as_str()), (Some(3), "hello C\n", "no"));
        assert!(answer.timed.cost_s > 0.0 && answer.timed.at_s <= now());
    }

    #[test]
    fn what_hangs_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let sign = folder.path().join("alive");
        let script = format!("(sleep 2; touch {}) & sleep 60", sign.display());
        let start = Instant::now();
        assert!(matches!(shell(&script, "", 0.3), Err(MeterError::Timeout { seconds: 1, .. })));
        assert!(start.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_secs(3));
        assert!(!sign.exists(), "what it started still runs");
    }

    #[test]
    fn endless_output_is_refused() {
        let problem = shell("yes", "", 60.0).map(|answer| answer.output.len()).unwrap_err().to_string();
        assert!(problem.contains("more than"), "{problem}");
    }

    #[test]
    fn a_program_that_is_not_there_is_absent() {
        let nothing = Ask { program: Path::new("/no/such/program"), arguments: &[], input: "", limit_s: 1.0 };
        assert!(matches!(nothing.run().map(|answer| answer.code), Err(MeterError::Absent { .. })));
        let folder = Ask { program: Path::new("/"), arguments: &[], input: "", limit_s: 1.0 };
        assert!(matches!(folder.run().map(|answer| answer.code), Err(MeterError::Permission { .. })));
    }

    #[test]
    fn programs_are_found_in_the_order_of_the_folders() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sh"), "").unwrap();
        let folders = [folder.path().to_owned(), PathBuf::from("/bin")];
        assert_eq!(program("sh", &folders), Some(folder.path().join("sh")));
        assert_eq!(program("/bin/sh", &folders), Some("/bin/sh".into()));
        assert_eq!(program("no-such-program", &folders), None);
    }
}
