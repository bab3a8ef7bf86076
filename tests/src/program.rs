//! A program under test: run in a folder of its own, with what it said and what it wrote.

use accelbench_reports::RunFile;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No command of the tests takes nearly so long.
const DEADLINE: Duration = Duration::from_mins(4);

/// A program, the folder that it works in, and its environment.
pub struct Program {
    path: &'static str,
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// A command that is running.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<JoinHandle<String>>,
}

impl Program {
    /// The program at a path, in a new folder, with no backend but the host and those from outside, and
    /// no library and no meter of the machine's.
    ///
    /// # Panics
    /// Where no folder can be made.
    pub fn new(path: &'static str) -> Self {
        // Beside the program, so that devices are probed once for all tests, and never a user's own probings are used.
        let cache = Path::new(path).parent().expect("a program lies in a folder").join("accelbench-test-cache");
        Self { path, folder: tempfile::tempdir().expect("a temporary folder"), environment: Vec::new() }
            .with("ACCELBENCH_DISABLE", "cuda,opencl,webgpu,openblas,mkl,blis")
            .with("ACCELBENCH_METERS", concat!(env!("CARGO_MANIFEST_DIR"), "/src/no-meters.toml"))
            .with("ACCELBENCH_CACHE_DIR", &cache.display().to_string())
    }

    /// Sets a variable for the commands to come.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in the program's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the program's folder, as an argument.
    pub fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Reads a result file in the program's folder.
    ///
    /// # Panics
    /// Where it can't be read.
    pub fn file(&self, name: &str) -> RunFile {
        RunFile::read(&self.path(name)).expect("a result file")
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// Where it can't be started, or does not end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).finish()
    }

    /// Runs a command whose standard output goes elsewhere.
    ///
    /// # Panics
    /// Where it can't be started, or does not end.
    pub fn run_into(&self, arguments: &[&str], stdout: impl Into<Stdio>) -> Ran {
        let mut command = Command::new(self.path);
        self.prepare(&mut command).args(arguments).stdout(stdout);
        let mut child = command.spawn().expect("the program starts");
        let stderr = text(child.stderr.take().expect("a pipe"));
        let code = wait(&mut child).code();
        Ran { code, stdout: String::new(), stderr: stderr.join().expect("text") }
    }

    /// Runs a command whose standard output is a pipe that nobody reads.
    ///
    /// # Panics
    /// Where it can't be started, or does not end.
    pub fn run_unread(&self, arguments: &[&str]) -> Ran {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.run_into(arguments, writer)
    }

    /// Starts a command.
    ///
    /// # Panics
    /// Where it can't be started.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(self.path);
        command.args(arguments);
        self.start_other(command)
    }

    /// Starts another command, in the program's folder and with its environment.
    ///
    /// # Panics
    /// Where it can't be started.
    pub fn start_other(&self, mut command: Command) -> Running {
        let mut child = self.prepare(&mut command).spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = text(child.stderr.take().expect("a pipe"));
        Running { child, stdout, stderr: Some(stderr) }
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // What colours a test expects is its own affair, and not the machine's.
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.current_dir(&self.folder).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
    }
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output; none at its end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.stdout.read_line(&mut line).ok()? > 0).then_some(line)
    }

    /// Reads lines until so many results went by.
    ///
    /// # Panics
    /// Where the output ends before.
    pub fn results(&mut self, count: usize) {
        for done in 0..count {
            while !self.line().unwrap_or_else(|| panic!("it ended after {done} results")).contains(r#""type":"result""#)
            {
            }
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn finish(mut self) -> Ran {
        let (pipe, stderr) = (self.stdout, self.stderr.take().expect("read once"));
        let stdout = text(pipe);
        let code = wait(&mut self.child).code();
        Ran { code, stdout: stdout.join().expect("text"), stderr: stderr.join().expect("text") }
    }
}

fn text(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A process that was killed ends its text where it ends.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status;
        }
        if start.elapsed() > DEADLINE {
            let _ = child.kill();
            panic!("the program did not end within {} s", DEADLINE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Ran {
    /// Holds the end of a command against what every user error promises: exit code 2, and one line that has these
    /// words.
    ///
    /// # Panics
    /// Where a promise is broken.
    pub fn is_user_error(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        assert!(self.stderr.starts_with("error: ") && self.stderr.ends_with('\n'), "{self:#?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:#?}");
        }
    }
}

/// Sends a signal by its name.
///
/// # Panics
/// Where the system has no `kill`.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(sent.expect("sh").success(), "no process {process}");
}

/// The children of a process, as Linux lists them.
pub fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|&id| parent_of(id) == Some(parent)).collect()
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub fn runs(process: u32) -> bool {
    stat(process).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z"))
}

fn parent_of(process: u32) -> Option<u32> {
    stat(process)?.get(1)?.parse().ok()
}

/// A process's state, parent and so on: what follows its name, which may hold blanks, in brackets.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
