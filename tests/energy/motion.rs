//! Files whose text follows time, as a kernel's do.

use accelbench_backends::meters::virtual_meter::{Truth, Wave};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often they are written anew.
const TICK: Duration = Duration::from_millis(5);

/// What a file holds at a time, in seconds since the motion began.
pub(crate) type Text = Box<dyn Fn(f64) -> String + Send>;

/// Writes the files as time passes, for as long as it lives.
pub(crate) struct Motion {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Motion {
    /// All of them are there when this returns.
    pub(crate) fn start(files: Vec<(PathBuf, Text)>) -> Self {
        let start = Instant::now();
        let write = move || {
            for (path, text) in &files {
                replace(path, &text(start.elapsed().as_secs_f64()));
            }
        };
        write();
        let stopped = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&stopped);
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                write();
            }
        });
        Self { stopped, thread: Some(thread) }
    }
}

impl Drop for Motion {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        // A panic of its own is told by the test that it belongs to, once.
        assert!(std::thread::panicking() || !matches!(ended, Some(Err(_))), "the files were not written");
    }
}

/// A reader sees the old text or the new one, and never a part.
fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::rename(&next, path).unwrap();
}

/// Power that swings about a mean by `swing` of itself, fast enough for any window.
pub(crate) fn power(watts: f64, swing: f64) -> Truth {
    Truth { waves: vec![Wave { watts: watts * swing, period_s: 0.37, phase: 0.0 }], ..Truth::constant(watts) }
}

/// A counter in microjoules of a device that draws this power, from a start and up to where it wraps.
pub(crate) fn microjoules(truth: Truth, start_j: f64, wraps_at_j: f64) -> Text {
    Box::new(move |t| format!("{:.0}\n", 1e6 * (start_j + truth.joules(0.0, t)).rem_euclid(wraps_at_j)))
}

/// Power in microwatts.
pub(crate) fn microwatts(truth: Truth) -> Text {
    Box::new(move |t| format!("{:.0}\n", 1e6 * truth.watts(t)))
}

/// One text up to a time, and another from there on.
pub(crate) fn until(at_s: f64, before: Text, after: Text) -> Text {
    Box::new(move |t| if t < at_s { before(t) } else { after(t) })
}

/// A text that stays.
pub(crate) fn still(text: &'static str) -> Text {
    Box::new(move |_| text.to_owned())
}
